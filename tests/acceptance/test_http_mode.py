"""Events, commands and buttons over HTTP: signed, acknowledged and answered as through a socket."""

import json
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from bot.views import home
from sandbox import people
from sandbox.world import World
from tests.acceptance import stages
from tests.integration.conftest import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")


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


async def test_slack_verifies_the_address(stage: stages.Stage) -> None:
    assert await stage.slack.verify_events_url()


async def test_a_mention_is_answered(stage: stages.Stage) -> None:
    assert "over http" in await stage.chat("!!say over http")


async def test_commands_buttons_and_the_home_work(stage: stages.Stage) -> None:
    told = await stage.whisper(
        people.BEN.id, stage.slack.command(people.BEN.id, stages.SALES, "/brick", "help")
    )
    assert "Ask me to build" in told

    thread = await stage.ask("!!say word\n!!sleep 90")
    await stage.press_stop(people.ADA.id, await stage.saying("word", thread))
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
