"""Claims turns and runs them: in order within a conversation, in parallel across.

Postgres decides who runs what (``storage.turns``); this is the loop that asks. It is woken by a local ``wake`` or by a
notification from another replica, and polls besides, because a database that scales to zero forgets listeners.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import structlog

from agent import turn as turn_module
from storage import database, leases, turns
from storage import errors as storage_errors

log = structlog.get_logger(__name__)

POLL_SECONDS = 2.0
RETRY_SECONDS = 1.0  # pause after the database failed
LEASE = timedelta(seconds=60)
HEARTBEAT_SECONDS = 15.0
LAST_WAIT = 5.0  # seconds for interrupted turns to store their outcome


class Dispatcher:
    """The claim loop of one replica; ``run`` it as a task, ``drain`` it before leaving."""

    def __init__(
        self,
        *,
        database: database.Database,
        runner: turn_module.TurnRunner,
        replica: str,
        max_running: int,
        on_lost: Callable[[turns.Turn], None],
    ) -> None:
        self._database = database
        self._runner = runner
        self._replica = replica
        self._max_running = max_running
        self._on_lost = on_lost
        self._wake = asyncio.Event()
        self._accepting = True
        self._claiming = asyncio.Lock()
        self._orphans: set[UUID] = set()
        self._running: dict[UUID, turn_module.Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """There may be something to claim or to stop."""
        self._wake.set()

    @property
    def running(self) -> int:
        return len(self._running)

    async def run(self) -> None:
        """Claim and start turns until cancelled."""
        while True:
            # Cleared before looking: what arrives while we look wakes the next round.
            self._wake.clear()
            try:
                await self._stop_requested()
                while len(self._running) < self._max_running and await self._claim():
                    pass
            except storage_errors.DatabaseUnavailableError as error:
                log.warning("no turns claimed", error=str(error))
                await asyncio.sleep(RETRY_SECONDS)
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def heartbeat(self) -> None:
        """Say that this replica lives, and end the turns of those that do not; for the schedule."""
        async with self._database.transaction() as tx:
            held = leases.Leases(tx)
            await held.acquire(leases.replica_lease(self._replica), holder=self._replica, ttl=LEASE)
            await held.extend_all(self._replica, ttl=LEASE)
            lost = [*await turns.Turns(tx).interrupt_lost(), *await self._end_orphans(turns.Turns(tx))]
        for turn in lost:
            log.warning("turn lost with its replica", turn=str(turn.id), replica=turn.replica)
            self._on_lost(turn)

    async def drain(self, *, grace: float) -> None:
        """Claim nothing more; let running turns end for ``grace`` seconds, then interrupt them."""
        self._accepting = False
        async with self._claiming:
            # A claim that was under way has become a task now.
            tasks = tuple(self._tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=grace)
        for running in self._running.values():
            running.end("interrupted")
        if self._tasks:
            _, pending = await asyncio.wait(self._tasks, timeout=LAST_WAIT)
            for task in pending:
                log.error("turn left without its outcome stored", task=task.get_name())
                task.cancel()

    async def _claim(self) -> bool:
        async with self._claiming:
            if not self._accepting:
                return False
            async with self._database.transaction() as tx:
                turn = await turns.Turns(tx).claim_next(replica=self._replica, lease=LEASE)
            if turn is None:
                return False
            self._start(turn)
            return True

    def _start(self, turn: turns.Turn) -> None:
        running = turn_module.Running(turn=turn)
        self._running[turn.id] = running
        task = asyncio.create_task(self._runner.run(running), name=f"turn {turn.id}")
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._ended(turn, done))

    async def _end_orphans(self, repository: turns.Turns) -> list[turns.Turn]:
        """End the turns that are ours in the database but run nowhere, as at the last heartbeat already.

        They come from a claim whose commit we did not learn of, or an outcome that could not be stored.
        """
        ours = {turn.id for turn in await repository.running_on(self._replica)}
        before, self._orphans = self._orphans, ours - self._running.keys()
        return [
            await repository.finish(turn_id, state=turns.TurnState.INTERRUPTED)
            for turn_id in sorted(before & self._orphans)
        ]

    def _ended(self, turn: turns.Turn, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._running.pop(turn.id, None)
        if not task.cancelled() and task.exception() is not None:
            log.error("turn not brought to an end", turn=str(turn.id), exc_info=task.exception())
        self._wake.set()

    async def _stop_requested(self) -> None:
        if not self._running:
            return
        async with self._database.transaction() as tx:
            asked = await turns.Turns(tx).stop_requested(self._replica)
        for turn in asked:
            if turn.id in self._running:
                self._running[turn.id].end("stopped")
