"""Ending turns early: who may, and what happens then."""

import asyncio
from collections.abc import Callable
from enum import StrEnum
from uuid import UUID

import structlog

from bot import people
from bot.replies import front
from storage import audit, database, projects, turns

log = structlog.get_logger(__name__)

SETTLE_LOOKS = 50
SETTLE_PAUSE = 0.1  # seconds


class Stopped(StrEnum):
    """What came of asking a turn to stop."""

    DONE = "done"
    OVER = "over"
    FORBIDDEN = "forbidden"


class Stopping:
    """Stops turns for people; only the sender, the project's owner and admins may."""

    def __init__(
        self,
        *,
        database: database.Database,
        people: people.People,
        front: front.SlackFront,
        wake: Callable[[], None],
    ) -> None:
        self._database = database
        self._people = people
        self._front = front
        self._wake = wake

    async def stop(self, turn_id: UUID, *, person: people.Person) -> Stopped:
        """Stop a turn, queued or running, if this person may; every attempt is in the audit."""
        async with self._database.transaction() as tx:
            turn = await turns.Turns(tx).get(turn_id)
            if turn is None or turn.state.is_over or turn.team_id != person.team_id:
                return Stopped.OVER
            allowed = await self._may_stop(tx, turn, person)
            outcome = await turns.Turns(tx).request_stop(turn_id, by=person.id) if allowed else None
            await audit.Audit(tx).record(
                team_id=turn.team_id,
                user_id=person.id,
                action="turn.stop",
                outcome="done" if allowed else "refused",
                project_id=turn.project_id,
                turn_id=turn.id,
            )
        if not allowed:
            return Stopped.FORBIDDEN
        if outcome is not None and outcome.state.is_over:
            self._front.withdrawn(turn)
        self._wake()
        return Stopped.DONE

    async def stop_all(self, waiting: list[turns.Turn], *, person: people.Person) -> int:
        """Stop those of these turns that this person may stop; returns how many."""
        return sum([await self.stop(turn.id, person=person) is Stopped.DONE for turn in waiting])

    async def settled(self, asked: list[turns.Turn]) -> None:
        """Wait until these turns are over, some five seconds at most."""
        for _ in range(SETTLE_LOOKS):
            if all([await self._is_over(turn.id) for turn in asked]):
                return
            await asyncio.sleep(SETTLE_PAUSE)

    async def _is_over(self, turn_id: UUID) -> bool:
        async with self._database.transaction() as tx:
            turn = await turns.Turns(tx).get(turn_id)
        return turn is None or turn.state.is_over

    async def _may_stop(self, tx: database.Transaction, turn: turns.Turn, person: people.Person) -> bool:
        if person.id == turn.sender_id or self._people.is_admin(person):
            return True
        project = await projects.Projects(tx).get(turn.project_id)
        return project is not None and project.owner_id == person.id
