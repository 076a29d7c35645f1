"""The edits of one message: one at a time, the newest state wins, and who waits for it is told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from bot.replies import errors
from bot.views import content

#: A state, or what makes it at the moment in which it leaves.
Source = content.Content | Callable[[], content.Content]


class Priority(IntEnum):
    """Who goes first when tokens are scarce."""

    FINAL = 0
    FIRST_TEXT = 1
    ORDINARY = 2


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A state on its way to Slack."""

    source: Source
    version: int
    priority: Priority

    def content(self) -> content.Content:
        return self.source() if callable(self.source) else self.source


@dataclass(kw_only=True, eq=False)
class Lane:
    """A message that is being edited. Times are those of the outbox's clock."""

    channel: str
    ts: str
    thread_ts: str | None = None
    pending: Source | None = None
    priority: Priority = Priority.ORDINARY
    is_final: bool = False
    version: int = 0
    sent: content.Content | None = None
    sent_at: float = float("-inf")
    changed_at: float = 0.0
    retry_at: float = float("-inf")
    failing_since: float | None = None
    failures: int = 0
    is_busy: bool = False
    #: Slack refused the blocks; from here on it gets words.
    is_plain: bool = False
    #: The message cannot be edited any more; the final state goes into a new one.
    is_gone: bool = False
    #: Why nothing can be brought there any more.
    lost: str | None = None
    _waiting: list[tuple[int, asyncio.Future[None]]] = field(default_factory=list)

    def posted(self, said: content.Content, *, thread_ts: str | None, now: float) -> None:
        """The message was posted with this content, which therefore need not be sent again."""
        self.sent, self.sent_at, self.changed_at, self.thread_ts = said, now, now, thread_ts

    def put(self, source: Source, *, priority: Priority, now: float) -> None:
        """A newer state. The urgency of one that has not left yet passes on to it."""
        self.pending = source
        self.priority = min(self.priority, priority)
        self.is_final = self.is_final or priority is Priority.FINAL
        self.version += 1
        self.changed_at = now

    def begin(self) -> Attempt:
        if self.pending is None:
            raise LookupError("there is nothing to send in this lane")
        attempt = Attempt(source=self.pending, version=self.version, priority=self.priority)
        self.pending, self.priority, self.is_busy = None, Priority.ORDINARY, True
        return attempt

    def put_back(self, attempt: Attempt) -> None:
        """The attempt failed: its state is still the newest, or its urgency goes to the newer one."""
        if self.pending is None:
            self.pending = attempt.source
        self.priority = min(self.priority, attempt.priority)

    def arrived(self, attempt: Attempt, said: content.Content, *, now: float) -> None:
        self.sent, self.sent_at = said, now
        self.failures, self.failing_since = 0, None
        self.settle(attempt.version)

    def settle(self, version: int) -> None:
        """Tell those who wait for ``version`` or an older one that it is on Slack."""
        for wanted, future in self._waiting:
            if wanted <= version and not future.done():
                future.set_result(None)
        self._waiting = [(wanted, future) for wanted, future in self._waiting if wanted > version]

    def lose(self, reason: str) -> None:
        """Nothing more will be tried here."""
        self.lost = reason
        self.pending = None
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(errors.ReplyError(reason))
        self._waiting.clear()

    async def flushed(self) -> None:
        if self.lost is not None:
            raise errors.ReplyError(self.lost)
        if self.pending is None and not self.is_busy:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((self.version, future))
        await future
