"""Ten minutes of a busy team in virtual time: what the outbox spends, and whom it serves first."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from agent import events
from bot.replies import errors, lanes, rates
from bot.replies import outbox as outboxes
from bot.replies.reply import Reply
from bot.views import content, messages

CHANNEL = "C0SALES01"

pytestmark = pytest.mark.looptime


class RecordingClient(AsyncWebClient):
    """Answers at once without a network, and notes what was called when, in the loop's time."""

    def __init__(self) -> None:
        super().__init__(token="xoxb-test")
        self.calls: dict[str, list[tuple[float, str]]] = defaultdict(list)
        # The outbox works with a copy of the client; an event is the same in both.
        self.away = asyncio.Event()
        self._ids = count(1)

    async def api_call(self, api_method: str, **values: Any) -> AsyncSlackResponse:
        arguments = values.get("json") or values.get("params") or {}
        if self.away.is_set():
            raise TimeoutError
        self.calls[api_method].append((asyncio.get_running_loop().time(), str(arguments.get("text"))))
        return self._response({"ok": True, "ts": f"{next(self._ids)}.000001"})

    def _response(self, body: dict[str, Any]) -> AsyncSlackResponse:
        return AsyncSlackResponse(
            client=self, http_verb="POST", api_url="", req_args={}, data=body, headers={}, status_code=200
        )


@asynccontextmanager
async def running(client: AsyncWebClient, *, patience: float = 1800.0) -> AsyncIterator[outboxes.Outbox]:
    box = outboxes.Outbox(client, clock=asyncio.get_running_loop().time, patience=patience)
    task = asyncio.create_task(box.run(), name="outbox")
    try:
        yield box
    finally:
        await box.close(timeout=60)
        await task


def text(words: str) -> content.Content:
    return content.Content(text=words)


async def test_no_minute_holds_more_than_slack_allows_and_none_is_wasted() -> None:
    client = RecordingClient()
    async with running(client) as box:
        for moment in range(2_400):
            box.edit(channel=CHANNEL, ts=str(moment % 8), content=text(f"state {moment}"))
            await asyncio.sleep(0.25)
    times = [at for at, _ in client.calls["chat.update"]]
    fullest = max(sum(start <= at < start + 60 for at in times) for start in times)
    assert fullest <= 50
    assert len(times) >= 10 * 38


async def test_many_replies_share_the_budget_evenly() -> None:
    client = RecordingClient()
    sent: dict[str, int] = defaultdict(int)
    async with running(client) as box:
        for moment in range(1_500):
            ts = str(moment % 8)
            box.edit(channel=CHANNEL, ts=ts, content=text(f"{ts}:{moment}"))
            await asyncio.sleep(0.2)
    for _, words in client.calls["chat.update"]:
        sent[words.split(":")[0]] += 1
    assert max(sent.values()) - min(sent.values()) <= 2


async def test_the_end_and_the_first_words_never_wait_for_ordinary_edits() -> None:
    client = RecordingClient()
    async with running(client) as box:
        for moment in range(1_200):
            box.edit(channel=CHANNEL, ts=str(moment % 8), content=text(f"state {moment}"))
            await asyncio.sleep(0.1)
        asked_at = asyncio.get_running_loop().time()
        box.edit(channel=CHANNEL, ts="new", content=text("first"), first_text=True)
        box.edit(channel=CHANNEL, ts="1", content=text("the end"), final=True)
        await asyncio.sleep(1)
    sent_at = {words: at - asked_at for at, words in client.calls["chat.update"]}
    assert sent_at["the end"] <= 0.01
    assert sent_at["first"] <= 0.01


async def test_an_idle_budget_is_spent_at_once() -> None:
    client = RecordingClient()
    async with running(client) as box:
        await asyncio.sleep(60)
        for moment in range(40):
            box.edit(channel=CHANNEL, ts="1", content=text(f"state {moment}"))
            await asyncio.sleep(0.1)
    times = [at for at, _ in client.calls["chat.update"]]
    assert len(times) >= 4
    assert all(later - earlier < 1.5 for earlier, later in zip(times, times[1:], strict=False))


async def test_slack_away_for_twenty_minutes_ends_with_the_final_state() -> None:
    client = RecordingClient()
    async with running(client) as box:
        client.away.set()
        box.edit(channel=CHANNEL, ts="1", content=text("growing"))
        await asyncio.sleep(600)
        box.edit(channel=CHANNEL, ts="1", content=text("the end"), final=True)
        await asyncio.sleep(600)
        client.away.clear()
        await box.flushed(channel=CHANNEL, ts="1")
    assert [words for _, words in client.calls["chat.update"]] == ["the end"]


async def test_a_slack_that_never_comes_back_is_given_up() -> None:
    client = RecordingClient()
    client.away.set()
    async with running(client, patience=300.0) as box:
        box.edit(channel=CHANNEL, ts="1", content=text("the end"), final=True)
        with pytest.raises(errors.ReplyError):
            await box.flushed(channel=CHANNEL, ts="1")
        with pytest.raises(errors.ReplyError):
            await box.post(channel=CHANNEL, thread_ts=None, content=text("hello"))


async def test_a_reply_in_which_nothing_happens_refreshes_its_time() -> None:
    client = RecordingClient()

    async def ignore(_: tuple[str, ...]) -> None:
        """Nobody keeps the list."""

    async with running(client) as box:
        reply = Reply(
            outbox=box,
            channel=CHANNEL,
            thread_ts="1.0",
            turn_id="t",
            clock=asyncio.get_running_loop().time,
            on_posted=ignore,
        )
        await reply.open(state=messages.Working())
        reply.push(events.Working(acting_as="ada"))
        await asyncio.sleep(40)
        reply.push(events.Finished(outcome="done", duration=40.0))
        await reply.close()
    shown = [words for _, words in client.calls["chat.update"]]
    assert shown == [
        "Working as ada · 0 s",
        "Working as ada · 15 s",
        "Working as ada · 30 s",
        "Done in 40 s · as ada",
    ]


async def test_posts_keep_to_one_a_second_after_a_burst() -> None:
    client = RecordingClient()
    async with running(client) as box, asyncio.TaskGroup() as group:
        for number in range(12):
            post = box.post(channel=CHANNEL, thread_ts=None, content=text(str(number)))
            group.create_task(post, name=f"post {number}")
    times = [at for at, _ in client.calls["chat.postMessage"]]
    assert len(times) == 12
    assert times[-1] - times[0] >= 9


async def test_a_held_bucket_opens_when_slack_said() -> None:
    clock = asyncio.get_running_loop().time
    bucket = rates.Bucket(capacity=10, per_second=1, clock=clock)
    bucket.hold(30)
    assert bucket.wait() == pytest.approx(30)
    await asyncio.sleep(30)
    assert bucket.wait() == 0


def test_the_urgency_of_an_overtaken_state_passes_on() -> None:
    lane = lanes.Lane(channel=CHANNEL, ts="1")
    lane.put(text("a"), priority=lanes.Priority.FIRST_TEXT, now=0)
    lane.put(text("b"), priority=lanes.Priority.ORDINARY, now=0)
    attempt = lane.begin()
    assert (attempt.content(), attempt.priority) == (text("b"), lanes.Priority.FIRST_TEXT)
