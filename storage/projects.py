"""Projects, the channels bound to them, and which one a person picked for direct messages."""

import itertools
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import channel_bindings, project_picks, projects


class Policy(StrEnum):
    """What happens before a tool changes something outside the project's folder."""

    ASK = "ask"
    AUTO = "auto"
    READ_ONLY = "read-only"


@dataclass(frozen=True, kw_only=True)
class Project:
    """A folder with settings. ``owner_id`` is the Slack user who began it."""

    id: UUID
    team_id: str
    name: str
    owner_id: str
    policy: Policy
    created_at: datetime


class Projects:
    """The projects, within one transaction."""

    def __init__(self, tx: AsyncSession) -> None:
        self._tx = tx

    async def get(self, project_id: UUID) -> Project | None:
        """The project with this id."""
        return await self._one(select(projects).where(projects.c.id == project_id))

    async def list_for_team(self, team_id: str) -> list[Project]:
        """The team's projects, by name."""
        statement = (
            select(projects).where(projects.c.team_id == team_id).order_by(func.lower(projects.c.name))
        )
        return [_project(row) for row in (await self._tx.execute(statement)).mappings()]

    async def create(self, *, team_id: str, name: str, owner_id: str) -> Project:
        """A new project; when its name is taken in the team (in any case of letters) it becomes ``name-2``, ``-3`` …"""
        for number in itertools.count(1):
            candidate = name if number == 1 else f"{name}-{number}"
            row = insert(projects).values(team_id=team_id, name=candidate, owner_id=owner_id)
            made = (
                (await self._tx.execute(row.on_conflict_do_nothing().returning(projects)))
                .mappings()
                .one_or_none()
            )
            if made is not None:
                return _project(made)
        raise AssertionError("the numbers ended")

    async def for_channel(self, *, team_id: str, channel_id: str) -> Project | None:
        """The project that a channel is bound to."""
        bound = (channel_bindings.c.team_id == team_id) & (channel_bindings.c.channel_id == channel_id)
        return await self._one(select(projects).join(channel_bindings).where(bound))

    async def bind_channel(self, *, team_id: str, channel_id: str, project_id: UUID) -> None:
        """Bind a channel to a project, instead of what it was bound to; its old conversations stay where they are."""
        row = insert(channel_bindings).values(team_id=team_id, channel_id=channel_id, project_id=project_id)
        await self._tx.execute(
            row.on_conflict_do_update(
                index_elements=["team_id", "channel_id"], set_={"project_id": row.excluded.project_id}
            )
        )

    async def ensure_for_channel(self, *, team_id: str, channel_id: str, name: str, owner_id: str) -> Project:
        """The channel's project, made and bound when it has none yet; two first messages make one project."""
        if found := await self.for_channel(team_id=team_id, channel_id=channel_id):
            return found
        # Held until this transaction ends: whoever comes second waits here and then finds the binding.
        await self._tx.execute(
            select(func.pg_advisory_xact_lock(func.hashtext(f"channel {team_id} {channel_id}")))
        )
        if found := await self.for_channel(team_id=team_id, channel_id=channel_id):
            return found
        made = await self.create(team_id=team_id, name=name, owner_id=owner_id)
        await self.bind_channel(team_id=team_id, channel_id=channel_id, project_id=made.id)
        return made

    async def channels(self, project_id: UUID) -> list[str]:
        """The ids of the channels bound to a project, in the order in which they were bound."""
        statement = select(channel_bindings.c.channel_id).where(channel_bindings.c.project_id == project_id)
        ordered = statement.order_by(channel_bindings.c.created_at, channel_bindings.c.channel_id)
        return list(await self._tx.scalars(ordered))

    async def pick(self, *, team_id: str, user_id: str, project_id: UUID) -> None:
        """The person's direct messages now belong to this project."""
        row = insert(project_picks).values(team_id=team_id, user_id=user_id, project_id=project_id)
        await self._tx.execute(
            row.on_conflict_do_update(
                index_elements=["team_id", "user_id"], set_={"project_id": row.excluded.project_id}
            )
        )

    async def picked(self, *, team_id: str, user_id: str) -> Project | None:
        """The project that the person picked."""
        theirs = (project_picks.c.team_id == team_id) & (project_picks.c.user_id == user_id)
        return await self._one(select(projects).join(project_picks).where(theirs))

    async def _one(self, statement: Select[Any]) -> Project | None:
        row = (await self._tx.execute(statement)).mappings().one_or_none()
        return None if row is None else _project(row)


def _project(row: RowMapping) -> Project:
    return Project(
        id=row["id"],
        team_id=row["team_id"],
        name=row["name"],
        owner_id=row["owner_id"],
        policy=Policy(row["policy"]),
        created_at=row["created_at"],
    )
