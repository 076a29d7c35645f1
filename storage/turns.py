"""Turns: the queue of what people asked, and who is answering it.

Claiming is decided by Postgres alone. A claimer locks the first turn of a line that nobody answers, takes the
home lease of its project, and marks it running, all in one transaction; a partial unique index allows a
conversation one active turn, whatever races were overlooked. Whoever changes what can be claimed or stopped rings
``CHANNEL`` in the same transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    RowMapping,
    Select,
    Text,
    and_,
    cast,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.base import Executable

from storage import database
from storage.conversations import Conversation
from storage.errors import UnknownTurnError
from storage.leases import Leases, project_lease, replica_lease
from storage.models import identities, leases, messages, turns

CHANNEL = "turns"  # rung when there is something to claim or to stop

Role = Literal["user", "assistant", "tool"]


class TurnState(StrEnum):
    """``queued → running → (waiting for approval or answer) → done | stopped | failed | interrupted``."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to the turn."""
        return self not in OPEN


ACTIVE = (TurnState.RUNNING, TurnState.WAITING)
OPEN = (TurnState.QUEUED, *ACTIVE)


class Hold(StrEnum):
    """Why a queued turn may not be claimed yet."""

    SIGN_IN = "sign_in"


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One message and the agent's answer. ``reply_ts`` are the messages of its reply, in order."""

    id: UUID
    conversation_id: UUID
    project_id: UUID
    team_id: str
    channel_id: str
    thread_ts: str
    message_ts: str
    sender_id: str
    prompt: str
    state: TurnState
    hold: Hold | None
    reply_ts: tuple[str, ...]
    replica: str | None
    stop_requested_by: str | None
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


FIELDS = [turns.c[name] for name in Turn.__dataclass_fields__]


