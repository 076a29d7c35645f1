"""A bot that cannot start says in one line what is wrong and what to do, and exits with 2."""

import asyncio

import pytest
import pytest_asyncio

from tests.acceptance import bots, stages

pytestmark = pytest.mark.asyncio(loop_scope="session")

WRONG = {
    "nothing": {"SLACK_BOT_TOKEN": ""},
    "a bot token": {"SLACK_BOT_TOKEN": "xoxb-somebody-elses"},
    "an app token": {"SLACK_APP_TOKEN": "xapp-1-somebody-elses"},
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def complaints(bare_stage: stages.Stage) -> dict[str, str]:
    """What bots with these settings say before they exit with 2, all started at once."""

    async def complaint(changed: dict[str, str]) -> str:
        bot = await bots.launch({**bare_stage.environment, **changed}, cwd=bare_stage.folder)
        assert await bot.ended() == 2
        (line,) = bot.complaints
        return line

    lines = await asyncio.gather(*(complaint(changed) for changed in WRONG.values()))
    return dict(zip(WRONG, lines, strict=True))


async def test_a_missing_setting_is_named_with_its_remedy(complaints: dict[str, str]) -> None:
    line = complaints["nothing"]

    assert line.startswith("bricklayer: SLACK_BOT_TOKEN is missing.")
    assert ".env.example" in line


async def test_a_token_that_slack_refuses_is_named(complaints: dict[str, str]) -> None:
    line = complaints["a bot token"]

    assert line.startswith("bricklayer: SLACK_BOT_TOKEN is refused by Slack (invalid_auth).")
    assert "somebody-elses" not in line


async def test_an_app_token_that_slack_refuses_is_named(complaints: dict[str, str]) -> None:
    line = complaints["an app token"]

    assert line.startswith("bricklayer: SLACK_APP_TOKEN is refused by Slack (invalid_auth).")
    assert "connections:write" in line
