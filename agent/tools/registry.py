"""What a tool is, and the in-process MCP server that offers all of them.

A tool is an async function whose first argument is the ``ToolCall`` it serves and whose other arguments, keyword-only
and annotated, are what the model fills in: pydantic turns the signature into the JSON schema and validates by it. A
tool joins by being written in a module of this package; there is no list to keep.

Identity is an argument. The server outlives turns and is called from the Claude client's reader task, where context
variables of a turn do not reach, so it asks ``current()`` once at the start of each call: that is the call's turn,
sender and client until it ends, whatever comes after.
"""

import asyncio
import functools
import importlib
import inspect
import pkgutil
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import claude_agent_sdk
import pydantic
import structlog
from mcp.types import ToolAnnotations
from structlog.typing import FilteringBoundLogger

from agent import errors as agent_errors
from agent.databricks import errors, identities, threads

log = structlog.get_logger(__name__)

SERVER_NAME = "databricks"
STOPPED = "The call was stopped."
LARGEST_RESULT = 60_000  # characters that Claude Code keeps inline instead of writing them to a file

P = ParamSpec("P")


class Effect(Enum):
    """Whether calling a tool can change anything outside this process."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """Everything one call may use. Whose rights it has is ``identity``, and nothing else."""

    turn_id: UUID
    team_id: str
    sender_id: str
    project_id: str
    #: The project's folder on this machine.
    project_dir: Path
    #: The project's policy: ``ask``, ``auto`` or ``read-only``.
    policy: str
    identity: identities.ActingIdentity
    pool: threads.CallPool
    log: FilteringBoundLogger


@dataclass(frozen=True, kw_only=True)
class ToolResult:
    """What the model gets to read."""

    text: str
    is_error: bool = False


ToolFunction = Callable[..., Awaitable[ToolResult]]


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool as it was written: its function, what it may do, and the model of its arguments."""

    name: str
    title: str
    description: str
    effect: Effect
    arguments: type[pydantic.BaseModel]
    run: ToolFunction = field(repr=False)

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of the arguments."""
        schema: dict[str, Any] = _without_titles(self.arguments.model_json_schema())
        return schema

    async def __call__(self, call: ToolCall, **arguments: object) -> ToolResult:
        """Validate and run; raises what the function raises, and ``pydantic.ValidationError``."""
        valid = self.arguments.model_validate(arguments)
        fields = self.arguments.model_fields
        return await self.run(call, **{str(of.alias): getattr(valid, name) for name, of in fields.items()})


def tool(
    *, effect: Effect, title: str
) -> Callable[[Callable[Concatenate[ToolCall, P], Awaitable[ToolResult]]], Tool]:
    """Make a tool of an async function; its name is the tool's, its docstring is what the model is told."""

    def made(function: Callable[Concatenate[ToolCall, P], Awaitable[ToolResult]]) -> Tool:
        return Tool(
            name=function.__name__,
            title=title,
            description=inspect.getdoc(function) or title,
            effect=effect,
            arguments=_arguments(function),
            run=function,
        )

    return made


class Registry:
    """A set of tools."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = {tool.name: tool for tool in sorted(tools, key=lambda tool: tool.name)}

    @property
    def names(self) -> tuple[str, ...]:
        """The tools' own names; the model sees them as ``mcp__databricks__<name>``."""
        return tuple(self._tools)

    def get(self, name: str) -> Tool | None:
        """The tool of this name, with or without the server's prefix."""
        return self._tools.get(name.removeprefix(f"mcp__{SERVER_NAME}__"))

    def server(self, current: Callable[[], ToolCall]) -> claude_agent_sdk.McpSdkServerConfig:
        """An in-process server over these tools for one session.

        ``current`` gives the call its turn; it raises ``TurnOverError`` when none is running.
        """
        made = claude_agent_sdk.create_sdk_mcp_server(
            SERVER_NAME, tools=[_offered(tool, current) for tool in self._tools.values()]
        )
        # The CLI would else leave the schemas out of the prompt until they are searched for.
        return cast(claude_agent_sdk.McpSdkServerConfig, {**made, "alwaysLoad": True})


