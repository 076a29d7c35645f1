"""Conversations: Slack threads that the bot is in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, desc, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import conversations


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """A thread and the Claude session that remembers it, once there is one."""

    id: UUID
    project_id: UUID
    team_id: str
    channel_id: str
    thread_ts: str
    session_id: UUID | None
    created_at: datetime


class Conversations:
    """The conversations, within one transaction."""

    def __init__(self, tx: AsyncSession) -> None:
        self._tx = tx

    async def get(self, conversation_id: UUID) -> Conversation | None:
        """The conversation with this id."""
        return await self._one(select(conversations).where(conversations.c.id == conversation_id))

    async def find(self, *, team_id: str, channel_id: str, thread_ts: str) -> Conversation | None:
        """The conversation in this thread."""
        return await self._one(
            select(conversations).where(
                conversations.c.team_id == team_id,
                conversations.c.channel_id == channel_id,
                conversations.c.thread_ts == thread_ts,
            )
        )

    async def ensure(
        self, *, project_id: UUID, team_id: str, channel_id: str, thread_ts: str
    ) -> Conversation:
        """The thread's conversation, begun when there is none; one that exists keeps its project."""
        row = insert(conversations).values(
            project_id=project_id, team_id=team_id, channel_id=channel_id, thread_ts=thread_ts
        )
        new = row.on_conflict_do_nothing(index_elements=["team_id", "channel_id", "thread_ts"])
        made = (await self._tx.execute(new.returning(conversations))).mappings().one_or_none()
        if made is not None:
            return Conversation(**made)
        found = await self.find(team_id=team_id, channel_id=channel_id, thread_ts=thread_ts)
        assert found is not None, "a conversation that conflicts exists"
        return found

    async def set_session(self, conversation_id: UUID, session_id: UUID | None) -> None:
        """From now on this session remembers the conversation; None begins afresh."""
        await self._tx.execute(
            update(conversations).where(conversations.c.id == conversation_id).values(session_id=session_id)
        )

    async def recent(self, project_id: UUID, limit: int) -> list[Conversation]:
        """The project's newest conversations, newest first."""
        statement = (
            select(conversations)
            .where(conversations.c.project_id == project_id)
            .order_by(desc(conversations.c.created_at))
            .limit(limit)
        )
        return [Conversation(**row) for row in (await self._tx.execute(statement)).mappings()]

    async def _one(self, statement: Select[Any]) -> Conversation | None:
        row = (await self._tx.execute(statement)).mappings().one_or_none()
        return None if row is None else Conversation(**row)
