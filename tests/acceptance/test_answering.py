"""A message in Slack is answered in its thread."""

from tests.acceptance import bots, conftest


async def test_a_question_is_answered_from_the_workspace(stage: conftest.Stage, bot: bots.Bot) -> None:
    answer = await stage.answer("which region sold most last month?")

    assert "**West**" in answer
    assert "execute_sql" in answer
    assert "as shared@brickfield.example" in answer
