"""Token counts as plausible as four characters a token, and a prompt cache that behaves like the real one.

A request is a row of pieces (tools, system, message blocks). A ``cache_control`` mark stores the row up to it; a
later request reads the longest stored row it begins with and stores up to its own last mark
(docs.claude.com/en/docs/build-with-claude/prompt-caching). Rows are remembered by hash.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.claude.request import Json, blocks_of

CHARACTERS_PER_TOKEN = 4
#: shorter rows are not cached
MINIMUM_CACHED_TOKENS = 1024
_REMEMBERED_ROWS = 10_000


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Tokens of a request's input, split as the API reports them."""

    fresh: int
    cache_read: int
    cache_written: int

    def as_json(self, *, output_tokens: int) -> Json:
        """The ``usage`` object of a message."""
        return {
            "input_tokens": self.fresh,
            "cache_creation_input_tokens": self.cache_written,
            "cache_read_input_tokens": self.cache_read,
            "output_tokens": output_tokens,
            "service_tier": "standard",
        }


@dataclass(frozen=True, kw_only=True)
class _Edge:
    """The end of one piece: hash and tokens of the row up to here."""

    digest: str
    tokens: int
    is_marked: bool


class PromptCache:
    """Rows that were marked, newest kept."""

    def __init__(self) -> None:
        self._rows: OrderedDict[str, None] = OrderedDict()

    def measure(self, body: Json) -> Usage:
        """Count a request and store its marked rows."""
        edges = list(_edges(body))
        total = edges[-1].tokens
        last_mark = max((edge.tokens for edge in edges if edge.is_marked), default=0)
        known = (edge.tokens for edge in edges if edge.tokens <= last_mark and edge.digest in self._rows)
        read = max(known, default=0)
        self._store(edges)
        written = last_mark - read if last_mark >= MINIMUM_CACHED_TOKENS else 0
        return Usage(fresh=total - read - written, cache_read=read, cache_written=written)

    def _store(self, edges: list[_Edge]) -> None:
        for edge in edges:
            if edge.is_marked and edge.tokens >= MINIMUM_CACHED_TOKENS:
                self._rows[edge.digest] = None
                self._rows.move_to_end(edge.digest)
        while len(self._rows) > _REMEMBERED_ROWS:
            self._rows.popitem(last=False)


def count(body: Json) -> int:
    """Tokens of the whole input."""
    return max(edge.tokens for edge in _edges(body))


def tokens_in(text: str) -> int:
    """Tokens of a text, at least one."""
    return max(1, len(text) // CHARACTERS_PER_TOKEN)


def digest(body: Json) -> str:
    """A hash of the messages and their session, the same for every retry of a request."""
    pieces = [body.get("metadata") or {}]
    pieces += [piece for message in body["messages"] for piece in _message_pieces(message)]
    return hashlib.sha256("\n".join(map(_plain, pieces)).encode()).hexdigest()


def _edges(body: Json) -> Iterator[_Edge]:
    row, characters = hashlib.sha256(), 0
    for piece in _pieces(body):
        text = _plain(piece)
        row.update(text.encode())
        characters += len(text)
        yield _Edge(
            digest=row.hexdigest(),
            tokens=max(1, characters // CHARACTERS_PER_TOKEN),
            is_marked=bool(piece.get("cache_control")),
        )


def _pieces(body: Json) -> Iterator[Json]:
    yield from body.get("tools") or []
    yield from blocks_of(body.get("system") or "")
    for message in body["messages"]:
        yield from _message_pieces(message)


def _message_pieces(message: Json) -> Iterator[Json]:
    for block in blocks_of(message["content"]):
        yield {"role": message["role"], **block}


def _plain(piece: Json) -> str:
    unmarked: dict[str, Any] = {key: value for key, value in piece.items() if key != "cache_control"}
    return json.dumps(unmarked, sort_keys=True, ensure_ascii=False)
