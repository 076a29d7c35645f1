"""Words instead of requests, people who may not, and input that is no request: an answer or a deliberate silence.

The bot of this module is in HTTP mode, so what is particular to that is here too.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from bot.views import home
from sandbox import people
from sandbox.slack.values import Json
from sandbox.world import World
from tests.acceptance import stages
from tests.integration.conftest import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")

ZERO_WIDTH = "\u200b\u200d\ufeff\u2060"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[stages.Stage]:
    """A stage whose Slack posts to the bot; its address is known once the bot listens."""
    world = World.create(events_url="http://127.0.0.1:9/not-yet")
    async with (
        postgres.fresh() as url,
        stages.staged(database_url=url, folder=tmp_path_factory.mktemp("http"), world=world) as stage,
    ):
        await stage.start()
        stage.slack.events_url = f"{stage.bot.url}/slack/events"
        yield stage


# Words


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("", "Ask me to build"),
        ("help", "Ask me to build"),
        ("status", "Nothing runs"),
        ("stop", "Nothing runs"),
        ("whoami", "shared@brickfield.example"),
        ("frobnicate now", "I do not know"),
        ("<!channel> ``` *x*", "I do not know"),
    ],
)
async def test_the_slash_command_answers_each_word_in_private(
    stage: stages.Stage, word: str, answer: str
) -> None:
    told = await stage.whisper(
        people.BEN.id, stage.slack.command(people.BEN.id, stages.ENGINEERING, "/brick", word)
    )

    assert answer in told
    assert "<!channel" not in told


async def test_a_word_after_the_mention_is_a_command(stage: stages.Stage) -> None:
    before = await stage.turn_count()

    assert "Ask me to build" in await stage.whisper(people.BEN.id, stage.ask("help", user=people.BEN.id))
    assert await stage.turn_count() == before


async def test_a_word_in_a_thread_is_about_the_thread(stage: stages.Stage) -> None:
    thread = await stage.hold()

    told = await stage.whisper(people.BEN.id, stage.ask("!status", user=people.BEN.id, thread=thread))

    assert "1 running" in told
    assert "here I stay" in told
    await stage.let_go(thread)
    await stage.over(thread)


async def test_a_request_that_begins_with_a_word_is_a_request(stage: stages.Stage) -> None:
    assert "here you are" in await stage.chat("help me with a dashboard\n!!say here you are")


# People


async def test_a_guest_is_told_that_members_only_are_served(stage: stages.Stage) -> None:
    before = await stage.turn_count()

    told = await stage.whisper(people.GUS.id, stage.ask("!!say hi", user=people.GUS.id))
    slash = stage.slack.command(people.GUS.id, stages.SALES, "/brick", "status")

    assert "full members" in told
    assert "full members" in await stage.whisper(people.GUS.id, slash)
    assert await stage.turn_count() == before


@pytest.mark.parametrize(
    ("person", "answer"), [(people.SAM, "full members"), (people.BEN, "shared with another company")]
)
async def test_nobody_is_served_in_a_channel_shared_with_others(
    stage: stages.Stage, person: people.Person, answer: str
) -> None:
    before = await stage.turn_count()

    told = await stage.whisper(person.id, stage.ask("!!say hi", user=person.id, channel=stages.PARTNERS))

    assert answer in told
    assert await stage.turn_count() == before


async def test_another_bot_is_not_answered(stage: stages.Stage) -> None:
    posted = _posted("<@U0BRICKBOT> !!say hi") | {"bot_id": "B0OTHER", "user": "U0OTHERBOT"}

    await _is_ignored(stage, posted)


# Input that is no request


@pytest.mark.parametrize("text", ["", f" {ZERO_WIDTH} ", "  \n "])
async def test_a_mention_without_words_is_told_what_to_do(stage: stages.Stage, text: str) -> None:
    told = await stage.whisper(people.BEN.id, stage.ask(text, user=people.BEN.id))

    assert "the message is empty" in told


async def test_an_emoji_is_a_request_like_any_other(stage: stages.Stage) -> None:
    await stage.chat("🎉👩🏽‍💻")

    assert "🎉👩🏽‍💻" in stage.prompt()


async def test_a_message_of_40000_characters_arrives_whole(stage: stages.Stage) -> None:
    lines = "".join(f"line {number:05} of a long paste\n" for number in range(1_440))

    await stage.answer(f"!!say read\n{lines}")

    assert len(lines) > 38_000
    assert lines.strip() in stage.prompt()


async def test_a_file_without_a_word_is_asked_about(stage: stages.Stage) -> None:
    direct = stage.slack.direct(people.BEN.id)
    upload = stage.slack.say(people.BEN.id, direct, "", files=[("orders.csv", b"a,b\n1,2\n")])

    assert "a file without a word" in await stage.whisper(people.BEN.id, upload)


async def test_a_file_with_a_request_is_named_to_the_model(stage: stages.Stage) -> None:
    said = "@bricklayer look at this\n!!say seen"
    thread = await stage.slack.say(people.BEN.id, stages.SALES, said, files=[("orders.csv", b"a,b\n1,2\n")])

    await stage.over(thread)

    assert "orders.csv" in stage.prompt()


@pytest.mark.parametrize(
    "event",
    [
        {"type": "tea_was_served", "channel": stages.SALES},
        {"type": "message", "channel": stages.SALES, "user": people.ADA.id, "text": None},
        {"type": "message", "channel": stages.SALES, "subtype": "channel_topic", "user": people.ADA.id},
        {"type": "message", "channel": stages.SALES, "subtype": "message_deleted", "deleted_ts": "1.000001"},
        {"type": "message", "channel": stages.SALES, "subtype": "message_deleted"},
        {"type": "message", "channel": stages.SALES, "subtype": "message_changed"},
        {
            "type": "message",
            "channel": stages.SALES,
            "subtype": "message_changed",
            "message": {"ts": "1.000002", "user": people.ADA.id, "text": "new"},
            "previous_message": {"ts": "1.000002", "user": people.ADA.id, "text": "old"},
        },
        {"type": "app_mention", "channel": stages.SALES, "user": people.ADA.id, "text": None},
        {"type": "message"},
    ],
    ids=lambda event: f"{event['type']} {event.get('subtype', '')}{len(event)}",
)
async def test_an_event_that_means_nothing_to_us_is_taken_in_silence(
    stage: stages.Stage, event: Json
) -> None:
    await _is_ignored(stage, event)


async def test_a_direct_message_without_text_is_told_what_to_do(stage: stages.Stage) -> None:
    direct = stage.slack.direct(people.BEN.id)
    event = _posted(None) | {"channel": direct, "user": people.BEN.id, "channel_type": "im"}

    assert "the message is empty" in await stage.whisper(people.BEN.id, stage.slack.send_event(event))


async def test_a_thread_whose_root_is_deleted_is_answered_to_the_end(stage: stages.Stage) -> None:
    thread = await stage.ask("!!say-slowly 40 50 word{i}")
    await stage.saying("word", thread)

    await stage.slack.delete(people.ADA.id, stages.SALES, thread)

    assert "word40" in stages.words((await stage.over(thread))[-1])


async def test_a_message_deleted_before_anything_was_said_does_no_harm(stage: stages.Stage) -> None:
    thread = await stage.ask("!!say hello")
    await stage.slack.delete(people.ADA.id, stages.SALES, thread)

    await stage.until(lambda: _none_runs(stage))
    assert "still here" in await stage.chat("!!say still here")


async def test_removed_from_the_channel_in_the_middle_it_goes_on_elsewhere(stage: stages.Stage) -> None:
    thread = await stage.ask("!!say-slowly 30 50 word", channel=stages.ENGINEERING)
    await stage.saying("word", thread, channel=stages.ENGINEERING)

    await stage.slack.remove_bot(stages.ENGINEERING)
    elsewhere = await stage.chat("!!say here I am")
    await stage.until(lambda: _none_runs(stage))
    await stage.slack.add_bot(stages.ENGINEERING)

    assert "here I am" in elsewhere
    back = await stage.answer("!!say back again", channel=stages.ENGINEERING)
    assert "back again" in back


# HTTP mode


async def test_slack_verifies_the_address(stage: stages.Stage) -> None:
    assert await stage.slack.verify_events_url()


async def test_commands_buttons_and_the_home_work(stage: stages.Stage) -> None:
    told = await stage.whisper(
        people.BEN.id, stage.slack.command(people.BEN.id, stages.SALES, "/brick", "help")
    )
    assert "Ask me to build" in told

    thread = await stage.hold()
    await stage.let_go(thread)
    assert "Stopped after" in stages.words((await stage.over(thread))[-1])

    await stage.slack.open_home(people.ADA.id)
    view = await stage.until(lambda: stage.slack.home(people.ADA.id))
    assert view is not None
    assert home.PICK_ACTION in json.dumps(view)


async def test_what_is_posted_again_is_answered_once(stage: stages.Stage) -> None:
    async with stage.line.away():
        thread = await stage.ask("!!say once")
        await stage.until(lambda: stage.bot.said("event not accepted"))

    await stage.over(thread)
    await stage.quiet()
    assert len(stage.replies(thread)) == 1


@pytest.mark.parametrize("age", [0, 600], ids=["a wrong signature", "an old one"])
async def test_what_slack_did_not_sign_now_is_refused(stage: stages.Stage, age: int) -> None:
    before = await stage.turn_count()
    body = json.dumps({"type": "event_callback", "event_id": "Ev1", "event": {"type": "message"}})
    headers = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": str(int(time.time()) - age),
        "X-Slack-Signature": "v0=" + "0" * 64,
    }
    async with aiohttp.ClientSession() as http:
        unsigned = await http.post(stage.slack.events_url or "", data=body)
        forged = await http.post(stage.slack.events_url or "", data=body, headers=headers)

    assert (unsigned.status, forged.status) == (401, 401)
    assert await stage.turn_count() == before


def _posted(text: str | None) -> Json:
    ts = f"{time.time():.6f}"
    return {
        "type": "message",
        "channel": stages.SALES,
        "channel_type": "channel",
        "user": people.ADA.id,
        "text": text,
        "ts": ts,
        "event_ts": ts,
    }


async def _is_ignored(stage: stages.Stage, event: dict[str, Any]) -> None:
    """Acknowledged at the first delivery, and nothing comes of it."""
    before = await stage.turn_count()
    told = len(stage.slack.ephemerals(people.ADA.id))
    ts = f"{time.time():.6f}"

    await stage.slack.send_event({"ts": ts, "event_ts": ts, "channel_type": "channel", **event})
    async with asyncio.timeout(2.5):
        await stage.quiet()

    assert await stage.turn_count() == before
    assert len(stage.slack.ephemerals(people.ADA.id)) == told
    assert not [line for line in stage.bot.lines if line["level"] in ("error", "critical")]


def _none_runs(stage: stages.Stage) -> bool:
    lines = stage.bot.lines
    queued = sum(line["event"] == "turn queued" for line in lines)
    return bool(queued == sum(line["event"] == "turn ended" for line in lines))