@functools.cache
def discover() -> Registry:
    """Every tool that a module of this package defines."""
    package = importlib.import_module(__package__)
    found: dict[str, Tool] = {}
    for module in pkgutil.iter_modules(package.__path__, prefix=f"{__package__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Tool) and found.setdefault(value.name, value) is not value:
                raise RuntimeError(f"two tools are called {value.name}")
    return Registry(list(found.values()))


def server(current: Callable[[], ToolCall]) -> claude_agent_sdk.McpSdkServerConfig:
    """The server over all tools; see ``Registry.server``."""
    return discover().server(current)


def _offered(tool: Tool, current: Callable[[], ToolCall]) -> claude_agent_sdk.SdkMcpTool[Any]:
    async def handler(arguments: dict[str, Any]) -> dict[str, Any]:
        work = asyncio.create_task(_answered(tool, current, arguments), name=f"tool {tool.name}")
        try:
            # Whoever stops the turn cancels this task of ours; a cancelled handler would end the SDK's whole server.
            await asyncio.wait({work})
        finally:
            work.cancel()
        result = _failed(STOPPED) if work.cancelled() else work.result()
        return {"content": [{"type": "text", "text": result.text}], "is_error": result.is_error}

    annotations = {
        "title": tool.title,
        # Calls of one message run side by side only with this hint, so it must be true.
        "readOnlyHint": tool.effect is Effect.READ,
        "maxResultSizeChars": LARGEST_RESULT,
    }
    return claude_agent_sdk.SdkMcpTool(
        name=tool.name,
        description=tool.description,
        input_schema=tool.schema,
        handler=handler,
        annotations=ToolAnnotations.model_validate(annotations),
    )


async def _answered(tool: Tool, current: Callable[[], ToolCall], arguments: dict[str, Any]) -> ToolResult:
    """The boundary to the model: whatever goes wrong becomes one sentence without secrets or a traceback."""
    try:
        call = current()
    except agent_errors.AgentError as error:
        return _failed(str(error))
    try:
        return await tool(call, **arguments)
    except pydantic.ValidationError as error:
        return _failed(_invalid(error))
    except (agent_errors.AgentError, OSError) as error:
        said = error if isinstance(error, agent_errors.AgentError) else errors.from_sdk(error)
        call.log.info("tool refused or failed", tool=tool.name, error=type(said).__name__)
        return _failed(str(said))
    except Exception as error:  # noqa: BLE001  logged without its message and locals, which may hold secrets
        frames = traceback.format_tb(error.__traceback__)
        call.log.error("tool broke", tool=tool.name, error=type(error).__name__, frames="".join(frames))
        return _failed(
            f"The tool failed unexpectedly ({type(error).__name__}). This is a fault of Bricklayer."
        )


def _failed(sentence: str) -> ToolResult:
    return ToolResult(text=errors.scrub(sentence, limit=1000), is_error=True)


def _invalid(error: pydantic.ValidationError) -> str:
    """Which arguments are wrong and how, without their values."""
    wrong = (
        f"{'.'.join(map(str, detail['loc'])) or 'arguments'}: {detail['msg']}" for detail in error.errors()
    )
    return f"These arguments do not fit. {'; '.join(wrong)}."


def _arguments(function: Callable[..., object]) -> type[pydantic.BaseModel]:
    """The model of a tool's keyword-only arguments, descriptions taken from their annotations."""
    hints = get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    fields: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            raise TypeError(f"{function.__name__}: {parameter.name} must be keyword-only")
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        # Under an alias, because a model has attributes of its own ("schema") that a field must not hide.
        fields[f"{parameter.name}_"] = (
            _described(hints[parameter.name]),
            pydantic.Field(default, alias=parameter.name),
        )
    config = pydantic.ConfigDict(extra="forbid")
    return pydantic.create_model(function.__name__, __config__=config, **fields)


def _described(hint: Any) -> Any:
    """``Annotated[str, "words"]`` says in short what pydantic spells ``Field(description="words")``."""
    if get_origin(hint) is not Annotated:
        return hint
    kind, *notes = get_args(hint)
    fields = [pydantic.Field(description=note) if isinstance(note, str) else note for note in notes]
    return Annotated[(kind, *fields)]


def _without_titles(schema: Any) -> Any:
    """Pydantic's titles repeat the names and cost tokens at every request."""
    match schema:
        case dict():
            properties = schema.get("properties")
            slim = {
                key: _without_titles(value)
                for key, value in schema.items()
                if key != "properties" and not (key == "title" and isinstance(value, str))
            }
            if isinstance(properties, dict):
                slim["properties"] = {name: _without_titles(value) for name, value in properties.items()}
            return slim
        case list():
            return [_without_titles(item) for item in schema]
        case _:
            return schema
