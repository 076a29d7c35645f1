"""Pages of a list, and the cursors between them (docs.slack.dev/apis/web-api/pagination)."""

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from sandbox.slack import limits
from sandbox.slack.arguments import Arguments
from sandbox.slack.errors import SlackError
from sandbox.slack.values import Json

T = TypeVar("T")

_PREFIX = "next:"


def page(
    arguments: Arguments, everything: Sequence[T], *, size: int = limits.PAGE_DEFAULT
) -> tuple[list[T], Json]:
    """One page of ``everything`` and the fields that lead to the next; ``invalid_limit`` or ``invalid_cursor``."""
    most = arguments.whole("limit", size) or size
    if not 1 <= most <= limits.PAGE_MOST + 1:
        raise SlackError("invalid_limit")
    start = _start(arguments.text("cursor"))
    end = start + most
    cursor = _cursor(end) if end < len(everything) else ""
    return list(everything[start:end]), {"response_metadata": {"next_cursor": cursor}}


def _cursor(position: int) -> str:
    return base64.b64encode(f"{_PREFIX}{position}".encode()).decode()


def _start(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        decoded = base64.b64decode(cursor, validate=True).decode()
        return int(decoded.removeprefix(_PREFIX))
    except (binascii.Error, ValueError):
        raise SlackError("invalid_cursor") from None
