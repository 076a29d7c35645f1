"""A tool is a function; the registry makes the rest of it."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import pytest
import structlog
from mcp import Client
from mcp.types import CallToolResult, TextContent
from pydantic import Field

from agent import errors as agent_errors
from agent.databricks.clients import FixedToken, workspace_client
from agent.databricks.identities import ActingIdentity
from agent.databricks.threads import CallPool
from agent.tools import registry
from agent.tools.registry import Effect, Registry, ToolCall, ToolResult, tool


@tool(effect=Effect.READ, title="Greet")
async def greet(
    call: ToolCall,
    *,
    name: Annotated[str, "Whom to greet."],
    tone: Annotated[Literal["warm", "dry"], "How."] = "dry",
    times: Annotated[int, Field(ge=1, le=3, description="How often.")] = 1,
    schema: Annotated[str | None, "A name that models have already."] = None,
) -> ToolResult:
    """Say hello."""
    await asyncio.sleep(0)
    return ToolResult(text=f"{tone} {name} {times} {schema} for {call.sender_id}")


@tool(effect=Effect.WRITE, title="Break")
async def smash(call: ToolCall, *, how: str) -> ToolResult:
    """Break in a chosen way."""
    raise {
        "ours": agent_errors.AgentError("Not today. Token dapi0123456789."),
        "bug": KeyError("dapi0123456789"),
    }[how]


def a_call(*, sender: str = "U0ADA0001", turn_id: UUID | None = None) -> ToolCall:
    tokens = FixedToken("dapi-ada")
    identity = ActingIdentity(
        team_id="T0BRICK01",
        user_id=sender,
        host="http://127.0.0.1:9",
        user_name="ada@brickfield.example",
        databricks_id="1",
        shared=False,
        workspace=workspace_client(host="http://127.0.0.1:9", tokens=tokens),
        tokens=tokens,
    )
    return ToolCall(
        turn_id=turn_id or uuid4(),
        team_id="T0BRICK01",
        sender_id=sender,
        project_id="p1",
        project_dir=Path("/projects/sales"),
        policy="ask",
        identity=identity,
        pool=CallPool(),
        log=structlog.get_logger(),
    )


async def ask(
    tools: Registry, name: str, arguments: dict[str, Any], current: Any = a_call
) -> tuple[str, bool]:
    """What the model would read, through the real in-process server."""
    async with Client(tools.server(current)["instance"]) as client:
        result = await client.call_tool(name, arguments)
    assert isinstance(result, CallToolResult)
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text, bool(result.is_error)


def test_the_schema_keeps_descriptions_choices_limits_and_what_is_optional() -> None:
    schema = greet.schema
    assert schema["required"] == ["name"]
    assert schema["additionalProperties"] is False
    assert schema["properties"] == {
        "name": {"type": "string", "description": "Whom to greet."},
        "tone": {"type": "string", "enum": ["warm", "dry"], "default": "dry", "description": "How."},
        "times": {"type": "integer", "minimum": 1, "maximum": 3, "default": 1, "description": "How often."},
        "schema": {
            "anyOf": [{"type": "string"}, {"type": "null"}],
            "default": None,
            "description": "A name that models have already.",
        },
    }


async def test_a_call_gets_its_arguments_and_its_turn() -> None:
    text, is_error = await ask(Registry([greet]), "greet", {"name": "Ben", "times": 2, "schema": "s"})
    assert (text, is_error) == ("dry Ben 2 s for U0ADA0001", False)


@pytest.mark.parametrize(
    "arguments", [{}, {"name": 7}, {"name": "Ben", "tone": "loud"}, {"name": "Ben", "extra": 1}]
)
async def test_arguments_that_do_not_fit_are_an_error_result(arguments: dict[str, Any]) -> None:
    text, is_error = await ask(Registry([greet]), "greet", arguments)
    assert is_error
    assert "Traceback" not in text


async def test_an_error_of_ours_is_one_scrubbed_sentence() -> None:
    assert await ask(Registry([smash]), "smash", {"how": "ours"}) == ("Not today. Token [hidden].", True)


async def test_a_bug_shows_neither_traceback_nor_values() -> None:
    text, is_error = await ask(Registry([smash]), "smash", {"how": "bug"})
    assert is_error
    assert text == "The tool failed unexpectedly (KeyError). This is a fault of Bricklayer."


async def test_a_call_without_a_running_turn_does_nothing() -> None:
    def over() -> ToolCall:
        raise agent_errors.TurnOverError

    text, is_error = await ask(Registry([greet]), "greet", {"name": "Ben"}, over)
    assert (text, is_error) == (agent_errors.TurnOverError.sentence, True)


async def test_a_call_belongs_to_the_turn_that_ran_when_it_began() -> None:
    senders = iter(["U0ADA0001", "U0BEN0001"])
    tools = Registry([greet])

    def current() -> ToolCall:
        return a_call(sender=next(senders))

    both = await asyncio.gather(*(ask(tools, "greet", {"name": "x"}, current) for _ in range(2)))
    assert [text.rpartition(" ")[2] for text, _ in both] == ["U0ADA0001", "U0BEN0001"]


async def test_the_server_says_what_only_reads_and_is_always_loaded() -> None:
    config = registry.server(a_call)
    async with Client(config["instance"]) as client:
        listed = (await client.list_tools()).tools
    hints = {tool.name: tool.annotations and tool.annotations.read_only_hint for tool in listed}
    assert hints == {"execute_sql": False, "list_warehouses": True, "get_best_warehouse": True}
    assert dict(config)["alwaysLoad"] is True


def test_the_tools_are_found_by_being_written() -> None:
    found = registry.discover()
    assert found.names == ("execute_sql", "get_best_warehouse", "list_warehouses")
    assert found.get("mcp__databricks__execute_sql") is found.get("execute_sql")


def test_all_tools_together_cost_the_model_little() -> None:
    tools = [tool for name in registry.discover().names if (tool := registry.discover().get(name))]
    assert sum(len(json.dumps(tool.schema)) + len(tool.description) for tool in tools) < 4_000


def test_an_argument_that_is_not_keyword_only_is_a_mistake() -> None:
    async def wrong(call: ToolCall, name: str) -> ToolResult:
        return ToolResult(text=name)

    with pytest.raises(TypeError, match="keyword-only"):
        tool(effect=Effect.READ, title="Wrong")(wrong)
