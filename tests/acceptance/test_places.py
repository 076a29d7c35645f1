"""How an answer comes, and to which places: it grows, it may be long, and a project has its own people."""

import json
import re

import pytest

from bot.views import home, messages
from sandbox import people
from storage import turns
from tests.acceptance import stages

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_reply_appears_at_once_with_a_way_to_stop_it(stage: stages.Stage) -> None:
    await stage.answer("!!say warming up")

    thread = await stage.ask("!!say hello")
    await stage.over(thread)

    asked = stage.slack.history[(stages.SALES, thread)][0]
    first = stage.slack.history[(stages.SALES, stage.replies(thread)[0]["ts"])][0]
    assert first.at - asked.at < stages.PROMPTLY
    assert "Working" in stages.words(first.message)
    assert stages.has_button(first.message, messages.STOP_ACTION)


async def test_the_answer_grows_while_it_is_written(stage: stages.Stage) -> None:
    thread = await stage.ask("!!say-slowly 80 40 word{i}")

    (reply,) = await stage.over(thread)

    counts = [version.count("word") for version in stage.versions(reply)]
    assert counts == sorted(counts)
    assert len(set(counts)) >= 4
    assert counts[-1] == 80
    assert not stages.has_button(reply, messages.STOP_ACTION)


async def test_a_direct_message_needs_no_mention(stage: stages.Stage) -> None:
    direct = stage.slack.direct(people.BEN.id)

    assert "at your service" in await stage.answer(
        "!!say at your service", user=people.BEN.id, channel=direct
    )


async def test_direct_messages_go_to_the_project_that_was_picked_at_home(stage: stages.Stage) -> None:
    said = await stage.ask("!!say a project for engineering", channel=stages.ENGINEERING)
    await stage.over(said, channel=stages.ENGINEERING)
    project = (await _turn(stage, said, stages.ENGINEERING)).project_id
    await stage.slack.open_home(people.CLEO.id)
    await stage.until(lambda: "engineering" in _home(stage, people.CLEO))

    await stage.slack.press_in_view(people.CLEO.id, "home", home.PICK_ACTION, value=str(project))
    await stage.until(lambda: "✓ *engineering*" in _home(stage, people.CLEO))
    direct = stage.slack.direct(people.CLEO.id)
    asked = await stage.ask("!!say here", user=people.CLEO.id, channel=direct)
    await stage.over(asked, channel=direct)

    assert (await _turn(stage, asked, direct)).project_id == project


async def test_a_private_channels_project_is_shown_to_its_members_alone(stage: stages.Stage) -> None:
    said = await stage.ask("!!say between us", user=people.CLEO.id, channel=stages.FINANCE)
    await stage.over(said, channel=stages.FINANCE)

    for person in (people.ADA, people.BEN):
        await stage.slack.open_home(person.id)
    await stage.until(lambda: "finance" in _home(stage, people.ADA))
    await stage.until(lambda: _home(stage, people.BEN))

    assert "finance" not in _home(stage, people.BEN)


async def test_a_long_answer_arrives_whole_over_several_messages(stage: stages.Stage) -> None:
    thread = await stage.ask("!!big 30000")

    await stage.saying("first point of z", thread)
    await stage.until(lambda: stages.is_over(stage.replies(thread)[-1]))
    replies = stage.replies(thread)
    said = "\n".join(stages.words(reply) for reply in replies)
    parts = [int(number) for number in re.findall(r"## Part (\d+)", said)]
    assert len(replies) >= 3
    assert parts == list(range(1, len(parts) + 1))
    assert len(said) > 29_000
    assert not any(stages.is_over(reply) for reply in replies[:-1])


async def test_a_table_arrives_as_it_was_written(stage: stages.Stage) -> None:
    table = "| region | sold |\n|---|---|\n| West | 12 |\n| East | 9 |"

    answer = await stage.answer("!!markdown " + json.dumps(f"Sales:\n\n{table}\n\n**West** wins."))

    assert table in answer
    assert "**West** wins." in answer


async def test_an_answer_calls_nobody(stage: stages.Stage) -> None:
    thread = await stage.ask("!!say <!channel> and <!here> and <@U0BEN0001> and @everyone look")

    (reply,) = await stage.over(thread)

    shown = str(stage.slack.history[(stages.SALES, reply["ts"])])
    assert "look" in stages.words(reply)
    for call in ("<!channel", "<!here", "<@U0BEN0001", "@everyone"):
        assert call not in shown


def _home(stage: stages.Stage, person: people.Person) -> str:
    view = stage.slack.home(person.id)
    return stages.words(view) if view else ""


async def _turn(stage: stages.Stage, ts: str, channel: str) -> turns.Turn:
    turn = await stage.turn(ts, channel=channel)
    assert turn is not None
    return turn
