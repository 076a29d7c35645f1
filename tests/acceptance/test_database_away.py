"""The database goes away and comes back: nothing is lost, people are told, and probes and counters say how it is."""

import json

import pytest

from sandbox import people
from storage import turns
from tests.acceptance import stages

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_pages_for_probes_say_how_things_stand(stage: stages.Stage) -> None:
    assert (await stage.bot.get("/readyz"))[0] == 200

    async with stage.line.away():
        status, body = await stage.bot.get("/readyz")
        assert (await stage.bot.get("/healthz"))[0] == 200

    assert status == 503
    checks = json.loads(body)["checks"]
    assert checks["slack"] == "ok"
    assert checks["database"] != "ok"
    assert (await stage.bot.get("/readyz"))[0] == 200


async def test_the_metrics_count_turns(stage: stages.Stage) -> None:
    await stage.chat("!!say counted")

    status, body = await stage.bot.get("/metrics")

    assert status == 200
    assert 'bricklayer_turns_total{outcome="done"}' in body


async def test_what_is_written_while_the_database_is_away_is_answered_once_afterwards(
    stage: stages.Stage,
) -> None:
    async with stage.line.away():
        thread = await stage.ask("!!say at last")
        await stage.until(lambda: stage.bot.said("event not accepted"))

    (reply,) = await stage.over(thread)
    assert "at last" in stages.words(reply)
    await stage.quiet()
    assert len(stage.replies(thread)) == 1


async def test_a_turn_that_ends_while_the_database_is_away_is_shown_and_stored_later(
    stage: stages.Stage,
) -> None:
    thread = await stage.ask("!!say-slowly 30 50 word{i}")
    await stage.saying("word", thread)

    async with stage.line.away():
        (reply,) = await stage.over(thread)
        assert "word30" in stages.words(reply)
        assert await stage.state(thread) is turns.TurnState.RUNNING

    await stage.until(lambda: stage.bot.said("listening"))
    await stage.ask("!!say and on", thread=thread)
    await stage.over(thread, count=2)
    assert await stage.state(thread) is turns.TurnState.DONE


async def test_a_command_while_the_database_is_away_gets_an_answer(stage: stages.Stage) -> None:
    async with stage.line.away():
        told = await stage.whisper(
            people.BEN.id, stage.slack.command(people.BEN.id, stages.SALES, "/brick", "status")
        )

    assert "cannot reach my database" in told


async def test_a_press_while_the_database_is_away_gets_an_answer(stage: stages.Stage) -> None:
    thread = await stage.hold()
    (reply,) = stage.replies(thread)

    async with stage.line.away():
        told = await stage.whisper(people.ADA.id, stage.press_stop(people.ADA.id, reply))

    assert "cannot reach my database" in told
    await stage.let_go(thread)
    await stage.over(thread)
