"""Ending turns early: who may, by which ways, and what is left."""

import asyncio
import time

import pytest

from bot.views import messages
from sandbox import people
from storage import turns
from tests.acceptance import stages

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_button_stops_the_answer_at_once(stage: stages.Stage) -> None:
    thread = await stage.ask("!!say-slowly 900 100 and")
    reply = await stage.saying("and and", thread)

    pressed = time.monotonic()
    await stage.press_stop(people.ADA.id, reply)
    (stopped,) = await stage.over(thread)

    assert time.monotonic() - pressed < stages.PROMPTLY
    assert "Stopped after" in stages.words(stopped)
    assert "and and" in stages.words(stopped)
    assert not stages.has_button(stopped, messages.STOP_ACTION)
    assert await stage.state(thread) is turns.TurnState.STOPPED
    await stage.world.claude.wait_for(lambda: not stage.world.claude.open_answers)


async def test_a_stopped_thread_goes_on_with_the_next_message(stage: stages.Stage) -> None:
    thread = await stage.hold()
    await stage.let_go(thread)
    await stage.over(thread)

    await stage.ask("!!say going on", thread=thread)
    replies = await stage.over(thread, count=2)

    assert "going on" in stages.words(replies[-1])
    assert "here I stay" in str(stage.world.claude.asked[-1].body["messages"])


async def test_only_the_sender_and_those_in_charge_may_stop(stage: stages.Stage) -> None:
    thread = await stage.hold(user=people.BEN.id)
    (reply,) = stage.replies(thread)

    told = await stage.whisper(people.CLEO.id, stage.press_stop(people.CLEO.id, reply))
    assert "Only the person who asked" in told
    assert not stage.ended(thread)

    await stage.press_stop(people.ADA.id, reply)
    assert "Stopped after" in stages.words((await stage.over(thread))[-1])


async def test_a_queued_message_is_stopped_alone(stage: stages.Stage) -> None:
    thread = await stage.hold()
    queued = await stage.ask("!!say never", thread=thread)
    waiting = await stage.saying("Queued behind 1 message", thread)

    await stage.press_stop(people.ADA.id, waiting)
    (stopped,) = [m for m in await stage.over(thread) if stages.is_over(m)]

    assert stopped["ts"] == waiting["ts"]
    assert await stage.state(queued) is turns.TurnState.STOPPED
    assert await stage.state(thread) is turns.TurnState.RUNNING
    told = await stage.whisper(people.ADA.id, stage.ask("!stop", thread=thread))
    assert "Stopping" in told
    await stage.over(thread, count=2)


async def test_the_slash_command_stops_what_the_person_has_in_the_channel(stage: stages.Stage) -> None:
    mine = await stage.hold(user=people.BEN.id)
    other = await stage.hold(user=people.CLEO.id)

    command = stage.slack.command(people.BEN.id, stages.SALES, "/brick", "stop")
    assert "Stopping" in await stage.whisper(people.BEN.id, command)

    assert "Stopped after" in stages.words((await stage.over(mine))[-1])
    assert not stage.ended(other)
    await stage.let_go(other)
    await stage.over(other)


async def test_stop_cancels_the_statement_on_the_workspace(stage: stages.Stage) -> None:
    thread = await stage.ask('!!tool execute_sql {"statement": "SELECT sandbox_sleep(60)"}')
    running = await stage.until(
        lambda: next((s for s in stage.world.databricks.statements if "sleep" in s.text), None)
    )
    assert running is not None

    await stage.press_stop(people.ADA.id, await stage.saying("execute_sql", thread))
    async with asyncio.timeout(10):
        await running.ended.wait()

    assert running.state == "CANCELED"
    await stage.over(thread)


@pytest.mark.parametrize("value", ["", "nonsense", "00000000-0000-0000-0000-000000000000", "x" * 2000])
async def test_a_press_with_a_value_of_nobody_gets_an_answer(stage: stages.Stage, value: str) -> None:
    told = await stage.whisper(people.ADA.id, stage.forge(people.ADA.id, messages.STOP_ACTION, value))

    assert "no longer know that button" in told or "already over" in told


async def test_a_button_that_does_not_exist_any_more_gets_an_answer(stage: stages.Stage) -> None:
    told = await stage.whisper(people.ADA.id, stage.forge(people.ADA.id, "report.frame", "1"))

    assert "no longer know that button" in told


async def test_stop_on_an_old_message_says_that_it_is_over(stage: stages.Stage) -> None:
    thread = await stage.ask("!!say short")
    await stage.over(thread)
    turn = await stage.turn(thread)
    assert turn is not None

    told = await stage.whisper(people.ADA.id, stage.forge(people.ADA.id, messages.STOP_ACTION, str(turn.id)))

    assert "already over" in told


async def test_a_guest_cannot_stop_anything(stage: stages.Stage) -> None:
    thread = await stage.hold()
    (reply,) = stage.replies(thread)

    told = await stage.whisper(people.GUS.id, stage.press_stop(people.GUS.id, reply))

    assert "full members" in told
    assert not stage.ended(thread)
    await stage.let_go(thread)
    await stage.over(thread)
