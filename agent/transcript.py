"""The Claude SDK's session store on Postgres.

Entries are held back until the turn's own transaction writes them, so that a turn and what Claude remembers of it
are stored together or not at all. The SDK names a transcript after the folder it ran in, which differs from machine to
machine; ours are kept under the project's id instead, so that any replica can resume them.
"""

import asyncio
from typing import cast
from uuid import UUID

import claude_agent_sdk as sdk
from claude_agent_sdk import types as sdk_types

from storage import database, transcripts


class TranscriptStore:
    """One session's store: reads go to the database, appends wait for ``flush``."""

    def __init__(self, *, database: database.Database, project_id: UUID) -> None:
        self._database = database
        self._project_key = str(project_id)
        self._held: list[tuple[sdk.SessionKey, list[sdk_types.SessionStoreEntry]]] = []
        self._written = 0
        #: To be held from ``write`` to ``settle``: the end of a turn and the session's own may fall together.
        self.writer = asyncio.Lock()
        #: Whether Claude has anything to remember of this session.
        self.begun = False

    async def append(self, key: sdk.SessionKey, entries: list[sdk_types.SessionStoreEntry]) -> None:
        """Hold entries back, in order."""
        self._held.append((key, entries))
        self.begun = True

    async def load(self, key: sdk.SessionKey) -> list[sdk_types.SessionStoreEntry] | None:
        """A whole transcript for resuming, ``None`` when it was never written."""
        async with self._database.transaction() as tx:
            stored = await transcripts.Transcripts(tx).load(
                project_key=self._project_key, session_id=key["session_id"], subpath=key.get("subpath")
            )
        return None if stored is None else [cast(sdk_types.SessionStoreEntry, entry) for entry in stored]

    async def list_subkeys(self, key: sdk_types.SessionListSubkeysKey) -> list[str]:
        """Transcripts of sub-agents below this session."""
        async with self._database.transaction() as tx:
            return await transcripts.Transcripts(tx).list_subkeys(
                project_key=self._project_key, session_id=key["session_id"]
            )

    @property
    def holds_entries(self) -> bool:
        return bool(self._held)

    async def write(self, tx: database.Transaction) -> None:
        """Store what was held back, within the caller's transaction; ``settle`` once that is committed.

        Nothing is forgotten before that, so a transaction that was rolled back is simply repeated.
        """
        repository = transcripts.Transcripts(tx)
        batches = tuple(self._held)
        for key, entries in batches:
            await repository.append(
                project_key=self._project_key,
                session_id=key["session_id"],
                subpath=key.get("subpath"),
                entries=[dict(entry) for entry in entries],
            )
        self._written = len(batches)

    def settle(self) -> None:
        """Forget what the last ``write`` wrote: it is stored. What came since is kept."""
        del self._held[: self._written]
        self._written = 0
