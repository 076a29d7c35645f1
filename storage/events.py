"""Accepted events: what Slack was told that we have, kept until it is handled.

Slack delivers at least once, and a mention twice (as ``app_mention`` and as ``message``): both kinds are stored as
``SAID`` and are one event when they speak of the same message. A settled event stays as a key without its payload,
so that a late redelivery is still recognised.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import events

SAID = "said"  # the kind of every event that announces a new message
MAX_ATTEMPTS = 5  # an event claimed more often than this is given up


@dataclass(frozen=True, kw_only=True)
class AcceptedEvent:
    """An event as Slack sent it. ``attempts`` counts how often it was claimed because nobody had settled it."""

    event_id: str
    team_id: str
    channel_id: str | None
    ts: str | None
    kind: str
    payload: dict[str, Any]
    received_at: datetime
    attempts: int


FIELDS = [events.c[name] for name in AcceptedEvent.__dataclass_fields__]


class Events:
    """The accepted events, within one transaction."""

    def __init__(self, tx: AsyncSession) -> None:
        self._tx = tx

    async def accept(
        self,
        *,
        event_id: str,
        team_id: str,
        channel_id: str | None,
        ts: str | None,
        kind: str,
        payload: Mapping[str, Any],
    ) -> bool:
        """Store a new event; False when it was stored before, or when its message was already said."""
        row = insert(events).values(
            event_id=event_id, team_id=team_id, channel_id=channel_id, ts=ts, kind=kind, payload=dict(payload)
        )
        new = row.on_conflict_do_nothing().returning(events.c.event_id)
        return await self._tx.scalar(new) is not None

    async def settle(self, event_id: str) -> None:
        """The event is handled: forget what it said, remember that it was here."""
        await self._tx.execute(
            update(events)
            .where(events.c.event_id == event_id, events.c.settled_at.is_(None))
            .values(settled_at=func.now(), payload={})
        )

    async def claim_unsettled(self, *, older_than: timedelta, limit: int) -> list[AcceptedEvent]:
        """Events that nobody settled for so long, oldest first; no two replicas get the same.

        An event returned with ``attempts`` above ``MAX_ATTEMPTS`` is given up: log it, it does not come again.
        """
        last_touched = func.coalesce(events.c.claimed_at, events.c.received_at)
        overdue = (
            select(events.c.event_id)
            .where(
                events.c.settled_at.is_(None),
                events.c.attempts <= MAX_ATTEMPTS,
                last_touched <= func.now() - older_than,
            )
            .order_by(events.c.received_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claimed = (
            update(events)
            .where(events.c.event_id.in_(overdue))
            .values(attempts=events.c.attempts + 1, claimed_at=func.now())
            .returning(*FIELDS)
        )
        rows = (await self._tx.execute(claimed)).mappings()
        return sorted((AcceptedEvent(**row) for row in rows), key=lambda event: event.received_at)

    async def delete_older_than(self, moment: datetime) -> int:
        """Forget events received before ``moment``, settled or not; Slack has long stopped to redeliver them."""
        result = await self._tx.scalars(
            delete(events).where(events.c.received_at < moment).returning(events.c.event_id)
        )
        return len(result.all())