class Turns:
    """The turns, within one transaction."""

    def __init__(self, tx: AsyncSession) -> None:
        self._tx = tx

    async def add(
        self,
        *,
        conversation: Conversation,
        sender_id: str,
        message_ts: str,
        prompt: str,
        hold: Hold | None = None,
    ) -> Turn | None:
        """Queue a turn at the end of its conversation; None when the message already has one."""
        row = insert(turns).values(
            conversation_id=conversation.id,
            project_id=conversation.project_id,
            team_id=conversation.team_id,
            channel_id=conversation.channel_id,
            thread_ts=conversation.thread_ts,
            message_ts=message_ts,
            sender_id=sender_id,
            prompt=prompt,
            hold=hold,
        )
        new = row.on_conflict_do_nothing(index_elements=["team_id", "channel_id", "message_ts"])
        made = (await self._tx.execute(new.returning(*FIELDS))).mappings().one_or_none()
        if made is None:
            return None
        await self._ring()
        return _turn(made)

    async def get(self, turn_id: UUID) -> Turn | None:
        """The turn with this id."""
        return await self._one(select(*FIELDS).where(turns.c.id == turn_id))

    async def find_by_message(self, *, team_id: str, channel_id: str, message_ts: str) -> Turn | None:
        """The turn that a message began."""
        return await self._one(
            select(*FIELDS).where(
                turns.c.team_id == team_id, turns.c.channel_id == channel_id, turns.c.message_ts == message_ts
            )
        )

    async def edit_queued(self, turn_id: UUID, *, prompt: str) -> bool:
        """Replace what was asked; False when the turn has begun."""
        edited = update(turns).where(turns.c.id == turn_id, _is_queued(turns)).values(prompt=prompt)
        return await self._one(edited.returning(*FIELDS)) is not None

    async def withdraw_queued(self, turn_id: UUID) -> bool:
        """Stop a turn that has not begun, as when its message is deleted; False when it has."""
        return await self._end(turns.c.id == turn_id, _is_queued(turns), state=TurnState.STOPPED) != []

    async def claim_next(self, *, replica: str, lease: timedelta) -> Turn | None:
        """Make the oldest turn that may run ours, and its project's folder for ``lease``; None when there is none.

        In order within a conversation, in parallel across. A replica must hold its own lease before it claims, or
        ``interrupt_lost`` takes the turn for lost.
        """
        elsewhere: list[UUID] = []
        while (found := (await self._tx.execute(_candidate(replica, elsewhere))).one_or_none()) is not None:
            if not await Leases(self._tx).acquire(project_lease(found.project_id), holder=replica, ttl=lease):
                elsewhere.append(found.project_id)
            elif (turn := await self._begin(found.id, replica)) is not None:
                return turn
        return None

    async def _begin(self, turn_id: UUID, replica: str) -> Turn | None:
        begun = update(turns).where(turns.c.id == turn_id)
        begun = begun.values(state=TurnState.RUNNING, replica=replica, started_at=func.now())
        try:
            async with self._tx.begin_nested():
                return await self._one(begun.returning(*FIELDS))
        except IntegrityError:
            # Another turn of the conversation began after we looked (its hold had just been released).
            return None

    async def set_reply(self, turn_id: UUID, *, reply_ts: Sequence[str]) -> None:
        """Remember the messages of the turn's reply."""
        await self._tx.execute(update(turns).where(turns.c.id == turn_id).values(reply_ts=list(reply_ts)))

    async def set_hold(self, turn_id: UUID, hold: Hold | None) -> None:
        """Keep a queued turn from being claimed, or let it go."""
        await self._tx.execute(
            update(turns).where(turns.c.id == turn_id, _is_queued(turns)).values(hold=hold)
        )
        await self._ring()

    async def hold_claimed(self, turn_id: UUID, hold: Hold) -> None:
        """Put a turn that was claimed back in the queue, to wait for what ``hold`` says."""
        back = {"state": TurnState.QUEUED, "hold": hold, "replica": None, "started_at": None}
        await self._tx.execute(update(turns).where(turns.c.id == turn_id, _is_active(turns)).values(back))
        await self._ring()

    async def previous(self, turn: Turn) -> Turn | None:
        """The turn of the same conversation that was run last before this one."""
        run = (turns.c.conversation_id == turn.conversation_id) & turns.c.started_at.is_not(None)
        earlier = select(*FIELDS).where(run, turns.c.id != turn.id)
        return await self._one(earlier.order_by(turns.c.started_at.desc()).limit(1))

    async def set_state(self, turn_id: UUID, state: TurnState) -> None:
        """Between running and waiting; a turn that is not active stays as it is."""
        if state not in ACTIVE:
            raise ValueError(f"a turn becomes {state} by claim_next or finish")
        await self._tx.execute(
            update(turns).where(turns.c.id == turn_id, _is_active(turns)).values(state=state)
        )

    async def request_stop(self, turn_id: UUID, *, by: str) -> Turn | None:
        """Stop a queued turn at once, ask the replica of an active one to stop it; None when there is nothing to stop.

        ``by`` is the Slack user; the first who asks is remembered.
        """
        asker = func.coalesce(turns.c.stop_requested_by, by)
        asked = update(turns).where(turns.c.id == turn_id, _is_open(turns)).values(stop_requested_by=asker)
        turn = await self._one(asked.returning(*FIELDS))
        if turn is None:
            return None
        if turn.state is TurnState.QUEUED:
            return await self.finish(turn_id, state=TurnState.STOPPED)
        await self._ring()
        return turn

    async def finish(self, turn_id: UUID, *, state: TurnState, error: str | None = None) -> Turn:
        """End a turn, and return it as it is now; one that was over before is not changed.

        Raises ``UnknownTurnError`` when there is no such turn.
        """
        if not state.is_over:
            raise ValueError(f"a turn does not end as {state}")
        ended = await self._end(turns.c.id == turn_id, _is_open(turns), state=state, error=error)
        turn = ended[0] if ended else await self.get(turn_id)
        if turn is None:
            raise UnknownTurnError(str(turn_id))
        return turn

    async def release_held(self, *, team_id: str, sender_id: str, hold: Hold) -> list[Turn]:
        """Let the sender's held turns go, oldest first."""
        held = (turns.c.team_id == team_id) & (turns.c.sender_id == sender_id) & (turns.c.hold == hold)
        released = await self._all(
            update(turns).where(held, _is_queued(turns)).values(hold=None).returning(*FIELDS)
        )
        if released:
            await self._ring()
        return sorted(released, key=lambda turn: turn.created_at)

    async def release_signed_in(self) -> int:
        """Let turns go whose senders have signed in meanwhile; returns how many."""
        signed_in = exists().where(
            identities.c.team_id == turns.c.team_id, identities.c.user_id == turns.c.sender_id
        )
        held = turns.c.hold == Hold.SIGN_IN
        released = await self._all(
            update(turns).where(held, _is_queued(turns), signed_in).values(hold=None).returning(*FIELDS)
        )
        if released:
            await self._ring()
        return len(released)

    async def active(
        self, *, team_id: str, channel_id: str | None = None, thread_ts: str | None = None
    ) -> list[Turn]:
        """The turns that are not over, in a team, a channel or a thread; oldest first."""
        where = [turns.c.team_id == team_id, _is_open(turns)]
        if channel_id is not None:
            where.append(turns.c.channel_id == channel_id)
        if thread_ts is not None:
            where.append(turns.c.thread_ts == thread_ts)
        return await self._all(select(*FIELDS).where(*where).order_by(turns.c.position))

    async def running_on(self, replica: str) -> list[Turn]:
        """The active turns that this replica claimed, oldest first."""
        mine = select(*FIELDS).where(_is_active(turns), turns.c.replica == replica)
        return await self._all(mine.order_by(turns.c.position))

    async def stop_requested(self, replica: str) -> list[Turn]:
        """The active turns of this replica that somebody wants stopped."""
        asked = turns.c.stop_requested_by.is_not(None)
        return await self._all(select(*FIELDS).where(_is_active(turns), turns.c.replica == replica, asked))

    async def interrupt_lost(self) -> list[Turn]:
        """End the active turns whose replica is gone; no two replicas get the same."""
        alive = select(leases.c.name).where(leases.c.expires_at > func.clock_timestamp())
        lost = _is_active(turns) & (literal(replica_lease("")) + func.coalesce(turns.c.replica, "")).not_in(
            alive
        )
        locked = select(turns.c.id).where(lost).with_for_update(skip_locked=True)
        return await self._end(turns.c.id.in_(locked), state=TurnState.INTERRUPTED)

    async def ahead_of(self, turn_id: UUID) -> int:
        """How many turns of the conversation must end before this one can begin."""
        this = turns.alias("this")
        older = (turns.c.conversation_id == this.c.conversation_id) & (turns.c.position < this.c.position)
        counted = select(func.count()).select_from(turns.join(this, older))
        return (
            await self._tx.scalar(
                counted.where(this.c.id == turn_id, or_(_is_active(turns), _is_claimable(turns)))
            )
            or 0
        )

    async def _end(
        self, *where: ColumnElement[bool], state: TurnState, error: str | None = None
    ) -> list[Turn]:
        ended = (
            update(turns).where(*where).values(state=state, error=error, hold=None, finished_at=func.now())
        )
        over = await self._all(ended.returning(*FIELDS))
        if over:
            await self._ring()
        return over

    async def _one(self, statement: Executable) -> Turn | None:
        row = (await self._tx.execute(statement)).mappings().one_or_none()
        return None if row is None else _turn(row)

    async def _all(self, statement: Executable) -> list[Turn]:
        return [_turn(row) for row in (await self._tx.execute(statement)).mappings()]

    async def _ring(self) -> None:
        await database.notify(self._tx, channel=CHANNEL)


