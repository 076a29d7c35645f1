"""What turns consumed."""

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import turns, usage


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What one turn consumed of one model. ``duration_ms`` is from claim to end."""

    turn_id: UUID
    model: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: float
    duration_ms: int


@dataclass(frozen=True, kw_only=True)
class UsageTotal:
    """The sum over several turns."""

    turns: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: float
    duration_ms: int


SUMMED = [name for name in UsageTotal.__dataclass_fields__ if name != "turns"]


class UsageLedger:
    """The ledger, within one transaction."""

    def __init__(self, tx: AsyncSession) -> None:
        self._tx = tx

    async def add(self, spent: Usage) -> None:
        """Enter what a turn consumed."""
        await self._tx.execute(insert(usage).values(**asdict(spent)))

    async def total(
        self,
        *,
        team_id: str | None = None,
        sender_id: str | None = None,
        conversation_id: UUID | None = None,
        since: datetime | None = None,
    ) -> UsageTotal:
        """The sum for a team, a sender, a conversation and a time, as far as they are given."""
        sums = [func.coalesce(func.sum(usage.c[name]), 0).label(name) for name in SUMMED]
        statement = select(func.count(usage.c.turn_id.distinct()).label("turns"), *sums).join_from(
            usage, turns
        )
        if team_id is not None:
            statement = statement.where(turns.c.team_id == team_id)
        if sender_id is not None:
            statement = statement.where(turns.c.sender_id == sender_id)
        if conversation_id is not None:
            statement = statement.where(turns.c.conversation_id == conversation_id)
        if since is not None:
            statement = statement.where(usage.c.created_at >= since)
        row = (await self._tx.execute(statement)).one()
        return UsageTotal(
            turns=row.turns,
            input_tokens=int(row.input_tokens),
            output_tokens=int(row.output_tokens),
            cache_read_tokens=int(row.cache_read_tokens),
            cache_write_tokens=int(row.cache_write_tokens),
            cost_usd=float(row.cost_usd),
            duration_ms=int(row.duration_ms),
        )
