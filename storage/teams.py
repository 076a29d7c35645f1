"""The Slack workspaces that the app is installed in."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import teams


@dataclass(frozen=True, kw_only=True)
class Team:
    """A Slack workspace and the bot's own user in it."""

    id: str
    name: str
    bot_user_id: str


class Teams:
    """The teams, within one transaction."""

    def __init__(self, tx: AsyncSession) -> None:
        self._tx = tx

    async def upsert(self, *, team_id: str, name: str, bot_user_id: str) -> Team:
        """Remember a team as Slack describes it now."""
        described = {"name": name, "bot_user_id": bot_user_id}
        await self._tx.execute(
            insert(teams)
            .values(id=team_id, **described)
            .on_conflict_do_update(index_elements=["id"], set_=described)
        )
        return Team(id=team_id, **described)

    async def get(self, team_id: str) -> Team | None:
        """The team with this id."""
        row = (await self._tx.execute(select(teams).where(teams.c.id == team_id))).one_or_none()
        return None if row is None else Team(id=row.id, name=row.name, bot_user_id=row.bot_user_id)
