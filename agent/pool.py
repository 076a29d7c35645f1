"""Warm sessions: one per conversation, kept for the next message, evicted by idle time and by count.

A warm client answers about ten times sooner than one that has to start, but costs some 110 MiB (measured with the
bundled CLI). A session is handed out to one turn at a time, and only if the conversation's last turn was its own;
otherwise another replica has moved the conversation on and the session is replaced by one that resumes.
"""

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any
from uuid import UUID

import prometheus_client
import structlog

from agent import session as sessions

log = structlog.get_logger(__name__)

LIVE = prometheus_client.Gauge("bricklayer_sessions", "Live Claude sessions.")
STARTS = prometheus_client.Counter("bricklayer_session_starts", "Claude sessions started.", ["kind"])

CONCURRENT_STARTS = 2  # a start costs half a CPU second


class SessionPool:
    """Hands out sessions; ``max_sessions`` bounds idle and busy ones together."""

    def __init__(
        self,
        *,
        new: Callable[[sessions.Spec], sessions.Session],
        max_sessions: int,
        idle_seconds: float,
    ) -> None:
        self._new = new
        self._max_sessions = max_sessions
        self._idle_seconds = idle_seconds
        self._slots = asyncio.Semaphore(max_sessions)
        self._starts = asyncio.Semaphore(CONCURRENT_STARTS)
        self._idle: OrderedDict[UUID, sessions.Session] = OrderedDict()
        self._busy = 0
        self._closings: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def session(self, spec: sessions.Spec, *, follows: UUID | None) -> AsyncIterator[sessions.Session]:
        """A session for one turn; ``follows`` is the conversation's turn before this one.

        Waits while all sessions are busy. Raises SessionStartError. A session that raised is not used again.
        """
        async with self._slots:
            self._busy += 1
            try:
                session = await self._warm_or_started(spec, follows)
                try:
                    yield session
                except BaseException:
                    session.alive = False
                    raise
                finally:
                    self._put_back(session)
            finally:
                self._busy -= 1
                LIVE.set(len(self._idle) + self._busy)

    async def evict_idle(self) -> None:
        """Close the sessions that have idled longer than the limit or whose process is gone."""
        now = time.monotonic()
        for key, session in list(self._idle.items()):
            if not session.alive or now - session.used_at > self._idle_seconds:
                del self._idle[key]
                self._close_aside(session)

    async def close(self) -> None:
        """Close every idle session; the busy ones close as their turns end."""
        self._idle_seconds = 0.0
        self._max_sessions = 0
        while self._idle:
            self._close_aside(self._idle.popitem()[1])
        await asyncio.gather(*self._closings, return_exceptions=True)

    async def _warm_or_started(self, spec: sessions.Spec, follows: UUID | None) -> sessions.Session:
        warm = self._idle.pop(spec.conversation_id, None)
        if warm is not None:
            if warm.alive and warm.last_turn_id == follows:
                return warm
            self._close_aside(warm)
        self._make_room()
        async with self._starts:
            session = self._new(spec)
            await session.start()
        STARTS.labels(kind="resumed" if spec.resume else "fresh").inc()
        return session

    def _make_room(self) -> None:
        while self._idle and len(self._idle) + self._busy > self._max_sessions:
            self._close_aside(self._idle.popitem(last=False)[1])

    def _put_back(self, session: sessions.Session) -> None:
        if session.alive and self._max_sessions > 0:
            self._idle[session.spec.conversation_id] = session
        else:
            self._close_aside(session)

    def _close_aside(self, session: sessions.Session) -> None:
        self._own(session.close(), name=f"close session {session.session_id}")

    def _own(self, closing: Coroutine[Any, Any, None], *, name: str) -> None:
        task = asyncio.create_task(closing, name=name)
        self._closings.add(task)
        task.add_done_callback(self._closed)

    def _closed(self, task: asyncio.Task[None]) -> None:
        self._closings.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("session not closed cleanly", task=task.get_name(), error=repr(task.exception()))
