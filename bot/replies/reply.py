"""The Slack messages of one turn, from "Queued" to "Done".

``push`` folds and returns; what is shown is made when the outbox has room for it. One task per reply posts the messages
that a long answer needs, in order, and refreshes the elapsed time while nothing else happens. A message is given its
last content as soon as the next one stands, so only the last message of a reply ever changes.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

import structlog

from agent import events
from bot.replies import errors, outbox, posts, rates, state
from bot.views import content, messages

log = structlog.get_logger(__name__)

#: Seconds between two looks at a reply in which nothing happens; only the elapsed time changes then.
_TICK: Final = 15.0

OnPosted = Callable[[tuple[str, ...]], Awaitable[None]]


class Reply:
    """``on_posted`` hears all of the reply's ts whenever a message was added; ``on_closed`` that the reply is done with.

    ``reply_ts`` are the messages that an earlier process posted. What the turn said then may be pushed before ``open``
    and is shown in its place; otherwise it stays on Slack as it is, and the reply goes on after it.
    """

    def __init__(
        self,
        *,
        outbox: outbox.Outbox,
        channel: str,
        thread_ts: str | None,
        turn_id: str,
        clock: rates.Clock,
        on_posted: OnPosted,
        on_closed: Callable[[], object] | None = None,
        reply_ts: Sequence[str] = (),
    ) -> None:
        self._outbox = outbox
        self._channel = channel
        self._thread_ts = thread_ts
        self._turn_id = turn_id
        self._clock = clock
        self._on_posted = on_posted
        self._on_closed = on_closed
        self._state = state.ReplyState(turn_id=turn_id)
        self._began_at = clock()
        self._taken_over = tuple(reply_ts)
        self._ts: list[str] = []
        self._earlier: tuple[str, ...] = ()
        self._full = 0
        self._text_shown = False
        self._is_lost = False
        #: Whether the turn speaks here; before it does, another replica may claim it.
        self.is_at_work = False
        self._is_closing = False
        self._changed = asyncio.Event()
        self._opened = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None

    @property
    def reply_ts(self) -> tuple[str, ...]:
        """The messages of the reply, oldest first."""
        return (*self._earlier, *self._ts)

    async def open(self, *, state: messages.Queued | messages.Working) -> None:
        """Post the first message, or take over the existing ones; events may be pushed meanwhile.

        A place where nothing can be posted is logged, not raised: the turn's outcome is in the database all the same.
        """
        self._state.begin(state)
        self._start()
        await self._opened.wait()

    def show(self, state: messages.Queued | messages.Working) -> None:
        """How things stand while the turn has not begun; shown soon, because nothing may follow until a person acts."""
        self._state.begin(state)
        self._show(is_urgent=True)

    def leave(self) -> None:
        """Say nothing more: another replica goes on in these messages."""
        self._is_lost = True
        if self._writer is not None:
            self._writer.cancel()

    def push(self, event: events.Event) -> None:
        """Show ``event`` as soon as Slack's limits allow. Never blocks."""
        self.is_at_work = True
        if isinstance(event, events.Working):
            self._began_at = self._clock()
        if self._state.fold(event):
            self._show()

    async def close(self) -> None:
        """Return when the final state is on Slack, or was given up. A turn that never finished shows as interrupted."""
        if not self._state.is_over:
            self.push(events.Finished(outcome="interrupted", duration=self._elapsed()))
        self._is_closing = True
        self._changed.set()
        try:
            await self._start()
        finally:
            if self._on_closed is not None:
                self._on_closed()

    def _start(self) -> asyncio.Task[None]:
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name=f"reply {self._turn_id}")
        return self._writer

    async def _write(self) -> None:
        try:
            await self._take_over()
            while not await self._catch_up():
                self._opened.set()
                await self._next_change()
            await self._flush()
        except errors.ReplyError as error:
            self._is_lost = True
            log.warning("reply lost", turn=self._turn_id, channel=self._channel, error=error.reason)
        finally:
            self._opened.set()

    async def _take_over(self) -> None:
        """Go on in the messages of an earlier process, without wiping out an answer that nobody told us."""
        if self._taken_over and self._thread_ts and not self._state.has_text:
            shown = await self._outbox.read(
                channel=self._channel, thread_ts=self._thread_ts, ts=self._taken_over[-1]
            )
            if shown is not None:
                self._state.keep(shown)
            mine = 1
        else:
            mine = len(self._render())
        self._earlier, ours = self._taken_over[:-mine], self._taken_over[-mine:]
        self._ts = list(ours)

    async def _catch_up(self) -> bool:
        """Post the messages that are missing; whether nothing can follow."""
        while len(self._ts) < len(self._render()):
            await self._post_next()
        self._show()
        return self._is_closing and len(self._ts) >= len(self._render())

    async def _post_next(self) -> None:
        index = len(self._ts)
        is_final = self._state.is_over
        self._text_shown = self._text_shown or self._state.shows_text()
        ts = await self._outbox.post(
            channel=self._channel,
            thread_ts=self._thread_ts,
            content=self._render(live=None if is_final else index)[index],
            priority=posts.Urgency.ORDINARY if index else posts.Urgency.URGENT,
            is_growing=not is_final,
        )
        self._ts.append(ts)
        self._show_full()
        if is_final:
            self._full = len(self._ts)
        self._show()
        await self._tell()

    async def _tell(self) -> None:
        try:
            await self._on_posted(self.reply_ts)
        except Exception:
            # Whoever keeps the list may be away; that is no reason to stop talking to people.
            log.exception("posted messages not recorded", turn=self._turn_id)

    async def _next_change(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TICK):
                await self._changed.wait()
            self._changed.clear()
            return
        # Where the turn runs in another replica, that one tells the time.
        if self.is_at_work and self._outbox.is_idle and not self._state.is_over:
            self._show()

    async def _flush(self) -> None:
        for ts in self._ts:
            await self._outbox.flushed(channel=self._channel, ts=ts)

    def _show(self, *, is_urgent: bool = False) -> None:
        """Hand the outbox what changed: messages that have become full, and the last one."""
        if self._is_lost or not self._ts:
            return
        self._show_full()
        if self._full == len(self._ts):
            return
        last = len(self._ts) - 1
        final = self._state.is_over and len(self._render()) <= len(self._ts)
        if final:
            self._edit(last, self._render()[last], final=True)
            self._full = len(self._ts)
            return
        first_text = not self._text_shown and self._state.shows_text()
        self._text_shown = self._text_shown or first_text
        self._edit(last, partial(self._current, last), first_text=first_text or is_urgent)
        if self._state.is_over:
            self._changed.set()

    def _show_full(self) -> None:
        while self._full < len(self._ts) - 1:
            self._edit(self._full, self._render()[self._full], final=True)
            self._full += 1

    def _edit(
        self,
        index: int,
        said: content.Content | Callable[[], content.Content],
        *,
        final: bool = False,
        first_text: bool = False,
    ) -> None:
        self._outbox.edit(
            channel=self._channel,
            ts=self._ts[index],
            thread_ts=self._thread_ts,
            content=said,
            final=final,
            first_text=first_text,
        )

    def _current(self, index: int) -> content.Content:
        """The message at ``index`` as it is now; the writer hears when the answer has outgrown it."""
        contents = self._render(live=index)
        if len(contents) > len(self._ts):
            self._changed.set()
        return contents[index]

    def _render(self, *, live: int | None = None) -> list[content.Content]:
        return self._state.render(elapsed=self._elapsed(), live=live)

    def _elapsed(self) -> float:
        return self._clock() - self._began_at
