"""A bot that cannot start says in one line what is wrong and what to do, and exits with 2.

A process takes seconds to import itself, so all of them are started at once.
"""

import asyncio
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.acceptance import bots, stages

pytestmark = pytest.mark.asyncio(loop_scope="session")

AWAY = {"SLACK_API_URL": "http://127.0.0.1:9/api/"}
WRONG = {
    "nothing": {"SLACK_BOT_TOKEN": ""},
    "a bot token": {"SLACK_BOT_TOKEN": "xoxb-somebody-elses"},
    "an app token": {"SLACK_APP_TOKEN": "xapp-1-somebody-elses"},
}


@dataclass(frozen=True, kw_only=True)
class Starts:
    """What became of the starts: the line that each wrong setting leads to, and the exit code of an early stop."""

    complaints: dict[str, str]
    stopped: int


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def starts(bare_stage: stages.Stage) -> Starts:
    """Bots that do not come up, side by side."""

    async def complaint(changed: dict[str, str]) -> str:
        bot = await bots.launch({**bare_stage.environment, **changed}, cwd=bare_stage.folder)
        assert await bot.ended() == 2
        (line,) = bot.complaints
        return line

    async def stopped() -> int:
        bot = await bare_stage.launch(AWAY)
        await bare_stage.until(lambda: bot.said("Slack not reached yet"))
        return await bot.stop()

    code, lines = await asyncio.gather(stopped(), asyncio.gather(*map(complaint, WRONG.values())))
    return Starts(complaints=dict(zip(WRONG, lines, strict=True)), stopped=code)


async def test_a_missing_setting_is_named_with_its_remedy(starts: Starts) -> None:
    line = starts.complaints["nothing"]

    assert line.startswith("bricklayer: SLACK_BOT_TOKEN is missing.")
    assert ".env.example" in line


async def test_a_token_that_slack_refuses_is_named(starts: Starts) -> None:
    line = starts.complaints["a bot token"]

    assert line.startswith("bricklayer: SLACK_BOT_TOKEN is refused by Slack (invalid_auth).")
    assert "somebody-elses" not in line


async def test_an_app_token_that_slack_refuses_is_named(starts: Starts) -> None:
    line = starts.complaints["an app token"]

    assert line.startswith("bricklayer: SLACK_APP_TOKEN is refused by Slack (invalid_auth).")
    assert "connections:write" in line


async def test_a_bot_that_is_stopped_while_slack_is_away_ends_at_once(starts: Starts) -> None:
    assert starts.stopped == 0