@dataclass(frozen=True, kw_only=True)
class Message:
    """What was said in a turn, as it is shown to a later session or reader."""

    id: int
    turn_id: UUID
    role: Role
    kind: str
    content: dict[str, Any]
    created_at: datetime


class Messages:
    """The messages of turns, within one transaction."""

    def __init__(self, tx: AsyncSession) -> None:
        self._tx = tx

    async def add(self, turn_id: UUID, *, role: Role, kind: str, content: Mapping[str, Any]) -> None:
        """Add a message at the end of its turn."""
        await self._tx.execute(
            insert(messages).values(turn_id=turn_id, role=role, kind=kind, content=dict(content))
        )

    async def for_turn(self, turn_id: UUID) -> list[Message]:
        """What was said in a turn, in order."""
        statement = select(messages).where(messages.c.turn_id == turn_id).order_by(messages.c.id)
        return [Message(**row) for row in (await self._tx.execute(statement)).mappings()]

    async def for_conversation(self, conversation_id: UUID, limit: int) -> list[Message]:
        """The last ``limit`` messages of a conversation, in order."""
        said = select(messages).join(turns).where(turns.c.conversation_id == conversation_id)
        newest = said.order_by(messages.c.id.desc()).limit(limit)
        return [Message(**row) for row in (await self._tx.execute(newest)).mappings()][::-1]


def _candidate(replica: str, elsewhere: Sequence[UUID]) -> Select[Any]:
    """Lock the oldest turn that is first in its line, in a conversation at rest, in a project that is free or ours.

    Busy conversations and leases of others are few: as lists they are read once and hashed, so that thousands of turns
    that wait behind them are passed over in a few milliseconds.
    """
    other = turns.alias("other")
    busy = select(other.c.conversation_id).where(_is_active(other))
    away = select(leases.c.name).where(leases.c.holder != replica, leases.c.expires_at > func.now())
    preceded = exists().where(
        other.c.conversation_id == turns.c.conversation_id,
        _is_claimable(other),
        other.c.position < turns.c.position,
    )
    return (
        select(turns.c.id, turns.c.project_id)
        .where(
            _is_claimable(turns),
            turns.c.project_id.not_in(elsewhere),
            turns.c.conversation_id.not_in(busy),
            (literal(project_lease("")) + cast(turns.c.project_id, Text)).not_in(away),
            ~preceded,
        )
        .order_by(turns.c.position)
        .limit(1)
        .with_for_update(skip_locked=True, of=turns)
    )


# States are written into the statements as constants: with parameters, a prepared plan could not use the partial
# indexes.


def _is_in(rows: FromClause, states: Iterable[TurnState]) -> ColumnElement[bool]:
    return rows.c.state.in_([literal_column(f"'{state}'") for state in states])


def _is_queued(rows: FromClause) -> ColumnElement[bool]:
    return rows.c.state == literal_column(f"'{TurnState.QUEUED}'")


def _is_claimable(rows: FromClause) -> ColumnElement[bool]:
    return and_(_is_queued(rows), rows.c.hold.is_(None))


def _is_active(rows: FromClause) -> ColumnElement[bool]:
    return _is_in(rows, ACTIVE)


def _is_open(rows: FromClause) -> ColumnElement[bool]:
    return _is_in(rows, OPEN)


def _turn(row: RowMapping) -> Turn:
    hold = row["hold"]
    return Turn(
        **{
            **row,
            "state": TurnState(row["state"]),
            "hold": None if hold is None else Hold(hold),
            "reply_ts": tuple(row["reply_ts"]),
        }
    )
