"""What the real Messages API refuses, refused in the same words where they are known.

Only what a client of ours could get wrong is checked; anything else passes (the API grows beta fields every month).
The sentences are those of docs.claude.com/en/api/messages and of errors seen in public issues.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.claude.errors import ApiError, invalid
from sandbox.claude.request import Json, blocks_of

#: bytes; docs.claude.com/en/api/errors, "request size limits"
MAX_BODY = 32 * 1024 * 1024
MAX_CACHE_MARKS = 4
_ROLES = ("user", "assistant", "system")
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_NEEDS_ID = "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
_NEEDS_RESULT = "Each `tool_use` block must have a corresponding `tool_result` block in the next message."


def check_headers(headers: Mapping[str, str], *, api_keys: Sequence[str]) -> str:
    """The key that the request came with; headers are looked up as they are, so pass a case-insensitive mapping."""
    key = headers.get("x-api-key")
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    if key is None and scheme.lower() != "bearer":
        raise ApiError(401, "x-api-key header is required")
    if key is not None and key not in api_keys:
        raise ApiError(401, "invalid x-api-key")
    if key is None and bearer not in api_keys:
        raise ApiError(401, "Invalid bearer token")
    if "anthropic-version" not in headers:
        raise invalid("anthropic-version: header is required")
    return key or bearer


def check(body: Any, *, counting: bool = False) -> Json:
    """The body as an object, or ``ApiError``; ``counting`` is for count_tokens, which has no ``max_tokens``."""
    if not isinstance(body, dict):
        raise invalid("The request body is not a valid JSON object.")
    _check_model(body.get("model"))
    if not counting:
        _check_max_tokens(body.get("max_tokens"))
    if not isinstance(body.get("messages"), list):
        raise invalid("messages: Field required")
    _check_tools(body.get("tools") or [])
    _check_messages(body["messages"])
    _check_cache_marks(body)
    return body


def _check_model(model: Any) -> None:
    if not isinstance(model, str) or not model:
        raise invalid("model: Field required")
    if "claude" not in model:
        raise ApiError(404, f"model: {model}")


def _check_max_tokens(value: Any) -> None:
    if value is None:
        raise invalid("max_tokens: Field required")
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid("max_tokens: Input should be a valid integer")
    if value < 1:
        raise invalid("max_tokens: Input should be greater than or equal to 1")


def _check_tools(tools: Sequence[Any]) -> None:
    seen: set[str] = set()
    for index, tool in enumerate(tools):
        name = tool.get("name") if isinstance(tool, dict) else None
        if not isinstance(name, str) or not _TOOL_NAME.fullmatch(name):
            raise invalid(f"tools.{index}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
        if name in seen:
            raise invalid("tools: Tool names must be unique.")
        # Anthropic's own tools carry a type and no schema.
        if tool.get("type") in (None, "custom") and not isinstance(tool.get("input_schema"), dict):
            raise invalid(f"tools.{index}.custom.input_schema: Field required")
        seen.add(name)


def _check_messages(messages: Sequence[Any]) -> None:
    if not messages:
        raise invalid("messages: at least one message is required")
    for index, message in enumerate(messages):
        _check_message(index, message, is_last=index == len(messages) - 1)
    if messages[0]["role"] != "user":
        raise invalid('messages: first message must use the "user" role')
    _check_pairs(messages)


def _check_message(index: int, message: Any, *, is_last: bool) -> None:
    role = message.get("role") if isinstance(message, dict) else None
    if role not in _ROLES:
        raise invalid(f"messages.{index}.role: Input should be 'user' or 'assistant'")
    content = message.get("content")
    if not isinstance(content, str | list):
        raise invalid(f"messages.{index}.content: Input should be a valid string or list")
    if not content and not (is_last and role == "assistant"):
        raise invalid(
            f"messages.{index}: all messages must have non-empty content except for the optional final"
            " assistant message"
        )
    for place, block in enumerate(content if isinstance(content, list) else blocks_of(content)):
        _check_block(f"messages.{index}.content.{place}", block, role=role)


def _check_block(where: str, block: Any, *, role: str) -> None:
    kind = block.get("type") if isinstance(block, dict) else None
    if not isinstance(kind, str):
        raise invalid(f"{where}.type: Field required")
    if kind == "text":
        _check_text(block.get("text"), where=where)
    if kind == "tool_use":
        if role != "assistant":
            raise invalid(f"{where}: `tool_use` blocks can only be in `assistant` messages")
        if not isinstance(block.get("input"), dict):
            raise invalid(f"{where}.tool_use.input: Input should be a valid dictionary")
    if kind == "tool_result":
        if role != "user":
            raise invalid(f"{where}: `tool_result` blocks can only be in `user` messages")
        for part in blocks_of(block.get("content") or []):
            # A result that is a bare empty string is allowed; an empty text block in it is not.
            if not isinstance(block["content"], str):
                _check_block(f"{where}.tool_result.content", part, role=role)


def _check_text(text: Any, *, where: str) -> None:
    if not isinstance(text, str):
        raise invalid(f"{where}.text.text: Field required")
    if not text:
        raise invalid("messages: text content blocks must be non-empty")
    if not text.strip():
        raise invalid("messages: text content blocks must contain non-whitespace text")


def _check_pairs(messages: Sequence[Json]) -> None:
    """Every call is answered in the next message, once, and nothing else is."""
    open_ids: list[str] = []
    used: set[str] = set()
    for index, message in enumerate(messages):
        blocks = blocks_of(message["content"])
        answered = _answered(index, blocks, asked=open_ids)
        missing = [call_id for call_id in open_ids if call_id not in answered]
        if missing:
            raise _unanswered(index - 1, missing)
        open_ids = [str(block.get("id")) for block in blocks if block["type"] == "tool_use"]
        if len(set(open_ids)) < len(open_ids) or used & set(open_ids):
            raise invalid(f"messages.{index}: `tool_use` ids must be unique")
        used |= set(open_ids)
    if open_ids:
        raise _unanswered(len(messages) - 1, open_ids)


def _answered(index: int, blocks: Sequence[Json], *, asked: Sequence[str]) -> set[str]:
    answered: set[str] = set()
    text_came = False
    for place, block in enumerate(blocks):
        if block["type"] != "tool_result":
            text_came = True
            continue
        call_id = str(block.get("tool_use_id"))
        if call_id not in asked:
            where = f"messages.{index}.content.{place}"
            raise invalid(
                f"{where}: unexpected `tool_use_id` found in `tool_result` blocks: {call_id}. {_NEEDS_ID}"
            )
        if call_id in answered:
            raise invalid(
                f"each tool_use must have a single result. Found multiple `tool_result` blocks with id: {call_id}"
            )
        if text_came:
            raise _unanswered(index - 1, [call_id])
        answered.add(call_id)
    return answered


def _unanswered(index: int, call_ids: Sequence[str]) -> ApiError:
    ids = ", ".join(call_ids)
    return invalid(
        f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: {ids}."
        f" {_NEEDS_RESULT}"
    )


def _check_cache_marks(body: Json) -> None:
    system = body.get("system") or []
    marked = [*(body.get("tools") or []), *(system if isinstance(system, list) else [])]
    marked += [block for message in body["messages"] for block in blocks_of(message["content"])]
    count = sum(1 for block in marked if block.get("cache_control"))
    if count > MAX_CACHE_MARKS:
        raise invalid(
            f"A maximum of {MAX_CACHE_MARKS} blocks with cache_control may be provided. Found {count}."
        )
