"""A tool call and its outcome in one line each, for the step list that people see."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from agent.databricks import errors

LONGEST = 100  # characters

# The argument that tells the most, for the tools whose first one does not.
_TELLING = {
    "Bash": "command",
    "Read": "file_path",
    "Write": "file_path",
    "Edit": "file_path",
    "Glob": "pattern",
    "Grep": "pattern",
    "Skill": "skill",
    "execute_sql": "statement",
}
_PATHS = frozenset({"file_path", "path"})
# What the CLI puts around an error's words: a hook's refusal, and its own.
_WRAPPED = re.compile(r"^(?:PreToolUse:\w+ hook error:\s*|<tool_use_error>)|</tool_use_error>$")
_LIST_NAMES = {"warehouses": "warehouse"}

Content = str | Sequence[Mapping[str, Any]] | None


def summarize(name: str, input: Mapping[str, Any], *, project_dir: Path | None = None) -> str:
    """What the call is about; paths inside ``project_dir`` are given relative to it. May be empty."""
    argument = _TELLING.get(_short(name)) or next(
        (key for key, value in input.items() if isinstance(value, str)), ""
    )
    value = input.get(argument)
    if not isinstance(value, str):
        return ""
    if argument in _PATHS:
        return _line(_relative(value, project_dir))
    if argument == "statement":
        return _line("\n".join(line for line in value.splitlines() if not line.lstrip().startswith("--")))
    return _line(value)


def summarize_result(name: str, content: Content, *, is_error: bool = False) -> str:
    """What came out: the number of rows, an error's first sentence, or a first line. May be empty."""
    text = _text(content)
    if is_error:
        return _line(_WRAPPED.sub("", next(iter(text.splitlines()), "")))
    answer = _object(text)
    if _short(name) == "execute_sql" and answer:
        return _rows(answer)
    for key, noun in _LIST_NAMES.items():
        if isinstance(found := answer.get(key), list):
            return _count(len(found), noun)
    if isinstance(label := answer.get("name"), str):
        return _line(label)
    return "" if answer else _line(next(iter(text.splitlines()), ""))


def _short(name: str) -> str:
    return name.rpartition("__")[2]


def _relative(path: str, project_dir: Path | None) -> str:
    if project_dir is None or not PurePath(path).is_relative_to(project_dir):
        return path
    return str(PurePath(path).relative_to(project_dir))


def _line(text: str) -> str:
    return errors.scrub(text, limit=LONGEST)


def _text(content: Content) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(
        str(block["text"]) for block in content if block.get("type") == "text" and "text" in block
    )


def _object(text: str) -> dict[str, Any]:
    if not text.startswith("{"):
        return {}
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _rows(answer: Mapping[str, Any]) -> str:
    count = answer.get("row_count")
    if not isinstance(count, int):
        return ""
    return _count(count, "row") + (", more exist" if answer.get("truncated") else "")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
