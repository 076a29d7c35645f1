"""A Messages request as the script wants to read it: who offers which tools, what was asked, what the tools answered.

All state of a conversation is in its messages, so nothing here remembers anything: the newest prompt is found by
walking back, and the tool results since then are grouped by the assistant message that called for them (a round).

What the Claude CLI does to messages decides the details. It merges consecutive user messages into one, so a prompt
that was never answered (an API error, an interrupt) stands before the newest one as a text block of its own: the
last text block is the prompt. It puts its reminders into the user's messages, lays a skill's body next to the
result of the call that loaded it, and sends its environment as messages of the role ``system``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

_REMINDER = re.compile(r"<system-reminder>.*?</system-reminder>", re.DOTALL)
#: how texts begin that the CLI writes into user messages by itself
_NOT_FROM_THE_USER = ("[Request interrupted by user", "Base directory for this skill:")


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool that the request offers."""

    name: str
    properties: Mapping[str, Any]

    @property
    def short_name(self) -> str:
        """``execute_sql`` for ``mcp__databricks__execute_sql``."""
        return self.name.rsplit("__", 1)[-1]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one tool call brought, beside the call itself."""

    tool: str
    input: Mapping[str, Any]
    text: str
    is_error: bool


Round = tuple[Result, ...]


@dataclass(frozen=True, kw_only=True)
class Request:
    """A checked request. ``attempt`` counts how often exactly these messages were sent before (a client's retries)."""

    model: str
    system: str
    messages: Sequence[Json]
    tools: tuple[Tool, ...]
    prompt: str
    rounds: tuple[Round, ...]
    wants_thinking: bool
    attempt: int
    body: Json

    def tool(self, name: str) -> Tool | None:
        """The offered tool with this name, with or without its ``mcp__server__`` prefix."""
        for tool in self.tools:
            if name in (tool.name, tool.short_name):
                return tool
        return None

    def said_before(self, text: str) -> bool:
        """Whether the assistant has said this earlier in the conversation."""
        return any(text in part for part in _texts(self.messages, role="assistant"))


def parse(body: Json, *, attempt: int = 0) -> Request:
    """Read a body that ``checks.check`` has let through."""
    messages: list[Json] = body["messages"]
    asked = _prompt_index(messages)
    thinking = body.get("thinking") or {}
    return Request(
        model=body["model"],
        system=flat_text(body.get("system", "")),
        messages=messages,
        tools=tuple(_tool(offered) for offered in body.get("tools") or []),
        prompt=_prompt(messages[asked]),
        rounds=_rounds(messages[asked + 1 :]),
        wants_thinking=thinking.get("type") in ("enabled", "adaptive"),
        attempt=attempt,
        body=body,
    )


def blocks_of(content: Any) -> list[Json]:
    """Content as blocks; a bare string is one text block."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content or [] if isinstance(block, dict)]


def flat_text(content: Any) -> str:
    """All text of a content, blocks separated by newlines."""
    return "\n".join(block["text"] for block in blocks_of(content) if block.get("type") == "text")


def _tool(offered: Json) -> Tool:
    schema = offered.get("input_schema") or {}
    return Tool(name=offered["name"], properties=schema.get("properties") or {})


def _prompt_index(messages: Sequence[Json]) -> int:
    for index in range(len(messages) - 1, 0, -1):
        if messages[index]["role"] == "user" and _prompt(messages[index]):
            return index
    return 0


def _prompt(message: Json) -> str:
    for block in reversed(blocks_of(message["content"])):
        text = _REMINDER.sub("", block.get("text", "")).strip()
        if block.get("type") == "text" and text and not text.startswith(_NOT_FROM_THE_USER):
            return text
    return ""


def _rounds(messages: Sequence[Json]) -> tuple[Round, ...]:
    rounds: list[Round] = []
    for message, following in zip(messages, messages[1:], strict=False):
        calls = {use["id"]: use for use in blocks_of(message["content"]) if use["type"] == "tool_use"}
        if calls and message["role"] == "assistant":
            results = [b for b in blocks_of(following["content"]) if b["type"] == "tool_result"]
            rounds.append(tuple(_result(calls[result["tool_use_id"]], result) for result in results))
    return tuple(rounds)


def _result(call: Json, result: Json) -> Result:
    return Result(
        tool=call["name"].rsplit("__", 1)[-1],
        input=call["input"],
        text=flat_text(result.get("content", "")),
        is_error=bool(result.get("is_error")),
    )


def _texts(messages: Sequence[Json], *, role: str) -> list[str]:
    return [flat_text(message["content"]) for message in messages if message["role"] == role]
