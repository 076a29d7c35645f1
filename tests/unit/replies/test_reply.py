"""A reply in a thread of the sandbox's Slack."""

import asyncio
import time
from collections.abc import Sequence

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from agent import events
from bot.replies import outbox as outboxes
from bot.replies.reply import Reply
from bot.views import messages
from sandbox.slack import SlackSandbox
from sandbox.slack.values import Json
from tests.unit.replies.conftest import CHANNEL, calls

DONE = events.Finished(outcome="done", duration=1.0)


async def ignore(_: tuple[str, ...]) -> None:
    """Nobody keeps the list."""


def reply_in(outbox: outboxes.Outbox, thread: str, *, reply_ts: Sequence[str] = ()) -> Reply:
    return Reply(
        outbox=outbox,
        channel=CHANNEL,
        thread_ts=thread,
        turn_id="turn-1",
        clock=time.monotonic,
        on_posted=ignore,
        reply_ts=reply_ts,
    )


def answers(slack: SlackSandbox, thread: str) -> list[str]:
    return [_answer(message) for message in slack.thread(CHANNEL, thread)[1:]]


def _answer(message: Json) -> str:
    return "".join(block["text"] for block in message["blocks"] if block["type"] == "markdown")


def has_button(message: Json) -> bool:
    return any(block["type"] == "actions" for block in message["blocks"])


def status(message: Json) -> str:
    lines = [block["elements"][0]["text"] for block in message["blocks"] if block["type"] == "context"]
    return str(lines[-1]) if lines else ""


