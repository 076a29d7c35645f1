"""People write, and the bot answers in the thread."""

import pytest

from sandbox import people
from storage import turns
from tests.acceptance import stages

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_question_is_answered_from_the_workspace(stage: stages.Stage) -> None:
    answer = await stage.answer("which region sold most last month?")

    assert "**West**" in answer
    assert "execute_sql" in answer
    assert "as shared@brickfield.example" in answer


async def test_a_follow_up_goes_on_in_the_same_session_without_a_mention(stage: stages.Stage) -> None:
    thread = await stage.ask("!!say my number is 4711")
    await stage.over(thread)
    started = _sessions_started(stage)

    await stage.ask("!!say noted", thread=thread)
    await stage.over(thread, count=2)

    assert "my number is 4711" in str(stage.world.claude.asked[-1].body["messages"][:-1])
    assert _sessions_started(stage) == started


async def test_a_thread_is_answered_in_order_and_others_do_not_wait_for_it(stage: stages.Stage) -> None:
    thread = await stage.hold()
    await stage.ask("!!say two", thread=thread)
    queued = await stage.saying("Queued behind 1 message", thread)

    assert "elsewhere" in await stage.answer("!!say elsewhere", user=people.BEN.id)
    assert not stage.ended(thread)

    await stage.let_go(thread)
    first, second = await stage.over(thread, count=2)
    assert second["ts"] == queued["ts"]
    assert "here I stay" in stages.words(first)
    assert stages.words(second).startswith("two")


async def test_people_talking_to_each_other_are_left_alone(stage: stages.Stage) -> None:
    theirs = await stage.slack.say(people.BEN.id, stages.SALES, "lunch at noon?")
    before = await stage.turn_count()

    await stage.slack.say(people.CLEO.id, stages.SALES, "one o'clock", thread_ts=theirs)
    await stage.quiet()

    assert await stage.turn_count() == before
    assert stage.replies(theirs) == []


@pytest.mark.parametrize("aside", ["!aside he is slow today", "@ben what do you think?"])
async def test_an_aside_in_a_thread_of_ours_is_not_for_us(stage: stages.Stage, aside: str) -> None:
    thread = await stage.ask("!!say hello")
    await stage.over(thread)

    said = await stage.slack.say(people.ADA.id, stages.SALES, aside, thread_ts=thread)
    await stage.quiet()

    assert await stage.turn(said) is None
    assert len(stage.replies(thread)) == 1


async def test_a_queued_message_runs_as_it_was_last_edited(stage: stages.Stage) -> None:
    thread = await stage.hold()
    queued = await stage.ask("!!say the old words", thread=thread)
    await stage.saying("Queued behind 1 message", thread)

    await stage.slack.edit(people.ADA.id, stages.SALES, queued, "!!say the new words")
    await stage.quiet()
    await stage.let_go(thread)

    replies = await stage.over(thread, count=2)
    assert stages.words(replies[-1]).startswith("the new words")


async def test_a_queued_message_that_is_deleted_is_not_run(stage: stages.Stage) -> None:
    thread = await stage.hold()
    queued = await stage.ask("!!say never", thread=thread)
    reply = await stage.saying("Queued behind 1 message", thread)

    await stage.slack.delete(people.ADA.id, stages.SALES, queued)

    await stage.over(thread, count=1)
    (withdrawn,) = stage.ended(thread)
    assert withdrawn["ts"] == reply["ts"]
    assert "Stopped after" in stages.words(withdrawn)
    assert await stage.state(queued) is turns.TurnState.STOPPED
    await stage.let_go(thread)
    await stage.over(thread, count=2)


async def test_called_into_a_thread_it_knows_what_was_said_there(stage: stages.Stage) -> None:
    thread = await stage.slack.say(people.BEN.id, stages.SALES, "the budget is 4242 for #engineering")
    await stage.slack.say(people.CLEO.id, stages.SALES, "more like 5353", thread_ts=thread)

    await stage.quiet()
    await stage.slack.say(
        people.ADA.id, stages.SALES, "@bricklayer what do they mean?\n!!echo-prompt", thread_ts=thread
    )
    (reply,) = await stage.over(thread)

    prompt = stage.prompt()
    assert "ben: the budget is 4242" in prompt
    assert "cleo: more like 5353" in prompt
    assert prompt.index("5353") < prompt.index("what do they mean?")
    assert "4242" in stages.words(reply)


def _sessions_started(stage: stages.Stage) -> int:
    return sum(line["event"] == "session started" for line in stage.bot.lines)
