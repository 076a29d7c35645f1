"""What one Slack message holds: the blocks that people see, and the text for everything that cannot show blocks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.views import limits, mentions

Block = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Content:
    """One message. ``text`` serves notifications and screen readers; build it with ``summary``."""

    text: str
    blocks: tuple[Block, ...] = ()


def summary(text: str) -> str:
    """``text`` made fit for a message's ``text``: within its limit, never empty, notifying nobody."""
    return limits.clip(mentions.escape(text.strip()), limits.MESSAGE_TEXT) or limits.ELLIPSIS


def plain(said: Content) -> list[Content]:
    """Everything that ``said`` says, as messages without blocks: the way out when Slack refuses the blocks."""
    words = "\n\n".join(text for block in said.blocks for text in _texts(block)).strip() or said.text
    pieces: list[Content] = []
    while words:
        piece = limits.head_of_words(words, limits.MESSAGE_TEXT) or words[:1]
        pieces.append(Content(text=piece.strip() or limits.ELLIPSIS))
        words = words[len(piece) :].lstrip("\n")
    return pieces


def _texts(block: Block) -> Iterator[str]:
    match block:
        case {"type": "markdown", "text": str(text)}:
            yield mentions.escape(text)
        case {"type": "section" | "header", "text": text}:
            yield _plain(text)
        case {"type": "context", "elements": elements}:
            yield "\n".join(_plain(element) for element in elements)


def _plain(element: Block) -> str:
    text = str(element.get("text", ""))
    return text if element.get("type") == "mrkdwn" else mentions.escape(text)
