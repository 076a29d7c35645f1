"""The bot's process ends, well or badly, and comes back: nothing accepted is lost, and nothing is left running."""

import time
from contextlib import suppress

import psutil
import pytest
import pytest_asyncio

from sandbox import people
from storage import leases, turns
from tests.acceptance import stages

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def stage(bare_stage: stages.Stage) -> stages.Stage:
    """The module's stage, with a bot that runs whatever the last test did to it."""
    if not bare_stage.is_running:
        await bare_stage.start()
    return bare_stage


async def test_a_killed_bot_goes_on_where_it_was(stage: stages.Stage) -> None:
    thread = await stage.ask("!!say my number is 4711")
    await stage.over(thread)
    await stage.hold(thread=thread)
    # Cleo's message is accepted, and her profile does not come: it is not handled when the end comes.
    stage.slack.faults.latency["users.info"] = 60.0
    accepted = await stage.ask("!!say hello Cleo", user=people.CLEO.id)
    await stage.until(lambda: not stages.on_the_way())
    assert await stage.unhandled() == 1

    await _kill(stage)
    stage.slack.faults.latency.clear()
    await _let_a_minute_pass(stage)
    written_meanwhile = await stage.ask("!!say hello Ben", user=people.BEN.id)
    await stage.start()

    replies = await stage.over(thread, count=2, within=20)
    assert "Interrupted after" in stages.words(replies[1])
    assert "here I stay" in stages.words(replies[1])
    assert "hello Cleo" in stages.words((await stage.over(accepted))[-1])
    assert "hello Ben" in stages.words((await stage.over(written_meanwhile))[-1])
    await stage.ask("!!say on we go", thread=thread)
    assert "on we go" in stages.words((await stage.over(thread, count=3))[-1])
    assert "my number is 4711" in str(stage.world.claude.asked[-1].body["messages"])


async def test_a_stopped_bot_ends_its_turns_and_leaves_nothing_behind(stage: stages.Stage) -> None:
    thread = await stage.hold()
    children = psutil.Process(stage.bot.process.pid).children(recursive=True)

    told = time.monotonic()
    code = await stage.bot.stop()

    assert code == 0
    assert time.monotonic() - told < 10
    (reply,) = stage.replies(thread)
    assert "Interrupted after" in stages.words(reply)
    assert "here I stay" in stages.words(reply)
    assert await stage.state(thread) is turns.TurnState.INTERRUPTED
    assert children
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert not list((stage.data / "run").iterdir())


async def _kill(stage: stages.Stage) -> None:
    """The whole machine goes, as far as the bot is concerned."""
    children = psutil.Process(stage.bot.process.pid).children(recursive=True)
    await stage.bot.kill()
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.kill()


async def _let_a_minute_pass(stage: stages.Stage) -> None:
    """The leases of the dead expire, and what was accepted becomes overdue."""
    lines = stage.bot.lines
    async with stage.database.transaction() as tx:
        await leases.Leases(tx).release_all(lines[-1]["replica"])
    await stage.age_events()
