"""The record of who did what as whom, kept when its project or turn is gone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import desc, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import audit, identities


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One deed. ``identity`` is the Databricks user name it was done as; ``detail`` holds no secret."""

    created_at: datetime
    team_id: str
    user_id: str
    action: str
    outcome: str
    identity: str | None
    project_id: UUID | None
    turn_id: UUID | None
    detail: dict[str, Any] | None


FIELDS = [audit.c[name] for name in Entry.__dataclass_fields__]


class Audit:
    """The record, within one transaction."""

    def __init__(self, tx: AsyncSession) -> None:
        self._tx = tx

    async def record(
        self,
        *,
        team_id: str,
        user_id: str,
        action: str,
        outcome: str,
        identity: str | None = None,
        project_id: UUID | None = None,
        turn_id: UUID | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a deed; ``action`` is ``noun.verb``, ``outcome`` one word such as ``done`` or ``refused``.

        ``identity`` is the Databricks account in play; without one, the account that the person has linked now.
        """
        linked = select(identities.c.user_name).where(
            identities.c.team_id == team_id, identities.c.user_id == user_id
        )
        await self._tx.execute(
            insert(audit).values(
                team_id=team_id,
                user_id=user_id,
                action=action,
                outcome=outcome,
                identity=linked.scalar_subquery() if identity is None else identity,
                project_id=project_id,
                turn_id=turn_id,
                detail=None if detail is None else dict(detail),
            )
        )

    async def recent(self, *, team_id: str, limit: int, user_id: str | None = None) -> list[Entry]:
        """The team's or the person's newest deeds, newest first."""
        statement = select(*FIELDS).where(audit.c.team_id == team_id)
        if user_id is not None:
            statement = statement.where(audit.c.user_id == user_id)
        rows = await self._tx.execute(statement.order_by(desc(audit.c.id)).limit(limit))
        return [Entry(**row) for row in rows.mappings()]
