"""The pool is bounded, fair, and lets go of whoever waits."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator

import pytest

from agent.databricks import errors
from agent.databricks.threads import CallPool


class Gate:
    """Calls that stay in their thread until they are let go."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.entered: list[str] = []
        self._arrivals = threading.Semaphore(0)

    async def arrivals(self, count: int) -> None:
        """Wait until that many more calls have got their thread."""
        for _ in range(count):
            assert await asyncio.to_thread(self._arrivals.acquire, timeout=5)

    def pass_through(self, name: str) -> str:
        self.entered.append(name)
        self._arrivals.release()
        assert self.open.wait(10)
        return name


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()
    await asyncio.sleep(0.05)


async def test_one_senders_slow_calls_leave_room_for_others(gate: Gate) -> None:
    pool = CallPool(threads=4, per_key=2)
    slow = [
        asyncio.create_task(pool.call("ada", gate.pass_through, f"ada{n}", timeout=10)) for n in range(10)
    ]
    await gate.arrivals(2)
    assert (pool.running, pool.waiting) == (2, 8)
    assert await pool.call("ben", lambda: "quick", timeout=2) == "quick"
    gate.open.set()
    assert await asyncio.gather(*slow) == [f"ada{n}" for n in range(10)]


async def test_never_more_threads_than_allowed() -> None:
    pool, most, lock, now = CallPool(threads=3, per_key=2), 0, threading.Lock(), 0

    def work() -> None:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.01)
        with lock:
            now -= 1

    await asyncio.gather(*(pool.call(f"sender{n % 5}", work, timeout=10) for n in range(30)))
    assert most == 3


async def test_within_a_sender_first_come_is_first_served() -> None:
    pool, order = CallPool(threads=2, per_key=1), list[int]()
    await asyncio.gather(*(pool.call("ada", order.append, n, timeout=5) for n in range(20)))
    assert order == list(range(20))


async def test_senders_take_turns(gate: Gate) -> None:
    pool = CallPool(threads=1, per_key=1)
    first = asyncio.create_task(pool.call("ada", gate.pass_through, "ada0", timeout=10))
    await gate.arrivals(1)
    rest = [
        asyncio.create_task(pool.call(name[:3], gate.pass_through, name, timeout=10))
        for name in ("ada1", "ada2", "ben1", "ben2")
    ]
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(first, *rest)
    assert gate.entered == ["ada0", "ada1", "ben1", "ada2", "ben2"]


async def test_a_cancelled_caller_leaves_at_once_and_its_thread_keeps_its_place(gate: Gate) -> None:
    pool = CallPool(threads=1, per_key=1)
    task = asyncio.create_task(pool.call("ada", gate.pass_through, "held", timeout=10))
    await gate.arrivals(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert pool.running == 1
    with pytest.raises(errors.CallTimeoutError):
        await pool.call("ben", lambda: None, timeout=0.05)


async def test_a_call_cancelled_before_its_thread_is_never_made(gate: Gate) -> None:
    pool = CallPool(threads=1, per_key=1)
    first = asyncio.create_task(pool.call("ada", gate.pass_through, "first", timeout=10))
    await gate.arrivals(1)
    second = asyncio.create_task(pool.call("ada", gate.pass_through, "second", timeout=10))
    await asyncio.sleep(0)
    second.cancel()
    gate.open.set()
    await first
    assert await pool.call("ada", lambda: gate.entered, timeout=5) == ["first"]


async def test_one_call_too_many_is_refused(gate: Gate) -> None:
    pool = CallPool(threads=1, per_key=1, waiting_per_key=1)
    held = [asyncio.create_task(pool.call("ada", gate.pass_through, "x", timeout=10)) for _ in range(2)]
    await gate.arrivals(1)
    with pytest.raises(errors.PoolBusyError):
        await pool.call("ada", lambda: None, timeout=1)
    gate.open.set()
    await asyncio.gather(*held)


async def test_a_timeout_of_the_call_itself_is_not_taken_for_ours() -> None:
    def fail() -> None:
        raise TimeoutError("of the SDK")

    with pytest.raises(TimeoutError, match="of the SDK"):
        await CallPool().call("ada", fail, timeout=5)


async def test_a_closed_pool_finishes_what_it_has_and_takes_no_more() -> None:
    pool = CallPool(threads=1, per_key=1)
    made = [asyncio.create_task(pool.call("ada", time.sleep, 0.02, timeout=5)) for _ in range(3)]
    await asyncio.sleep(0)
    await pool.close()
    assert await asyncio.gather(*made) == [None, None, None]
    with pytest.raises(errors.PoolClosedError):
        await pool.call("ada", lambda: None, timeout=1)


async def test_calls_still_waiting_when_the_grace_is_over_are_told(gate: Gate) -> None:
    pool = CallPool(threads=1, per_key=1)
    held = asyncio.create_task(pool.call("ada", gate.pass_through, "held", timeout=10))
    waiting = asyncio.create_task(pool.call("ada", gate.pass_through, "waiting", timeout=10))
    await gate.arrivals(1)
    await pool.close(grace=0.01)
    with pytest.raises(errors.PoolClosedError):
        await waiting
    gate.open.set()
    assert await held == "held"
