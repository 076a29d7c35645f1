"""Who wants to know that something changed: waiting tests, and the browsers that look at the page."""

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sandbox.slack.values import Json

T = TypeVar("T")

# A predicate may look at something beyond this Slack, whose changes wake nobody here.
RECHECK_SECONDS = 0.2
_QUEUE_SIZE = 1_000


class Changes:
    """Wakes waiters and feeds page subscribers."""

    def __init__(self) -> None:
        self._next = asyncio.Event()
        self._pages: dict[asyncio.Queue[Json], str] = {}

    def publish(self, change: Json | None = None, *, only: Collection[str] | None = None) -> None:
        """Wake every waiter, and show ``change`` to the pages of ``only`` these users (everybody by default)."""
        self._next.set()
        self._next = asyncio.Event()
        if change is None:
            return
        for queue, user in self._pages.items():
            if (only is None or user in only) and not queue.full():
                queue.put_nowait(change)

    @contextmanager
    def page(self, user: str) -> Iterator[asyncio.Queue[Json]]:
        """The stream of changes that this user's open page shows."""
        queue: asyncio.Queue[Json] = asyncio.Queue(_QUEUE_SIZE)
        self._pages[queue] = user
        try:
            yield queue
        finally:
            del self._pages[queue]

    async def wait_for(self, predicate: Callable[[], T | None], *, within: float) -> T:
        """The first truthy value of ``predicate``, asked anew after each change; ``TimeoutError`` otherwise."""
        deadline = asyncio.get_running_loop().time() + within
        while True:
            # Taken before the question, so that a change during the question is not slept through.
            change = self._next
            value = predicate()
            if value:
                return value
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                raise TimeoutError(
                    f"The awaited state of the sandbox's Slack did not come within {within:g} s."
                )
            await _until(change, at_most=min(left, RECHECK_SECONDS))


async def _until(change: asyncio.Event, *, at_most: float) -> None:
    try:
        async with asyncio.timeout(at_most):
            await change.wait()
    except TimeoutError:
        return
