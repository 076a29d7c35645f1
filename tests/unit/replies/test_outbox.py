"""The outbox against a Slack that limits, fails, forgets and is slow."""

import asyncio
import time

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.replies import errors
from bot.replies import outbox as outboxes
from sandbox import people
from sandbox.slack import SlackSandbox
from tests.unit.replies.conftest import CHANNEL, calls, said


def texts(slack: SlackSandbox, thread: str) -> list[str]:
    """What the bot's messages in the thread say, oldest first."""
    replies = slack.thread(CHANNEL, thread)[1:]
    return [" ".join(block.get("text", "") for block in message["blocks"]) for message in replies]


async def test_a_post_is_silent_about_links_and_returns_its_ts(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    ts = await outbox.post(channel=CHANNEL, thread_ts=thread, content=said("hello"))
    assert [message["ts"] for message in slack.thread(CHANNEL, thread)[1:]] == [ts]
    sent = slack.requests[-1].arguments
    assert (sent["unfurl_links"], sent["unfurl_media"]) == (False, False)


async def test_the_newest_state_wins_and_overtaken_ones_are_not_sent(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    ts = await outbox.post(channel=CHANNEL, thread_ts=thread, content=said("0"))
    for number in range(1, 200):
        outbox.edit(channel=CHANNEL, ts=ts, content=said(str(number)))
    await outbox.flushed(channel=CHANNEL, ts=ts)
    assert texts(slack, thread) == ["199"]
    assert calls(slack, "chat.update") == 1


async def test_identical_content_is_not_sent_again(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    ts = await outbox.post(channel=CHANNEL, thread_ts=thread, content=said("0"))
    for _ in range(3):
        outbox.edit(channel=CHANNEL, ts=ts, content=said("same"))
        await outbox.flushed(channel=CHANNEL, ts=ts)
    assert calls(slack, "chat.update") == 1


async def test_ordinary_edits_of_a_message_keep_a_distance(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    ts = await outbox.post(channel=CHANNEL, thread_ts=thread, content=said("0"))
    began = time.monotonic()
    for number in range(3):
        outbox.edit(channel=CHANNEL, ts=ts, content=said(f"state {number}"))
        await outbox.flushed(channel=CHANNEL, ts=ts)
    assert 1.3 < time.monotonic() - began < 3.0


async def test_final_states_do_not_wait_for_a_spent_budget(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    posted = [await outbox.post(channel=CHANNEL, thread_ts=thread, content=said("0")) for _ in range(4)]
    for round_number in range(30):
        for ts in posted:
            outbox.edit(channel=CHANNEL, ts=ts, content=said(f"{ts} {round_number}"))
        await asyncio.sleep(0.05)
    began = time.monotonic()
    for ts in posted[:3]:
        outbox.edit(channel=CHANNEL, ts=ts, content=said("the end"), final=True)
    for ts in posted[:3]:
        await outbox.flushed(channel=CHANNEL, ts=ts)
    assert time.monotonic() - began < 0.5


async def test_a_retry_after_holds_the_method_and_loses_nothing(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    ts = await outbox.post(channel=CHANNEL, thread_ts=thread, content=said("0"))
    slack.faults.fail_next("chat.update", "ratelimited", status=429, retry_after=1, times=2)
    began = time.monotonic()
    outbox.edit(channel=CHANNEL, ts=ts, content=said("the end"), final=True)
    await outbox.flushed(channel=CHANNEL, ts=ts)
    assert texts(slack, thread) == ["the end"]
    assert time.monotonic() - began >= 2
    assert calls(slack, "chat.update") == 3


async def test_a_final_state_outlives_server_errors(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    ts = await outbox.post(channel=CHANNEL, thread_ts=thread, content=said("0"))
    slack.faults.fail_next("chat.update", status=500, times=2)
    slack.faults.fail_next("chat.update", "internal_error", times=1)
    outbox.edit(channel=CHANNEL, ts=ts, content=said("the end"), final=True)
    await outbox.flushed(channel=CHANNEL, ts=ts)
    assert texts(slack, thread) == ["the end"]


async def test_a_post_whose_answer_was_lost_is_not_posted_twice(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    slack.faults.fail_next("chat.postMessage", lose_answer=True)
    ts = await outbox.post(channel=CHANNEL, thread_ts=thread, content=said("once"))
    assert [message["ts"] for message in slack.thread(CHANNEL, thread)[1:]] == [ts]
    assert calls(slack, "chat.postMessage") == 1


async def test_a_post_that_failed_is_tried_again(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    slack.faults.fail_next("chat.postMessage", status=503)
    await outbox.post(channel=CHANNEL, thread_ts=thread, content=said("once"))
    assert texts(slack, thread) == ["once"]


async def test_refused_blocks_become_plain_text_and_nothing_is_lost(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    ts = await outbox.post(channel=CHANNEL, thread_ts=thread, content=said("0"))
    long = " ".join(f"word{number}" for number in range(1_000))
    slack.faults.fail_next("chat.update", "invalid_blocks")
    outbox.edit(channel=CHANNEL, ts=ts, content=said(long), final=True, thread_ts=thread)
    await outbox.flushed(channel=CHANNEL, ts=ts)
    messages = slack.thread(CHANNEL, thread)[1:]
    assert " ".join(message["text"] for message in messages) == long
    assert not any(message.get("blocks") for message in messages)


async def test_the_final_state_of_a_deleted_message_is_posted_anew(
    slack: SlackSandbox, client: AsyncWebClient, outbox: outboxes.Outbox, thread: str
) -> None:
    ts = await outbox.post(channel=CHANNEL, thread_ts=thread, content=said("0"))
    await client.chat_delete(channel=CHANNEL, ts=ts)
    outbox.edit(channel=CHANNEL, ts=ts, content=said("growing"), thread_ts=thread)
    await outbox.flushed(channel=CHANNEL, ts=ts)
    outbox.edit(channel=CHANNEL, ts=ts, content=said("the end"), final=True, thread_ts=thread)
    await outbox.flushed(channel=CHANNEL, ts=ts)
    assert texts(slack, thread) == ["the end"]


async def test_a_channel_we_were_removed_from_is_given_up(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    ts = await outbox.post(channel=CHANNEL, thread_ts=thread, content=said("0"))
    slack.faults.fail_next("chat.update", "not_in_channel")
    outbox.edit(channel=CHANNEL, ts=ts, content=said("the end"), final=True)
    with pytest.raises(errors.ReplyError, match="not_in_channel"):
        await outbox.flushed(channel=CHANNEL, ts=ts)
    assert calls(slack, "chat.update") == 1


async def test_one_slow_message_does_not_stall_the_others(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    posted = [await outbox.post(channel=CHANNEL, thread_ts=thread, content=said("0")) for _ in range(4)]
    slack.faults.latency["chat.update"] = 1.0
    began = time.monotonic()
    for ts in posted:
        outbox.edit(channel=CHANNEL, ts=ts, content=said("the end"), final=True)
    for ts in posted:
        await outbox.flushed(channel=CHANNEL, ts=ts)
    assert time.monotonic() - began < 2.0


async def test_closing_lets_final_states_out(
    slack: SlackSandbox, client: AsyncWebClient, thread: str
) -> None:
    box = outboxes.Outbox(client)
    running = asyncio.create_task(box.run(), name="outbox")
    ts = await box.post(channel=CHANNEL, thread_ts=thread, content=said("0"))
    slack.faults.latency["chat.update"] = 0.3
    box.edit(channel=CHANNEL, ts=ts, content=said("the end"), final=True)
    await box.close(timeout=3)
    await running
    assert texts(slack, thread) == ["the end"]


async def test_closing_is_bounded_and_tells_who_waits(
    slack: SlackSandbox, client: AsyncWebClient, thread: str
) -> None:
    box = outboxes.Outbox(client)
    running = asyncio.create_task(box.run(), name="outbox")
    ts = await box.post(channel=CHANNEL, thread_ts=thread, content=said("0"))
    slack.faults.latency["chat.update"] = 30.0
    box.edit(channel=CHANNEL, ts=ts, content=said("the end"), final=True)
    waiting = asyncio.create_task(box.flushed(channel=CHANNEL, ts=ts), name="waiting")
    await asyncio.sleep(0)
    began = time.monotonic()
    await box.close(timeout=0.2)
    await running
    assert time.monotonic() - began < 1
    with pytest.raises(errors.ReplyError):
        await waiting


async def test_slack_away_for_a_while_still_gets_the_final_state(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    ts = await outbox.post(channel=CHANNEL, thread_ts=thread, content=said("0"))
    host, port = "127.0.0.1", int(slack.url.rsplit(":", 1)[1])
    assert slack._runner is not None
    for site in list(slack._runner.sites):
        await site.stop()
    outbox.edit(channel=CHANNEL, ts=ts, content=said("the end"), final=True)
    await asyncio.sleep(1.5)
    await slack.start(host=host, port=port)
    await outbox.flushed(channel=CHANNEL, ts=ts)
    assert texts(slack, thread) == ["the end"]


async def test_an_ephemeral_reaches_one_person(
    slack: SlackSandbox, outbox: outboxes.Outbox, thread: str
) -> None:
    slack.faults.fail_next("chat.postEphemeral", "ratelimited", status=429, retry_after=1)
    await outbox.ephemeral(channel=CHANNEL, user=people.ADA.id, content=said("psst"), thread_ts=thread)
    assert len(slack.ephemerals(people.ADA.id)) == 1
