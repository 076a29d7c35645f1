"""One turn from claim to end.

The runner makes sure of everything a turn needs (identity, folder, session), lets the session answer, and stores the
outcome: messages, usage and transcript in the one transaction that ends the turn. People are shown what happens through
a ``Reply`` that the bot implements; this module knows neither Slack nor SQL.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Literal, Protocol

import prometheus_client
import structlog
import tenacity

from agent import errors, events, pool, prompt, record, session, workdir
from agent.databricks import identities, threads
from agent.tools import registry
from storage import conversations, database, projects, turns
from storage import errors as storage_errors

log = structlog.get_logger(__name__)

COMMIT_GRACE = 5.0  # seconds that people wait for the database before they see the answer anyway
COMMIT_PATIENCE = 900.0  # seconds for which an outcome is kept for a database that is away

TURNS = prometheus_client.Counter("bricklayer_turns", "Turns that ended.", ["outcome"])
TURN_SECONDS = prometheus_client.Histogram(
    "bricklayer_turn_seconds",
    "From claim to end of a turn.",
    buckets=(1, 2, 5, 10, 30, 60, 120, 300, 900, 3600),
)


class Reply(Protocol):
    """What people see of a turn."""

    def push(self, event: events.Event) -> None:
        """Show this too, as soon as the rate limits allow; never blocks."""

    async def close(self) -> None:
        """Return when the final state is shown, or cannot be."""


class Front(Protocol):
    """What a turn needs from the side that talks to people."""

    async def reply(self, turn: turns.Turn) -> Reply:
        """The turn's reply: the one that is open already, or a new one."""

    def conclude(self, turn: turns.Turn, reply: Reply) -> None:
        """The reply has its final state: see that it is shown. The turn does not wait for it."""

    async def sender_name(self, turn: turns.Turn) -> str:
        """What people call the sender."""

    async def earlier(self, turn: turns.Turn) -> str:
        """What the thread said before its first turn; empty for later turns."""

    async def ask_to_sign_in(self, turn: turns.Turn) -> None:
        """Ask the sender, in private, to link a Databricks account; the turn goes on by itself afterwards."""


@dataclass(kw_only=True)
class Running:
    """A turn that runs here, and how to end it early."""

    turn: turns.Turn
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    #: What an early end means: a person pressed Stop, or this replica is going away.
    because: Literal["stopped", "interrupted"] = "stopped"

    def end(self, because: Literal["stopped", "interrupted"]) -> None:
        """Ask the turn to end; the first reason stays."""
        if not self.stop.is_set():
            self.because = because
            self.stop.set()


@dataclass(frozen=True, kw_only=True)
class _Ground:
    """What was looked up before a turn could run."""

    conversation: conversations.Conversation
    project: projects.Project
    folders: workdir.Workdir
    identity: identities.ActingIdentity
    sender: str
    #: The conversation's turn before this one; ``None`` for the first.
    follows: turns.Turn | None


@dataclass(kw_only=True)
class _Run:
    """What is known of a turn while it runs; ``leaves`` is what stays of it."""

    running: Running
    reply: Reply
    started: float = field(default_factory=time.monotonic)
    leaves: record.Record = field(default_factory=record.Record)
    ground: _Ground | None = None
    live: session.Session | None = None
    before: workdir.Fingerprint = field(default_factory=dict)

    @property
    def turn(self) -> turns.Turn:
        return self.running.turn

    def emit(self, event: events.Event) -> None:
        self.leaves.add(event)
        self.reply.push(event)


