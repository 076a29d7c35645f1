"""What a brain can say: the pieces of one answer of the model, as frozen records.

The server turns them into the Messages API's events; it is the only one that knows the wire. Silence and the ways
an answer can go wrong are blocks like any other, so a script reads top to bottom as what the client will see.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.claude import request


@dataclass(frozen=True, kw_only=True)
class Text:
    """Visible words, streamed word by word; ``delay`` is seconds per word (None: the server's ``chunk_delay``)."""

    text: str
    delay: float | None = None


@dataclass(frozen=True, kw_only=True)
class Thinking:
    """Thoughts before the answer; left out when the request did not ask for thinking."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of a tool, under the name that the request offered it by."""

    name: str
    input: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Calls:
    """Tool calls of one message. They end the answer; the results come with the next request."""

    calls: tuple[Call, ...]


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Silence of so many seconds; before anything else it also holds back the response's headers."""

    seconds: float


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An error of the API: a response of its own, or an ``error`` event once the stream has begun."""

    status: int
    type: str
    message: str = "The sandbox was told to fail here."
    #: seconds, sent as ``retry-after``
    retry_after: float | None = None


@dataclass(frozen=True, kw_only=True)
class Stall:
    """The stream stays open and nothing more comes."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The connection breaks in the middle of the stream."""


Block = Text | Thinking | Calls | Pause | Failure | Stall | Cut
Brain = Callable[[request.Request], AsyncIterator[Block]]
