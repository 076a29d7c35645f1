"""New messages: about one a second in a channel, never twice, and as plain words where Slack refuses the blocks.

chat.postMessage is not idempotent. After a connection that broke nobody knows whether the message is there, so each one
carries an id of ours in its metadata and the next attempt looks for it first.
"""

import asyncio
import contextlib
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TypeVar

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.replies import errors, rates
from bot.views import content, limits

log = structlog.get_logger(__name__)

T = TypeVar("T")

_EVENT_TYPE: Final = "bricklayer_reply"
#: Slack allows "short bursts" over one message a second and channel; ordinary posts leave some of it to urgent ones.
_BURST: Final = 4.0
_RESERVE: Final = 2.0
_LONGEST_DELAY: Final = 10.0
#: Seconds after which a note for one person is no longer worth showing, nor a look worth waiting for.
_SHORT_PATIENCE: Final = 60.0
#: Seconds by which our wall clock may differ from Slack's when we look for a message of ours.
_SKEW: Final = 300


class Urgency(IntEnum):
    """``URGENT`` posts use up what ordinary ones leave of a channel's burst."""

    URGENT = 0
    ORDINARY = 1


@dataclass(frozen=True, kw_only=True)
class _Place:
    channel: str
    thread_ts: str | None


class Posts:
    """Writes new messages of one team. ``patience`` is how long a message is tried, in seconds."""

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        per_second: float,
        patience: float,
        timeout: float,
        clock: rates.Clock,
    ) -> None:
        self._client = client
        self._per_second = per_second
        self._patience = patience
        self._timeout = timeout
        self._clock = clock
        self._channels: dict[str, rates.Bucket] = {}
        # Slack limits the method for the whole team as well; it tells us with a Retry-After.
        self._team = rates.Bucket(capacity=1000.0, per_second=1000.0, clock=clock)
        self._closed = asyncio.Event()

    def close(self) -> None:
        """What still waits gives up."""
        self._closed.set()

    async def post(
        self,
        *,
        channel: str,
        thread_ts: str | None,
        said: content.Content,
        urgency: Urgency = Urgency.ORDINARY,
        is_growing: bool = False,
    ) -> str:
        """The ts of the new message. Raises ``ReplyError`` when Slack does not take it."""
        place = _Place(channel=channel, thread_ts=thread_ts)
        try:
            return await self._persist(place, said, urgency=urgency)
        except errors.CallError as error:
            if error.verdict is not errors.Verdict.REFUSED or not said.blocks:
                raise errors.ReplyError(error.reason) from error
            log.warning("blocks refused, posting plain text", channel=channel, error=error.reason)
        pieces = content.plain(said)
        return await self._post_plain(place, pieces[:1] if is_growing else pieces, urgency=urgency)

    async def ephemeral(
        self, *, channel: str, user: str, thread_ts: str | None, said: content.Content
    ) -> None:
        """Show ``said`` to one person. It may be shown twice when a connection breaks, and is gone at a reload."""

        async def show() -> object:
            return await self._client.chat_postEphemeral(
                channel=channel, user=user, thread_ts=thread_ts, text=said.text, blocks=list(said.blocks)
            )

        await self._repeat(show, patience=min(self._patience, _SHORT_PATIENCE))

    async def read(self, *, channel: str, thread_ts: str, ts: str) -> content.Content | None:
        """What a message in a thread says now; ``None`` when it is gone or we may not look."""

        async def look() -> Any:
            return await self._client.conversations_replies(
                channel=channel, ts=thread_ts, oldest=ts, latest=ts, inclusive=True, limit=2
            )

        try:
            response = await self._repeat(look, patience=min(self._patience, _SHORT_PATIENCE))
        except errors.ReplyError as error:
            log.warning("message not read", channel=channel, ts=ts, error=error.reason)
            return None
        found = (message for message in response.get("messages") or [] if message.get("ts") == ts)
        message = next(found, None)
        if message is None:
            return None
        blocks = tuple(message.get("blocks") or ())
        return content.Content(text=str(message.get("text") or limits.ELLIPSIS), blocks=blocks)

    async def _repeat(self, call: Callable[[], Awaitable[T]], *, patience: float) -> T:
        """The result of a call that may be made twice without harm."""
        deadline = self._clock() + patience
        failures = 0
        while True:
            try:
                return await errors.checked(call(), seconds=self._timeout)
            except errors.CallError as error:
                failures += 1
                try:
                    await self._recover(error, failures=failures, deadline=deadline)
                except errors.CallError:
                    raise errors.ReplyError(error.reason) from error

    async def _post_plain(self, place: _Place, pieces: Sequence[content.Content], *, urgency: Urgency) -> str:
        try:
            first, *rest = [await self._persist(place, piece, urgency=urgency) for piece in pieces]
        except errors.CallError as error:
            raise errors.ReplyError(error.reason) from error
        log.info("posted as plain text", channel=place.channel, messages=1 + len(rest))
        return first

    async def _persist(self, place: _Place, said: content.Content, *, urgency: Urgency) -> str:
        key = uuid.uuid4().hex
        deadline = self._clock() + self._patience
        oldest = str(int(time.time()) - _SKEW)
        in_doubt = False
        failures = 0
        while True:
            await self._turn_of(place.channel, urgency=urgency, deadline=deadline)
            try:
                found = await self._find(place, key=key, oldest=oldest) if in_doubt else None
                return found or await self._post(place, said, key=key)
            except errors.CallError as error:
                failures += 1
                in_doubt = in_doubt or error.may_have_landed
                await self._recover(error, failures=failures, deadline=deadline)

    async def _post(self, place: _Place, said: content.Content, *, key: str) -> str:
        call = self._client.chat_postMessage(
            channel=place.channel,
            thread_ts=place.thread_ts,
            text=said.text,
            blocks=list(said.blocks),
            unfurl_links=False,
            unfurl_media=False,
            metadata={"event_type": _EVENT_TYPE, "event_payload": {"id": key}},
        )
        try:
            response = await errors.checked(call, seconds=self._timeout)
        except errors.CallError as error:
            if error.verdict is errors.Verdict.LIMITED:
                log.warning("Slack limits new messages", channel=place.channel, retry_after=error.retry_after)
                self._team.hold(error.retry_after)
            raise
        return str(response["ts"])

    async def _find(self, place: _Place, *, key: str, oldest: str) -> str | None:
        """The ts of our message with ``key``, when an earlier attempt landed after all."""
        try:
            response = await errors.checked(self._read(place, oldest=oldest), seconds=self._timeout)
        except errors.CallError as error:
            if error.verdict in (errors.Verdict.TRANSIENT, errors.Verdict.LIMITED):
                raise
            # Without the right to look, a message too many is better than one too few.
            return None
        found = response.get("messages") or []
        return next((str(message["ts"]) for message in found if _key(message) == key), None)

    def _read(self, place: _Place, *, oldest: str) -> Awaitable[Any]:
        if place.thread_ts is None:
            return self._client.conversations_history(
                channel=place.channel, oldest=oldest, include_all_metadata=True, limit=100
            )
        return self._client.conversations_replies(
            channel=place.channel, ts=place.thread_ts, oldest=oldest, include_all_metadata=True, limit=100
        )

    async def _turn_of(self, channel: str, *, urgency: Urgency, deadline: float) -> None:
        if channel not in self._channels:
            self._channels[channel] = rates.Bucket(
                capacity=_BURST, per_second=self._per_second, clock=self._clock
            )
        bucket = self._channels[channel]
        reserve = _RESERVE if urgency is Urgency.ORDINARY else 0.0
        while (delay := max(bucket.wait(reserve=reserve), self._team.wait())) > 1e-6:
            await self._sleep(delay, deadline=deadline, reason="ratelimited")
        bucket.take()

    async def _recover(self, error: errors.CallError, *, failures: int, deadline: float) -> None:
        """Wait as the error asks, or raise it when waiting cannot help."""
        if error.verdict is errors.Verdict.LIMITED:
            await self._sleep(error.retry_after, deadline=deadline, reason=error.reason)
        elif error.verdict is errors.Verdict.TRANSIENT:
            await self._sleep(delay_after(failures), deadline=deadline, reason=error.reason)
        else:
            raise error

    async def _sleep(self, delay: float, *, deadline: float, reason: str) -> None:
        if self._clock() + delay > deadline or self._closed.is_set():
            raise errors.ReplyError(reason)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), delay)


def delay_after(failures: int) -> float:
    """Seconds before the next attempt: growing, bounded, and spread so that lanes do not march in step."""
    return min(_LONGEST_DELAY, 0.25 * 2.0 ** min(failures, 10)) * random.uniform(0.75, 1.0)


def _key(message: Any) -> str | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != _EVENT_TYPE:
        return None
    return str((metadata.get("event_payload") or {}).get("id"))