class TurnRunner:
    """Runs claimed turns; one instance serves all conversations of this process."""

    def __init__(
        self,
        *,
        database: database.Database,
        front: Front,
        identities: identities.IdentityService,
        workdirs: workdir.Workdirs,
        sessions: pool.SessionPool,
        calls: threads.CallPool,
    ) -> None:
        self._database = database
        self._front = front
        self._identities = identities
        self._workdirs = workdirs
        self._sessions = sessions
        self._calls = calls

    async def run(self, running: Running) -> None:
        """Run one claimed turn to its end; whatever goes wrong becomes the turn's outcome."""
        run = _Run(running=running, reply=await self._front.reply(running.turn))
        try:
            run.ground = await self._ground(run.turn)
            if run.ground is None:
                await self._wait_for_sign_in(run.turn)
                return
            run.reply.push(events.Working(acting_as=run.ground.identity.user_name))
            answer = await self._converse(run, run.ground)
        except (errors.AgentError, storage_errors.StorageError) as error:
            answer = session.Answer(outcome="failed", text="", usage=events.Usage(), error=str(error))
        except Exception:
            log.exception("turn crashed", **_ids(run.turn))
            answer = session.Answer(
                outcome="failed", text="", usage=events.Usage(), error=errors.AgentError.sentence
            )
        await self._end(run, answer)

    async def _ground(self, turn: turns.Turn) -> _Ground | None:
        identity = await self._identities.identity_for(turn.team_id, turn.sender_id)
        if identity is None:
            return None
        async with self._database.transaction() as tx:
            conversation = await conversations.Conversations(tx).get(turn.conversation_id)
            project = await projects.Projects(tx).get(turn.project_id)
            follows = await turns.Turns(tx).previous(turn)
        if conversation is None or project is None:
            raise errors.TurnOverError
        return _Ground(
            conversation=conversation,
            project=project,
            folders=await self._workdirs.prepare(project.id),
            identity=identity,
            sender=await self._front.sender_name(turn),
            follows=follows,
        )

    async def _wait_for_sign_in(self, turn: turns.Turn) -> None:
        async with self._database.transaction() as tx:
            await turns.Turns(tx).hold_claimed(turn.id, turns.Hold.SIGN_IN)
        if await self._identities.identity_for(turn.team_id, turn.sender_id) is not None:
            # Signed in between our look and the hold: nobody else would let the turn go.
            async with self._database.transaction() as tx:
                await turns.Turns(tx).release_held(
                    team_id=turn.team_id, sender_id=turn.sender_id, hold=turns.Hold.SIGN_IN
                )
            return
        log.info("turn waits for a sign-in", **_ids(turn))
        await self._front.ask_to_sign_in(turn)

    async def _converse(self, run: _Run, ground: _Ground) -> session.Answer:
        spec = session.Spec(
            conversation_id=ground.conversation.id,
            project_id=ground.project.id,
            project_name=ground.project.name,
            workdir=ground.folders,
            resume=ground.conversation.session_id,
        )
        message = prompt.message(
            text=run.turn.prompt,
            sender=prompt.Sender(name=ground.sender, acting_as=ground.identity.user_name),
            earlier=await self._front.earlier(run.turn) if ground.conversation.session_id is None else "",
        )
        follows = ground.follows.id if ground.follows else None
        async with self._sessions.session(spec, follows=follows) as live:
            run.live = live
            run.before = await ground.folders.fingerprint()
            return await self._answer(run, ground, live, message)

    async def _answer(
        self, run: _Run, ground: _Ground, live: session.Session, message: str
    ) -> session.Answer:
        if run.running.stop.is_set():
            return session.Answer(outcome="stopped", text="", usage=events.Usage())
        call = registry.ToolCall(
            turn_id=run.turn.id,
            team_id=run.turn.team_id,
            sender_id=run.turn.sender_id,
            project_id=str(ground.project.id),
            project_dir=ground.folders.project,
            policy=ground.project.policy.value,
            identity=ground.identity,
            pool=self._calls,
            log=log.bind(**_ids(run.turn)),
        )
        watch = asyncio.create_task(_interrupt_on(run.running.stop, live), name=f"watch stop {run.turn.id}")
        try:
            return await live.run(turn_id=run.turn.id, message=message, call=call, emit=run.emit)
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    async def _end(self, run: _Run, answer: session.Answer) -> None:
        outcome: turns.TurnState = turns.TurnState(answer.outcome)
        if answer.outcome == "stopped":
            outcome = turns.TurnState(run.running.because)
        finished = events.Finished(
            outcome=_spoken_outcome(outcome),
            duration=time.monotonic() - run.started,
            usage=answer.usage,
            error=answer.error,
            acting_as=run.ground.identity.user_name if run.ground else None,
            changed_files=await self._changed(run),
        )
        commit = asyncio.create_task(self._commit(run, finished), name=f"commit turn {run.turn.id}")
        # The outcome outlives this task: a stop of the service must not leave a finished turn open.
        await asyncio.wait({commit}, timeout=COMMIT_GRACE)
        run.reply.push(finished)
        TURNS.labels(outcome=finished.outcome).inc()
        TURN_SECONDS.observe(finished.duration)
        log.info(
            "turn ended",
            outcome=finished.outcome,
            seconds=round(finished.duration, 3),
            cost_usd=round(finished.usage.cost_usd, 6),
            error=finished.error,
            **_ids(run.turn),
        )
        self._front.conclude(run.turn, run.reply)
        await commit

    async def _changed(self, run: _Run) -> tuple[str, ...]:
        if run.ground is None or run.live is None:
            return ()
        return workdir.changed_files(run.before, await run.ground.folders.fingerprint())

    async def _commit(self, run: _Run, finished: events.Finished) -> None:
        attempts = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(storage_errors.DatabaseUnavailableError),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=10),
            stop=tenacity.stop_after_delay(COMMIT_PATIENCE),
            reraise=True,
        )
        async for attempt in attempts:
            with attempt:
                if run.live is None:
                    await self._store(run, finished)
                    continue
                async with run.live.transcript.writer:
                    if await self._store(run, finished):
                        run.live.transcript.settle()

    async def _store(self, run: _Run, finished: events.Finished) -> bool:
        """One attempt at the turn's last transaction; whether it is the one that ended the turn, now or before.

        An attempt may have been committed although its connection broke, so a turn that is over is not stored again.
        """
        live, outcome = run.live, turns.TurnState(finished.outcome)
        async with self._database.transaction() as tx:
            now = await turns.Turns(tx).get(run.turn.id)
            if now is None or now.state.is_over:
                return now is not None and now.state is outcome
            await run.leaves.write(tx, turn=run.turn, finished=finished)
            if live is not None and live.transcript.begun:
                await live.transcript.write(tx)
                await conversations.Conversations(tx).set_session(run.turn.conversation_id, live.session_id)
            await turns.Turns(tx).finish(run.turn.id, state=outcome, error=finished.error)
        return True


async def _interrupt_on(stop: asyncio.Event, live: session.Session) -> None:
    await stop.wait()
    await live.interrupt()


def _spoken_outcome(state: turns.TurnState) -> Literal["done", "stopped", "failed", "interrupted"]:
    match state:
        case turns.TurnState.DONE:
            return "done"
        case turns.TurnState.STOPPED:
            return "stopped"
        case turns.TurnState.INTERRUPTED:
            return "interrupted"
        case _:
            return "failed"


def _ids(turn: turns.Turn) -> dict[str, str]:
    return {"turn": str(turn.id), "conversation": str(turn.conversation_id), "sender": turn.sender_id}
