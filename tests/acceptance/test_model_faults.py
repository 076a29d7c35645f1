"""The model and Claude's process on a bad day: one clear sentence, and the bot goes on."""

from contextlib import suppress

import psutil
import pytest

from tests.acceptance import stages

pytestmark = pytest.mark.asyncio(loop_scope="session")


# The model


async def test_a_model_that_is_overloaded_for_a_moment_is_asked_again(stage: stages.Stage) -> None:
    answer = await stage.chat("!!error 529 overloaded_error 2\n!!say got through")

    assert "got through" in answer
    assert "Done in" in answer


@pytest.mark.parametrize(
    ("status", "kind", "sentence"),
    [
        (401, "authentication_error", "refused Bricklayer's credentials"),
        (400, "invalid_request_error", "The model refused this request"),
    ],
)
async def test_a_model_that_refuses_is_told_in_one_sentence(
    stage: stages.Stage, status: int, kind: str, sentence: str
) -> None:
    answer = await stage.chat(f"!!error {status} {kind}")

    assert sentence in answer
    assert "Failed after" in answer
    assert "API Error" not in answer


async def test_a_thread_that_failed_goes_on(stage: stages.Stage) -> None:
    await stage.chat("!!error 400 invalid_request_error")

    assert "fine now" in await stage.chat("!!say fine now")


async def test_an_answer_that_breaks_off_is_asked_for_again(stage: stages.Stage) -> None:
    answer = await stage.chat("!!say half of it\n!!cut 1\n!!say whole")

    assert "whole" in answer
    assert "Done in" in answer


# Claude's process


async def test_when_claude_is_killed_the_turn_says_so_and_the_next_one_works(stage: stages.Stage) -> None:
    thread = await stage.ask("!!say my number is 4711")
    await stage.over(thread)
    await stage.ask("!!say word word\n!!sleep 90", thread=thread)
    await stage.saying("word word", thread)

    _kill_children(stage)

    replies = await stage.over(thread, count=2)
    assert "Claude stopped unexpectedly" in stages.words(replies[-1])
    assert "word word" in stages.words(replies[-1])
    await stage.ask("!!say on we go", thread=thread)
    assert "on we go" in stages.words((await stage.over(thread, count=3))[-1])
    assert "my number is 4711" in str(stage.world.claude.asked[-1].body["messages"])


async def test_when_claude_is_killed_between_turns_nobody_notices(stage: stages.Stage) -> None:
    thread = await stage.ask("!!say first")
    await stage.over(thread)

    _kill_children(stage)
    await stage.ask("!!say second", thread=thread)

    assert "second" in stages.words((await stage.over(thread, count=2))[-1])


def _kill_children(stage: stages.Stage) -> None:
    """Kill every process that the bot has started."""
    for child in psutil.Process(stage.bot.process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            child.kill()
