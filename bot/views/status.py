"""What runs and waits in a place, for the one who asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bot.views import content, elements, limits, mentions, wording

_SHOWN: Final = 15

State = Literal["queued", "running", "waiting"]


@dataclass(frozen=True, kw_only=True)
class Line:
    """A turn that is not over. ``age`` is in seconds since it was asked; ``link`` leads to its message, when known."""

    state: State
    sender_id: str
    prompt: str
    age: float
    link: str | None = None


def message(lines: Sequence[Line]) -> content.Content:
    """The turns in ``lines``, in the order given; to be sent to one person, since it names others."""
    if not lines:
        text = "Nothing runs or waits here. Mention me with a question to begin."
        return content.Content(text=text, blocks=(elements.section(text),))
    running = sum(line.state != "queued" for line in lines)
    title = f"{running} running, {len(lines) - running} queued here"
    shown = [_line(line) for line in lines[:_SHOWN]]
    hidden = len(lines) - len(shown)
    body = "\n".join([f"*{title}*", *shown, *([f"and {hidden} more"] if hidden > 0 else [])])
    return content.Content(text=title, blocks=(elements.section(body),))


def _line(line: Line) -> str:
    prompt = mentions.escape(limits.one_line(line.prompt, 80))
    link = f" · <{line.link}|open>" if line.link else ""
    return f"• {line.state} for {wording.duration(line.age)}, <@{line.sender_id}>: {prompt}{link}"
