"""The Slack writes of one team.

chat.update allows about 50 calls a minute for the whole team, whatever the number of replies that grow at once. So
there is one outbox per team: a budget is spent on the newest state of each message, the last state of a reply
and its first words go before everything else, and a state that was overtaken is never sent. One message's edits go
strictly one after another; those of different messages go side by side.

New messages are in ``posts``; the state of each message being edited is in ``lanes``.
"""

import asyncio
import copy
import time
from typing import Final

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.replies import budget, errors, lanes, posts, rates
from bot.views import content

log = structlog.get_logger(__name__)

#: A lane that nobody touched for so many seconds was forgotten by its owner.
_FORGOTTEN: Final = 3600.0


class Outbox:
    """Spends a team's rate limits. The owner runs ``run()`` as a task of its own and ends it with ``close()``.

    In any minute it makes at most ``updates_per_minute`` calls of chat.update for the team, and ``posts_per_second`` of chat.postMessage for a channel. ``patience`` is how many seconds Slack may stay
    away before a state is given up.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        updates_per_minute: int = 50,
        posts_per_second: float = 1.0,
        parallel: int = 4,
        patience: float = 1800.0,
        timeout: float = 30.0,
        clock: rates.Clock = time.monotonic,
        name: str = "",
    ) -> None:
        self._client = copy.copy(client)
        # The SDK's handlers would sleep inside a call and repeat a post that may have landed; both are ours to decide.
        self._client.retry_handlers = []
        self._clock = clock
        self._name = name
        self._parallel = parallel
        self._patience = patience
        self._timeout = timeout
        self._budget = budget.Budget(per_minute=updates_per_minute, clock=clock)
        self._posts = posts.Posts(
            self._client, per_second=posts_per_second, patience=patience, timeout=timeout, clock=clock
        )
        self._lanes: dict[tuple[str, str], lanes.Lane] = {}
        self._busy = 0
        self._wake = asyncio.Event()
        self._is_closing = False
        self._life = asyncio.timeout(None)
        self._stopped = asyncio.Event()

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and the budget is half full at least: the time for what is merely nice."""
        is_quiet = self._busy == 0 and all(lane.pending is None for lane in self._lanes.values())
        return is_quiet and self._budget.is_ample

    @property
    def backlog(self) -> int:
        """How many messages have a state that is not on Slack yet."""
        return self._busy + sum(lane.pending is not None for lane in self._lanes.values())

    async def run(self) -> None:
        """Send edits until ``close()``."""
        try:
            async with self._life, asyncio.TaskGroup() as senders:
                while not self._is_done():
                    lane, delay = self._next()
                    if lane is not None:
                        self._begin(lane, senders)
                    else:
                        await self._sleep(delay)
        except TimeoutError:
            log.warning(
                "outbox closed before everything was on Slack", team=self._name, messages=len(self._lanes)
            )
        finally:
            self._posts.close()
            self._abandon()
            self._stopped.set()

    async def close(self, *, timeout: float) -> None:  # noqa: ASYNC109
        """Give final states up to ``timeout`` seconds to go out, drop ordinary ones, and end ``run()``.

        Posts are awaited by who makes them; those that still wait for their turn afterwards give up.
        """
        self._is_closing = True
        self._wake.set()
        try:
            self._life.reschedule(asyncio.get_running_loop().time() + timeout)
        except RuntimeError:
            # run() was never started or has ended already, so there is nobody to wait for.
            self._posts.close()
            self._abandon()
            return
        await self._stopped.wait()

    async def post(
        self,
        *,
        channel: str,
        thread_ts: str | None,
        content: content.Content,
        priority: posts.Urgency = posts.Urgency.ORDINARY,
        is_growing: bool = False,
    ) -> str:
        """Post a new message and return its ts. Raises ``ReplyError`` when Slack does not take it.

        A final edit will follow for a message that ``is_growing``; only one that is not has to be complete at once.
        """
        ts = await self._posts.post(
            channel=channel, thread_ts=thread_ts, said=content, urgency=priority, is_growing=is_growing
        )
        if is_growing:
            self._lane(channel, ts).posted(content, thread_ts=thread_ts, now=self._clock())
        return ts

    async def ephemeral(
        self, *, channel: str, user: str, content: content.Content, thread_ts: str | None = None
    ) -> None:
        """Show ``content`` to ``user`` alone. Raises ``ReplyError`` when Slack does not take it."""
        await self._posts.ephemeral(channel=channel, user=user, thread_ts=thread_ts, said=content)

    async def read(self, *, channel: str, thread_ts: str, ts: str) -> content.Content | None:
        """What a message in a thread says now; ``None`` when it is gone or we may not look."""
        return await self._posts.read(channel=channel, thread_ts=thread_ts, ts=ts)

    def edit(
        self,
        *,
        channel: str,
        ts: str,
        content: lanes.Source,
        final: bool = False,
        first_text: bool = False,
        thread_ts: str | None = None,
    ) -> None:
        """Let the message say ``content`` as soon as the budget allows, unless something newer comes before.

        ``content`` may be a function; it is called when the edit leaves, so a state that is overtaken costs nothing.
        ``thread_ts`` is where a final state goes when the message has vanished.
        """
        lane = self._lane(channel, ts)
        lane.thread_ts = thread_ts if thread_ts is not None else lane.thread_ts
        if lane.lost is not None:
            return
        urgency = lanes.Priority.FIRST_TEXT if first_text else lanes.Priority.ORDINARY
        lane.put(content, priority=lanes.Priority.FINAL if final else urgency, now=self._clock())
        self._wake.set()

    async def flushed(self, *, channel: str, ts: str) -> None:
        """Return when the newest content as of now is on Slack. Raises ``ReplyError`` when it was given up."""
        lane = self._lanes.get((channel, ts))
        if lane is None:
            return
        if self._stopped.is_set():
            raise errors.ReplyError("outbox closed")
        await lane.flushed()

    def _lane(self, channel: str, ts: str) -> lanes.Lane:
        key = (channel, ts)
        if key not in self._lanes:
            self._forget()
            self._lanes[key] = lanes.Lane(channel=channel, ts=ts)
        return self._lanes[key]

    def _forget(self) -> None:
        horizon = self._clock() - _FORGOTTEN
        for key, lane in list(self._lanes.items()):
            if lane.pending is None and not lane.is_busy and lane.changed_at < horizon:
                del self._lanes[key]

    def _is_done(self) -> bool:
        if not self._is_closing or self._busy:
            return False
        return not any(lane.is_final and lane.pending is not None for lane in self._lanes.values())

    def _next(self) -> tuple[lanes.Lane | None, float | None]:
        """The lane whose turn it is, or the seconds until one's turn may come; ``None``: not before a new state."""
        if self._busy >= self._parallel:
            return None, None
        waiting = [lane for lane in self._lanes.values() if lane.pending is not None and not lane.is_busy]
        if self._is_closing:
            waiting = [lane for lane in waiting if lane.is_final]
        # The same urgency goes to the one that people have waited for longest.
        waiting.sort(key=lambda lane: (lane.priority, lane.sent_at))
        soonest: float | None = None
        for lane in waiting:
            delay = self._delay(lane)
            # Differences of floats leave dust: a wait of 1e-13 s may end before the clock has moved, and never end.
            if delay <= 1e-6:
                return lane, 0.0
            soonest = delay if soonest is None else min(soonest, delay)
        return None, soonest

    def _delay(self, lane: lanes.Lane) -> float:
        due = lane.retry_at
        if lane.priority is lanes.Priority.ORDINARY:
            due = max(due, lane.sent_at + self._budget.gap(messages=len(self._lanes)))
        return max(due - self._clock(), self._budget.wait(lane.priority))

    def _begin(self, lane: lanes.Lane, senders: asyncio.TaskGroup) -> None:
        self._budget.take(lane.priority)
        self._busy += 1
        attempt = lane.begin()
        senders.create_task(self._send(lane, attempt), name=f"edit {lane.channel} {lane.ts}")

    async def _send(self, lane: lanes.Lane, attempt: lanes.Attempt) -> None:
        try:
            said = attempt.content()
            if said == lane.sent and not lane.is_gone:
                self._budget.give_back(attempt.priority)
                lane.settle(attempt.version)
            else:
                await self._write(lane, said, attempt.priority)
                lane.arrived(attempt, said, now=self._clock())
        except errors.CallError as error:
            self._recover(lane, attempt, error)
        except errors.ReplyError as error:
            self._lose(lane, error.reason)
        except asyncio.CancelledError:
            lane.lose("outbox closed")
            raise
        except Exception:
            # A view that fails is a fault of ours; it must not take the other replies of the team with it.
            log.exception("edit failed", team=self._name, channel=lane.channel, ts=lane.ts)
            lane.lose("internal error")
        finally:
            lane.is_busy = False
            self._busy -= 1
            self._drop_if_finished(lane)
            self._wake.set()

    async def _write(self, lane: lanes.Lane, said: content.Content, priority: lanes.Priority) -> None:
        if lane.is_gone:
            self._budget.give_back(priority)
            await self._posts.post(channel=lane.channel, thread_ts=lane.thread_ts, said=said)
            return
        first, *rest = content.plain(said) if lane.is_plain else [said]
        # Blocks that are left out would stay as they were; an empty list removes them.
        call = self._client.chat_update(
            channel=lane.channel, ts=lane.ts, text=first.text, blocks=list(first.blocks), parse="none"
        )
        await errors.checked(call, seconds=self._timeout)
        for piece in rest if priority is lanes.Priority.FINAL else ():
            await self._posts.post(channel=lane.channel, thread_ts=lane.thread_ts, said=piece)

    def _recover(self, lane: lanes.Lane, attempt: lanes.Attempt, error: errors.CallError) -> None:
        match error.verdict:
            case errors.Verdict.LIMITED:
                log.warning("Slack limits edits", team=self._name, retry_after=error.retry_after)
                self._budget.hold(error.retry_after)
                self._retry(lane, attempt, error, delay=0.0)
            case errors.Verdict.TRANSIENT:
                lane.failures += 1
                self._retry(lane, attempt, error, delay=posts.delay_after(lane.failures))
            case errors.Verdict.REFUSED if not lane.is_plain:
                log.warning("blocks refused, editing in plain text", channel=lane.channel, error=error.reason)
                lane.is_plain = True
                lane.put_back(attempt)
            case errors.Verdict.GONE if not lane.is_gone:
                log.info(
                    "reply can no longer be edited", channel=lane.channel, ts=lane.ts, error=error.reason
                )
                lane.is_gone = True
                lane.put_back(attempt)
            case _:
                self._lose(lane, error.reason)

    def _retry(
        self, lane: lanes.Lane, attempt: lanes.Attempt, error: errors.CallError, *, delay: float
    ) -> None:
        now = self._clock()
        lane.failing_since = now if lane.failing_since is None else lane.failing_since
        if now - lane.failing_since > self._patience:
            self._lose(lane, error.reason)
            return
        lane.retry_at = now + delay
        lane.put_back(attempt)

    def _lose(self, lane: lanes.Lane, reason: str) -> None:
        log.warning("reply given up", team=self._name, channel=lane.channel, ts=lane.ts, error=reason)
        lane.lose(reason)

    def _drop_if_finished(self, lane: lanes.Lane) -> None:
        if lane.is_gone and not lane.is_final:
            # Nothing can be shown until the final state comes, and that becomes a message of its own.
            lane.pending = None
            lane.settle(lane.version)
        elif lane.is_final and lane.pending is None and lane.lost is None:
            self._lanes.pop((lane.channel, lane.ts), None)

    def _abandon(self) -> None:
        for lane in self._lanes.values():
            if lane.pending is not None or lane.is_busy:
                lane.lose("outbox closed")

    async def _sleep(self, delay: float | None) -> None:
        try:
            async with asyncio.timeout(delay):
                await self._wake.wait()
        except TimeoutError:
            return
        finally:
            self._wake.clear()
