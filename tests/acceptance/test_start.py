"""A bot that cannot start says in one line what is wrong and what to do, and exits with 2."""

import pytest

from tests.acceptance import stages

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _complaint(stage: stages.Stage, **changed: str) -> str:
    """The one line that the bot prints."""
    bot = await stage.launch(changed)
    assert await bot.ended() == 2
    (line,) = bot.complaints
    return line


async def test_a_missing_setting_is_named_with_its_remedy(bare_stage: stages.Stage) -> None:
    line = await _complaint(bare_stage, SLACK_BOT_TOKEN="")

    assert line.startswith("bricklayer: SLACK_BOT_TOKEN is missing.")
    assert ".env.example" in line


async def test_a_token_that_slack_refuses_is_named(bare_stage: stages.Stage) -> None:
    line = await _complaint(bare_stage, SLACK_BOT_TOKEN="xoxb-somebody-elses")

    assert line.startswith("bricklayer: SLACK_BOT_TOKEN is refused by Slack (invalid_auth).")
    assert "somebody-elses" not in line


async def test_an_app_token_that_slack_refuses_is_named(bare_stage: stages.Stage) -> None:
    line = await _complaint(bare_stage, SLACK_APP_TOKEN="xapp-1-somebody-elses")

    assert line.startswith("bricklayer: SLACK_APP_TOKEN is refused by Slack (invalid_auth).")
