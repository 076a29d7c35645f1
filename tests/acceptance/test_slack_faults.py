"""Slack on a bad day: what people wrote is answered once, and what they are shown in the end is complete."""

import asyncio
from collections.abc import Iterator

import pytest

from sandbox import people
from tests.acceptance import stages

pytestmark = pytest.mark.asyncio(loop_scope="session")

RECONNECTS = 60.0  # seconds in which the bot has a way to Slack again, whatever happened


@pytest.fixture(autouse=True)
def fair_weather(stage: stages.Stage) -> Iterator[None]:
    """No test leaves its faults to the next."""
    yield
    faults = stage.slack.faults
    faults.latency.clear()
    faults.duplicate_events = faults.refuse_connections = False


async def test_what_is_delivered_twice_is_answered_once(stage: stages.Stage) -> None:
    stage.slack.faults.duplicate_events = True

    thread = await stage.ask("!!say once")
    await stage.over(thread)
    await stage.ask("!!say once more", thread=thread)
    await stage.over(thread, count=2)
    await stage.quiet()

    assert len(stage.replies(thread)) == 2


async def test_a_note_in_private_is_shown_once_when_its_message_is_delivered_twice(
    stage: stages.Stage,
) -> None:
    stage.slack.faults.duplicate_events = True
    before = len(stage.slack.ephemerals(people.BEN.id))

    await stage.whisper(people.BEN.id, stage.ask("help", user=people.BEN.id))
    await stage.quiet()

    assert len(stage.slack.ephemerals(people.BEN.id)) == before + 1


async def test_an_answer_goes_on_while_the_sockets_break(stage: stages.Stage) -> None:
    thread = await stage.ask("!!say-slowly 40 50 word{i}")
    await stage.saying("word", thread)

    await stage.slack.faults.drop_sockets()

    assert "word40" in stages.words((await stage.over(thread))[-1])


@pytest.mark.parametrize("reason", ["warning", "refresh_requested", "link_disabled"])
async def test_after_a_disconnect_messages_are_answered(stage: stages.Stage, reason: str) -> None:
    await stage.slack.faults.disconnect(reason)

    assert "after" in await stage.chat("!!say after")


async def test_what_is_written_while_slack_refuses_connections_is_answered_afterwards(
    stage: stages.Stage,
) -> None:
    stage.slack.faults.refuse_connections = True
    await stage.slack.faults.drop_sockets()
    thread = await stage.ask("!!say at last")
    await stage.until(lambda: not stage.slack.core.delivery.connected)
    await asyncio.sleep(2)

    stage.slack.faults.refuse_connections = False

    assert "at last" in stages.words((await stage.over(thread, within=RECONNECTS))[-1])
    assert len(stage.replies(thread)) == 1


async def test_a_storm_of_refusals_delays_the_final_state_and_does_not_lose_it(stage: stages.Stage) -> None:
    thread = await stage.ask("!!say-slowly 30 50 word{i}")
    await stage.saying("Working", thread)

    stage.slack.faults.fail_next("chat.update", "ratelimited", status=429, times=3, retry_after=1)

    (reply,) = await stage.over(thread)
    assert "word30" in stages.words(reply)


@pytest.mark.parametrize(("error", "status"), [("internal_error", 200), ("", 503)])
async def test_errors_of_slack_delay_the_final_state_and_do_not_lose_it(
    stage: stages.Stage, error: str, status: int
) -> None:
    stage.slack.faults.fail_next("chat.postMessage", error, status=status, times=2)
    stage.slack.faults.fail_next("chat.update", error, status=status, times=3)

    assert "whole" in await stage.chat("!!say whole")


async def test_a_message_whose_posting_stays_in_doubt_is_not_posted_twice(stage: stages.Stage) -> None:
    stage.slack.faults.fail_next("chat.postMessage", lose_answer=True)

    thread = await stage.ask("!!say only one")

    await stage.over(thread)
    assert len(stage.replies(thread)) == 1


async def test_a_note_in_private_survives_an_error_of_slack(stage: stages.Stage) -> None:
    stage.slack.faults.fail_next("chat.postEphemeral", "internal_error", times=2)

    assert "Ask me to build" in await stage.whisper(people.BEN.id, stage.ask("help", user=people.BEN.id))


async def test_a_profile_that_slack_does_not_give_now_delays_the_message(stage: stages.Stage) -> None:
    stage.slack.faults.fail_next("users.info", "internal_error", times=1)

    thread = await stage.ask("!!say hello Cleo", user=people.CLEO.id)
    await stage.until(lambda: stage.bot.said("event not handled yet"))
    await stage.age_events()

    assert "hello Cleo" in stages.words((await stage.over(thread))[-1])


async def test_a_slow_slack_shows_everything_in_the_end(stage: stages.Stage) -> None:
    stage.slack.faults.latency["*"] = 2.0

    assert "word30" in await stage.chat("!!say-slowly 30 50 word{i}")
