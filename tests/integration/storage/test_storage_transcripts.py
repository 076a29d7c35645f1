"""Transcripts: everything that the Claude SDK asks of a store of its sessions."""

import uuid
from collections.abc import Mapping
from typing import Any, cast

from claude_agent_sdk import types
from claude_agent_sdk.testing import run_session_store_conformance
from sqlalchemy.ext.asyncio import AsyncSession

from storage.database import Database
from storage.transcripts import Transcripts


class Store:
    """The thinnest adapter; ``prefix`` keeps one contract's data from another's."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._prefix = uuid.uuid4().hex

    def _key(self, key: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "project_key": self._prefix + key["project_key"],
            "session_id": key["session_id"],
            "subpath": key.get("subpath"),
        }

    async def append(self, key: types.SessionKey, entries: list[types.SessionStoreEntry]) -> None:
        async with self._database.transaction() as tx:
            await Transcripts(tx).append(**self._key(key), entries=entries)

    async def load(self, key: types.SessionKey) -> list[types.SessionStoreEntry] | None:
        async with self._database.transaction() as tx:
            return cast(list[types.SessionStoreEntry] | None, await Transcripts(tx).load(**self._key(key)))

    async def list_sessions(self, project_key: str) -> list[types.SessionStoreListEntry]:
        async with self._database.transaction() as tx:
            sessions = await Transcripts(tx).list_sessions(self._prefix + project_key)
        return [
            {"session_id": found.session_id, "mtime": int(found.modified_at.timestamp() * 1000)}
            for found in sessions
        ]

    async def delete(self, key: types.SessionKey) -> None:
        async with self._database.transaction() as tx:
            await Transcripts(tx).delete(**self._key(key))

    async def list_subkeys(self, key: types.SessionListSubkeysKey) -> list[str]:
        async with self._database.transaction() as tx:
            return await Transcripts(tx).list_subkeys(
                project_key=self._prefix + key["project_key"], session_id=key["session_id"]
            )


async def test_the_sdks_own_suite_passes(database: Database) -> None:
    await run_session_store_conformance(lambda: cast(types.SessionStore, Store(database)))


async def _append(tx: AsyncSession, *entries: dict[str, Any]) -> None:
    await Transcripts(tx).append(project_key="p", session_id="s", subpath=None, entries=entries)


async def _load(tx: AsyncSession) -> list[dict[str, Any]] | None:
    return await Transcripts(tx).load(project_key="p", session_id="s", subpath=None)


async def test_a_repeated_batch_is_stored_once(tx: AsyncSession) -> None:
    batch = [{"type": "user", "uuid": "1"}, {"type": "title"}, {"type": "assistant", "uuid": "2"}]
    await _append(tx, *batch)
    await _append(tx, *batch, {"type": "user", "uuid": "3"})
    assert await _load(tx) == [*batch, {"type": "title"}, {"type": "user", "uuid": "3"}]


async def test_an_entry_comes_back_with_every_character(tx: AsyncSession) -> None:
    entry = {
        "type": "user",
        "uuid": "1",
        "text": "NUL \x00, half a pair \ud83d, 😀",
        "number": 12345678901234567890,
    }
    await _append(tx, entry)
    assert await _load(tx) == [entry]


async def test_a_long_batch_keeps_its_order(tx: AsyncSession) -> None:
    entries = [{"type": "user", "uuid": str(number)} for number in range(1500)]
    await _append(tx, *entries)
    assert await _load(tx) == entries
