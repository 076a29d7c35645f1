"""The stand-in against its real client: claude-agent-sdk and the CLI that it brings."""

import asyncio
import json

import pytest

from sandbox import claude
from tests.unit.sandbox_claude import driving

# Every test here starts a CLI, which takes half a second on an idle machine and several on a busy one.
pytestmark = pytest.mark.timeout(60)


async def test_a_question_is_answered_from_what_the_in_process_tool_returned(cli: driving.Cli) -> None:
    async with cli.client() as client:
        turn = await cli.turn(client, "which region sold most last month?")
    assert len(cli.statements) == 1
    assert "FROM main.sales.orders" in cli.statements[0]
    assert turn.text.startswith("Let me look at the orders by region.")
    assert "**North** sold most last month: **€12.50**" in turn.text
    assert "I am the sandbox's scripted model" in turn.text
    assert not turn.outcome.is_error


async def test_the_request_carries_the_tools_and_the_key(
    cli: driving.Cli, model: claude.ClaudeSandbox
) -> None:
    async with cli.client() as client:
        await cli.turn(client, "hello")
    (record,) = model.asked
    names = [tool["name"] for tool in record.body["tools"]]
    assert "mcp__databricks__execute_sql" in names
    assert record.token == claude.API_KEY
    assert record.size < 60_000
    assert "claude-cli" in record.headers["user-agent"]


async def test_the_model_says_once_per_conversation_that_it_is_scripted(cli: driving.Cli) -> None:
    async with cli.client() as client:
        first = await cli.turn(client, "hello")
        second = await cli.turn(client, "hello")
    assert "scripted model" in first.text
    assert "scripted model" not in second.text


async def test_calls_of_one_message_run_and_come_back_together(cli: driving.Cli) -> None:
    calls = [{"name": "execute_sql", "input": {"sql_query": f"SELECT {n}"}} for n in (1, 2)]
    async with cli.client() as client:
        turn = await cli.turn(
            client, f"!!say before\n!!tools {json.dumps(calls)}\n!!say after\n!!echo-results"
        )
    assert cli.statements == ["SELECT 1", "SELECT 2"]
    assert turn.text.startswith("beforeafter\n")
    assert turn.text.count('"North"') == 2


async def test_a_resumed_session_continues_the_conversation(
    cli: driving.Cli, model: claude.ClaudeSandbox
) -> None:
    async with cli.client() as client:
        first = await cli.turn(client, '!!tool execute_sql {"sql_query": "SELECT 1"}\n!!say one')
    async with cli.client(resume=first.outcome.session_id) as client:
        second = await cli.turn(client, "!!say two")
    assert second.text == "two"
    assert second.outcome.session_id == first.outcome.session_id
    said = [message["role"] for message in model.asked[-1].body["messages"] if message["role"] != "system"]
    assert said == ["user", "assistant", "user", "assistant", "user"]


async def test_an_interrupt_ends_the_stream_and_the_next_prompt_is_understood(
    cli: driving.Cli, model: claude.ClaudeSandbox
) -> None:
    async with cli.client() as client:
        await client.query("!!say-slowly 1000 20 word{i}")
        await model.wait_for(lambda: model.open_answers == 1, timeout=20)
        await asyncio.sleep(0.3)
        await client.interrupt()
        stopped = await cli.rest(client)
        await model.wait_for(lambda: model.open_answers == 0, timeout=2)
        following = await cli.turn(client, "!!say still here")
    assert "word1 " in stopped.text
    assert "word1000" not in stopped.text
    assert stopped.outcome.terminal_reason == "aborted_streaming"
    assert following.text == "still here"


async def test_a_stalled_answer_can_be_interrupted(cli: driving.Cli, model: claude.ClaudeSandbox) -> None:
    async with cli.client() as client:
        await client.query("!!stall")
        await model.wait_for(lambda: model.open_answers == 1, timeout=20)
        await client.interrupt()
        stopped = await cli.rest(client)
        # Unanswered, the stalled prompt stands before this one in the same message.
        following = await cli.turn(client, "!!say on we go")
    assert stopped.outcome.is_error
    assert following.text == "on we go"


async def test_an_overloaded_service_is_asked_again(cli: driving.Cli, model: claude.ClaudeSandbox) -> None:
    async with cli.client() as client:
        turn = await cli.turn(client, "!!error 529 overloaded_error 2\n!!say at last")
    assert turn.retries == 2
    assert turn.text == "at last"
    assert len(model.asked) == 3


async def test_an_error_that_stays_ends_the_turn_and_not_the_session(cli: driving.Cli) -> None:
    async with cli.client() as client:
        failed = await cli.turn(client, "!!error 400 invalid_request_error")
        following = await cli.turn(client, "!!say fine again")
    assert failed.outcome.is_error
    assert failed.outcome.api_error_status == 400
    assert following.text == "fine again"


async def test_a_wrong_key_is_refused(cli: driving.Cli) -> None:
    wrong = {"ANTHROPIC_API_KEY": "sk-ant-wrong", "CLAUDE_CODE_MAX_RETRIES": "0"}
    async with cli.client(env=wrong) as client:
        turn = await cli.turn(client, "hello")
    assert turn.outcome.is_error
    assert turn.outcome.api_error_status == 401


async def test_a_cut_stream_is_repeated(cli: driving.Cli) -> None:
    async with cli.client() as client:
        turn = await cli.turn(client, "!!say the beginning\n!!cut 1\n!!say the end")
    assert not turn.outcome.is_error
    assert turn.outcome.result == "the beginning\nthe end"


async def test_files_are_written_read_and_overwritten(cli: driving.Cli) -> None:
    async with cli.client() as client:
        written = await cli.turn(client, "write a report about the regions")
        shown = await cli.turn(client, "show the file report.md")
    async with cli.client() as client:
        # A new session has not read the file yet, which the CLI demands before it lets anybody overwrite it.
        await cli.turn(client, "write a report about revenue by month")
    assert "**`report.md`**" in written.text
    assert "# Revenue by region" in shown.text
    assert (cli.project / "report.md").read_text().startswith("# Revenue by month")


async def test_notes_are_added_to_the_projects_notes(cli: driving.Cli) -> None:
    async with cli.client() as client:
        await cli.turn(client, "please remember that we report in euros.")
        await cli.turn(client, "remember: the fiscal year starts in April")
    notes = (cli.project / "CLAUDE.md").read_text()
    assert notes == "# Project notes\n- we report in euros.\n- the fiscal year starts in April.\n"


async def test_a_long_text_arrives_whole(cli: driving.Cli) -> None:
    async with cli.client() as client:
        turn = await cli.turn(client, "!!big 40000")
    assert len(turn.text) == 40_000
    assert turn.outcome.result == turn.text