async def test_a_reply_from_working_to_done(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    reply = reply_in(outbox, thread)
    await reply.open(state=messages.Working())
    (shown,) = slack.thread(CHANNEL, thread)[1:]
    assert has_button(shown)
    reply.push(events.Working(acting_as="ada"))
    for word in ("North", " sold", " most."):
        reply.push(events.TextDelta(text=word))
    reply.push(DONE)
    await reply.close()
    (shown,) = slack.thread(CHANNEL, thread)[1:]
    assert _answer(shown) == "North sold most."
    assert status(shown) == "Done in 1 s · as ada"
    assert not has_button(shown)


async def test_the_first_text_leaves_at_once(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    reply = reply_in(outbox, thread)
    await reply.open(state=messages.Working())
    reply.push(events.Working(acting_as="ada"))
    await asyncio.sleep(0.1)
    began = time.monotonic()
    reply.push(events.TextDelta(text="North"))
    await slack.wait_for(lambda: answers(slack, thread) == ["North"], timeout=1)
    assert time.monotonic() - began < 0.2
    await reply.close()


async def test_events_may_come_before_the_first_message_stands(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    slack.faults.latency["chat.postMessage"] = 0.3
    reply = reply_in(outbox, thread)
    opening = asyncio.create_task(reply.open(state=messages.Working()), name="open")
    await asyncio.sleep(0.05)
    reply.push(events.TextDelta(text="Quick"))
    reply.push(DONE)
    await reply.close()
    await opening
    assert answers(slack, thread) == ["Quick"]
    assert not has_button(slack.thread(CHANNEL, thread)[-1])


async def test_a_long_answer_goes_on_in_further_messages(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    heard: list[tuple[str, ...]] = []

    async def hear(ts: tuple[str, ...]) -> None:
        heard.append(ts)

    reply = reply_in(outbox, thread)
    reply._on_posted = hear
    await reply.open(state=messages.Working())
    for number in range(60):
        reply.push(events.TextDelta(text=f"Paragraph{number} {'word ' * 100}\n\n"))
        await asyncio.sleep(0.01)
    reply.push(DONE)
    await reply.close()
    shown = slack.thread(CHANNEL, thread)[1:]
    assert len(shown) == 3
    assert heard[-1] == tuple(message["ts"] for message in shown) == reply.reply_ts
    assert all(f"Paragraph{number} " in "".join(answers(slack, thread)) for number in range(60))
    assert [status(message) for message in shown] == ["", "", "Done in 1 s"]
    assert not any(has_button(message) for message in shown)


async def test_an_answer_that_is_long_at_once_has_one_status_line(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    reply = reply_in(outbox, thread)
    reply.push(events.TextDelta(text="\n\n".join("word " * 400 for _ in range(14))))
    reply.push(DONE)
    await reply.open(state=messages.Working())
    await reply.close()
    assert [status(message) for message in slack.thread(CHANNEL, thread)[1:]] == ["", "", "Done in 1 s"]
    assert calls(slack, "chat.update") == 0


async def test_a_short_reply_costs_one_post_and_two_edits(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    reply = reply_in(outbox, thread)
    await reply.open(state=messages.Working())
    reply.push(events.Working(acting_as="ada"))
    reply.push(events.TextDelta(text="North"))
    await slack.wait_for(lambda: answers(slack, thread) == ["North"])
    reply.push(DONE)
    await reply.close()
    assert (calls(slack, "chat.postMessage"), calls(slack, "chat.update")) == (1, 2)


async def test_a_turn_that_never_finished_is_shown_as_interrupted(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    reply = reply_in(outbox, thread)
    await reply.open(state=messages.Working())
    await reply.close()
    assert status(slack.thread(CHANNEL, thread)[-1]).startswith("Interrupted after")


async def test_a_reply_of_an_earlier_process_is_continued(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    first = reply_in(outbox, thread)
    await first.open(state=messages.Queued(ahead=1))
    second = reply_in(outbox, thread, reply_ts=first.reply_ts)
    await second.open(state=messages.Working())
    second.push(events.TextDelta(text="Back again"))
    second.push(DONE)
    await second.close()
    assert answers(slack, thread) == ["Back again"]
    assert second.reply_ts == first.reply_ts
    first.push(events.Finished(outcome="stopped", duration=0.0))
    await first.close()


async def test_what_an_earlier_process_said_stays_when_a_restart_interrupted_it(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    first = reply_in(outbox, thread)
    await first.open(state=messages.Working())
    first.push(events.TextDelta(text="Half of the answer"))
    await slack.wait_for(lambda: answers(slack, thread) == ["Half of the answer"])
    second = reply_in(outbox, thread, reply_ts=first.reply_ts)
    second.push(events.Finished(outcome="interrupted", duration=3.0))
    await second.close()
    (shown,) = slack.thread(CHANNEL, thread)[1:]
    assert _answer(shown) == "Half of the answer"
    assert status(shown) == "Interrupted after 3 s"
    assert not has_button(shown)
    first.push(DONE)
    await first.close()


async def test_a_lost_channel_ends_the_reply_quietly(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    slack.faults.fail_next("chat.postMessage", "not_in_channel")
    reply = reply_in(outbox, thread)
    await reply.open(state=messages.Working())
    reply.push(events.TextDelta(text="Nobody hears this"))
    reply.push(DONE)
    await reply.close()
    assert calls(slack, "chat.postMessage") == 1


async def test_the_final_text_survives_a_deleted_message(
    slack: SlackSandbox, client: AsyncWebClient, outbox: outboxes.Outbox, thread: str
) -> None:
    reply = reply_in(outbox, thread)
    await reply.open(state=messages.Working())
    await client.chat_delete(channel=CHANNEL, ts=reply.reply_ts[0])
    reply.push(events.TextDelta(text="Still here"))
    reply.push(DONE)
    await reply.close()
    assert answers(slack, thread) == ["Still here"]


async def test_blocks_refused_from_beginning_to_end_lose_and_repeat_nothing(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    slack.faults.fail_next("chat.postMessage", "invalid_blocks")
    slack.faults.fail_next("chat.update", "msg_too_long")
    reply = reply_in(outbox, thread)
    words = [f"word{number}" for number in range(1_000)]
    reply.push(events.TextDelta(text=" ".join(words)))
    await reply.open(state=messages.Working())
    reply.push(DONE)
    await reply.close()
    shown = " ".join(message["text"] for message in slack.thread(CHANNEL, thread)[1:])
    assert shown.split()[: len(words)] == words
    assert shown.count("word500") == 1


async def _talk(reply: Reply, *, number: int) -> None:
    await reply.open(state=messages.Working())
    for word in range(100):
        reply.push(events.TextDelta(text=f"w{number}x{word} "))
        await asyncio.sleep(0.03)
    reply.push(DONE)
    await reply.close()


def storm(slack: SlackSandbox) -> None:
    """A bit of everything that can go wrong at once."""
    slack.faults.fail_next("chat.update", "ratelimited", status=429, retry_after=1)
    slack.faults.fail_next("chat.update", status=500, times=3)
    slack.faults.fail_next("chat.update", lose_answer=True, times=2)
    slack.faults.fail_next("chat.postMessage", lose_answer=True, times=2)
    slack.faults.fail_next("chat.postMessage", status=503)


@pytest.mark.parametrize("is_stormy", [False, True], ids=["calm", "storm"])
async def test_eight_replies_at_once_all_end_complete_within_the_budget(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str, is_stormy: bool
) -> None:
    if is_stormy:
        storm(slack)
    async with asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(_talk(reply_in(outbox, thread), number=number), name=f"talk {number}")
    shown = slack.thread(CHANNEL, thread)[1:]
    expected = {" ".join(f"w{number}x{word}" for word in range(100)) for number in range(8)}
    assert {_answer(message) for message in shown} == expected
    assert len(shown) == 8
    assert all(status(message) == "Done in 1 s" for message in shown)
    assert calls(slack, "chat.update") <= 50
