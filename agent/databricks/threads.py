"""The threads in which the synchronous SDK runs.

A thread cannot be cancelled, so whoever waits is let go instead: a cancelled or impatient caller leaves at once, and
the thread keeps its place until it really ends, which the SDK's own timeouts bound. Places are limited in all and per
key (a sender), the next one goes to the key whose turn it is, and within a key first come is first served. One
sender's slow workspace can fill that sender's places, and no more.

A thread is made for each call (some 100 µs, beside a network round trip) and is a daemon: the threads of an executor
are joined at exit and would hold up a stop for as long as the slowest request.
"""

import asyncio
import contextlib
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar, TypeVarTuple

import structlog

from agent.databricks import errors

log = structlog.get_logger(__name__)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class PoolMetrics(Protocol):
    """What an observer of the pool is told; called on the event loop, seconds throughout."""

    def started(self, *, waited: float) -> None:
        """A call got its thread."""
        ...

    def ended(self, *, took: float, ok: bool, abandoned: bool) -> None:
        """A thread ended; ``abandoned`` when nobody waited for it any more."""
        ...


@dataclass(eq=False, kw_only=True)
class _Job:
    run: Callable[[], object]
    outcome: Future[Any]
    waiter: asyncio.Future[Any]
    queued_at: float
    started_at: float = 0.0


class CallPool:
    """Runs blocking calls in at most ``threads`` threads, at most ``per_key`` of them for one key.

    At most ``waiting_per_key`` further calls of a key wait; one more is refused with ``PoolBusyError``. To be used
    from one event loop.
    """

    def __init__(
        self,
        *,
        threads: int = 32,
        per_key: int = 4,
        waiting_per_key: int = 64,
        metrics: PoolMetrics | None = None,
    ) -> None:
        self._threads = threads
        self._per_key = per_key
        self._waiting_per_key = waiting_per_key
        self._metrics = metrics
        # Keys with waiting calls, in the order in which they get the next thread.
        self._waiting: OrderedDict[Hashable, deque[_Job]] = OrderedDict()
        self._running: dict[Hashable, int] = {}
        self._at_work: set[_Job] = set()
        self._closed = False

    @property
    def running(self) -> int:
        """Threads at work now, those included that nobody waits for any more."""
        return len(self._at_work)

    @property
    def waiting(self) -> int:
        """Calls without a thread yet."""
        return sum(not job.waiter.done() for jobs in self._waiting.values() for job in jobs)

    async def call(
        self,
        key: Hashable,
        fn: Callable[[*Ts], T],
        *args: *Ts,
        timeout: float,  # noqa: ASYNC109  it covers the wait for a thread and is reported as an error of ours
    ) -> T:
        """The result of ``fn(*args)``; ``timeout`` seconds include the wait for a thread.

        Raises what ``fn`` raises, ``CallTimeoutError``, ``PoolBusyError`` or ``PoolClosedError``. A cancelled caller
        leaves at once: a call that has no thread yet is then never made, one that has runs on unheard.
        """
        waiter = self.submit(key, fn, *args)
        try:
            async with asyncio.timeout(timeout) as limit:
                return await waiter
        except TimeoutError:
            # The call itself may have raised a TimeoutError; that one is the caller's to read.
            if limit.expired():
                raise errors.CallTimeoutError from None
            raise

    def submit(self, key: Hashable, fn: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """Make a call that need not be waited for, and is made although its caller is cancelled."""
        if self._closed:
            raise errors.PoolClosedError
        outcome: Future[T] = Future()
        waiter = asyncio.wrap_future(outcome)
        self._enqueue(
            key, _Job(run=partial(fn, *args), outcome=outcome, waiter=waiter, queued_at=time.monotonic())
        )
        return waiter

    async def close(self, *, grace: float = 2.0) -> None:
        """Refuse further calls, and give those made up to ``grace`` seconds; stop what makes calls before."""
        self._closed = True
        waiters = [job.waiter for jobs in self._waiting.values() for job in jobs]
        waiters += [job.waiter for job in self._at_work]
        if waiters:
            await asyncio.wait(waiters, timeout=grace)
        for job in [job for jobs in self._waiting.values() for job in jobs]:
            if job.outcome.set_running_or_notify_cancel():
                job.outcome.set_exception(errors.PoolClosedError())
        self._waiting.clear()

    def _enqueue(self, key: Hashable, job: _Job) -> None:
        waiting = deque(other for other in self._waiting.get(key, ()) if not other.waiter.done())
        if len(waiting) >= self._waiting_per_key:
            job.waiter.cancel()
            raise errors.PoolBusyError
        waiting.append(job)
        self._waiting[key] = waiting
        self._start_what_may()

    def _start_what_may(self) -> None:
        while self.running < self._threads:
            key = next((key for key in self._waiting if self._running.get(key, 0) < self._per_key), None)
            if key is None:
                return
            job = self._take(key)
            if job.outcome.set_running_or_notify_cancel():
                self._start(key, job)

    def _take(self, key: Hashable) -> _Job:
        """The key's oldest call; the key goes to the end of the row."""
        jobs = self._waiting[key]
        job = jobs.popleft()
        if jobs:
            self._waiting.move_to_end(key)
        else:
            del self._waiting[key]
        return job

    def _start(self, key: Hashable, job: _Job) -> None:
        job.started_at = time.monotonic()
        self._at_work.add(job)
        self._running[key] = self._running.get(key, 0) + 1
        if self._metrics is not None:
            self._metrics.started(waited=job.started_at - job.queued_at)
        loop = asyncio.get_running_loop()
        threading.Thread(
            target=self._work, args=(loop, key, job), name="databricks call", daemon=True
        ).start()

    def _work(self, loop: asyncio.AbstractEventLoop, key: Hashable, job: _Job) -> None:
        """Runs in the thread."""
        try:
            job.outcome.set_result(job.run())
        except BaseException as error:  # noqa: BLE001  whatever it is belongs to the caller, as with any future
            job.outcome.set_exception(error)
        # The loop is closed when the service ended before this call did: nobody is left to be told.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._ended, key, job)

    def _ended(self, key: Hashable, job: _Job) -> None:
        self._at_work.discard(job)
        self._running[key] -= 1
        if not self._running[key]:
            del self._running[key]
        error = job.outcome.exception()
        took = time.monotonic() - job.started_at
        abandoned = job.waiter.cancelled()
        if abandoned and error is not None:
            log.info("abandoned databricks call failed", error=type(error).__name__, seconds=round(took, 1))
        if self._metrics is not None:
            self._metrics.ended(took=took, ok=error is None, abandoned=abandoned)
        self._start_what_may()
