"""What a turn can say, as frozen records.

A session yields these in the order in which they happened; the reply folds them into what people see, and the
turn stores them. Nothing here knows the Claude SDK or Slack, so both sides can be tested with plain values.
"""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Working:
    """The turn was claimed and is about to run; ``acting_as`` is the Databricks user name its tools use."""

    acting_as: str | None


@dataclass(frozen=True, kw_only=True)
class TextDelta:
    """A piece of the answer, to be appended to what came before."""

    text: str


@dataclass(frozen=True, kw_only=True)
class TextWithdrawn:
    """The last words, ``text``, do not count: the model's answer broke off and is begun anew."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Thinking:
    """The model is thinking; its words are not shown, only that it thinks."""


@dataclass(frozen=True, kw_only=True)
class ToolStarted:
    """A tool call began. ``summary`` is one line for people (a statement, a path), already shortened."""

    call_id: str
    name: str
    summary: str


@dataclass(frozen=True, kw_only=True)
class ToolFinished:
    """A tool call ended; ``summary`` is one line about the outcome (rows, an error's first line)."""

    call_id: str
    ok: bool
    summary: str


@dataclass(frozen=True, kw_only=True)
class Retrying:
    """The model's service failed and the call will be repeated in ``delay`` seconds."""

    attempt: int
    delay: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What this turn alone consumed."""

    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The turn is over. ``outcome`` is the turn's final state; ``error`` is one clear sentence when it failed.

    ``duration`` is in seconds from claim to end; ``changed_files`` are paths relative to the project's folder.
    """

    outcome: Literal["done", "stopped", "failed", "interrupted"]
    duration: float
    usage: Usage = field(default_factory=Usage)
    error: str | None = None
    acting_as: str | None = None
    changed_files: tuple[str, ...] = ()


Event = Working | TextDelta | TextWithdrawn | Thinking | ToolStarted | ToolFinished | Retrying | Finished
