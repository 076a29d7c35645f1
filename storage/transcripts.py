"""The transcripts of Claude sessions, one row per entry, in the order in which they were appended.

These are the rows behind the Claude SDK's ``SessionStore``; the adapter is in ``agent``, so that this package knows
no SDK. An entry with a ``uuid`` is stored once, because the SDK repeats a batch whose outcome it did not learn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import transcript_entries as entries_table

MAIN = ""  # the subpath column of a session's main transcript


@dataclass(frozen=True, kw_only=True)
class StoredSession:
    """A session that has a main transcript, and when it last grew."""

    session_id: str
    modified_at: datetime


class Transcripts:
    """The transcripts, within one transaction. ``subpath`` None means the session's main transcript."""

    def __init__(self, tx: AsyncSession) -> None:
        self._tx = tx

    async def append(
        self, *, project_key: str, session_id: str, subpath: str | None, entries: Sequence[Mapping[str, Any]]
    ) -> None:
        """Add entries at the end, except those whose ``uuid`` is there already."""
        if not entries:
            return
        key = {"project_key": project_key, "session_id": session_id, "subpath": subpath or MAIN}
        rows = [{**key, "uuid": entry.get("uuid"), "entry": dict(entry)} for entry in entries]
        await self._tx.execute(insert(entries_table).on_conflict_do_nothing(), rows)

    async def load(
        self, *, project_key: str, session_id: str, subpath: str | None
    ) -> list[dict[str, Any]] | None:
        """All entries in order; None for a transcript that was never written."""
        statement = select(entries_table.c.entry).where(
            *_session(project_key, session_id), entries_table.c.subpath == (subpath or MAIN)
        )
        return list(await self._tx.scalars(statement.order_by(entries_table.c.id))) or None

    async def list_subkeys(self, *, project_key: str, session_id: str) -> list[str]:
        """The subpaths of a session, without its main transcript."""
        statement = select(entries_table.c.subpath).where(
            *_session(project_key, session_id), entries_table.c.subpath != MAIN
        )
        return list(await self._tx.scalars(statement.distinct().order_by(entries_table.c.subpath)))

    async def list_sessions(self, project_key: str) -> list[StoredSession]:
        """The sessions of a project, most recently grown first."""
        modified_at = func.max(entries_table.c.created_at)
        statement = (
            select(entries_table.c.session_id, modified_at)
            .where(entries_table.c.project_key == project_key, entries_table.c.subpath == MAIN)
            .group_by(entries_table.c.session_id)
            .order_by(modified_at.desc())
        )
        rows = await self._tx.execute(statement)
        return [StoredSession(session_id=session_id, modified_at=moment) for session_id, moment in rows]

    async def delete(self, *, project_key: str, session_id: str, subpath: str | None) -> None:
        """Forget one subpath, or (with None) the session with everything below it."""
        where = _session(project_key, session_id)
        if subpath is not None:
            where.append(entries_table.c.subpath == subpath)
        await self._tx.execute(delete(entries_table).where(*where))


def _session(project_key: str, session_id: str) -> list[ColumnElement[bool]]:
    return [entries_table.c.project_key == project_key, entries_table.c.session_id == session_id]
