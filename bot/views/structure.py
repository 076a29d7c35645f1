"""Where the blocks of a Markdown text begin and end, in lines, as markdown-it-py reads them.

Only the block structure is parsed: that is what decides where a text may be cut, and it is several times cheaper than
a whole parse of a text that is parsed again whenever it has grown.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, Self

from markdown_it import MarkdownIt
from markdown_it.token import Token

Kind = Literal["fence", "table", "list", "quote", "heading", "code", "text"]

_KINDS: Final[dict[str, Kind]] = {
    "fence": "fence",
    "table_open": "table",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "blockquote_open": "quote",
    "heading_open": "heading",
    "code_block": "code",
}
_PARSER: Final = MarkdownIt("commonmark").enable("table")
_PARSER.core.ruler.enableOnly(["normalize", "block"])

# A language is a word; what is longer would take the room of the code.
_LANGUAGE_LENGTH: Final = 60
_FENCE = re.compile(
    r"(?P<prefix>[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(?P<mark>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)\n?$"
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """One top-level block with the blank lines after it; the blocks of a text, joined, are the text.

    ``lines`` keep their line ends. ``items`` are the offsets in ``lines`` where a list's items begin, ``tables`` those
    where tables begin at any depth, ``columns`` the number of columns of a table.
    """

    kind: Kind
    lines: tuple[str, ...]
    items: tuple[int, ...] = ()
    tables: tuple[int, ...] = ()
    columns: int = 0

    @property
    def text(self) -> str:
        return "".join(self.lines)


@dataclass(frozen=True, kw_only=True)
class Fence:
    """An open code fence: how to close it where it stands, and how to open it again at the top of a message."""

    prefix: str
    mark: str
    info: str

    @property
    def closing(self) -> str:
        return f"{self.prefix}{self.mark}\n"

    @property
    def reopening(self) -> str:
        return f"{self.reopened().prefix}{self.mark}{self.info[:_LANGUAGE_LENGTH]}\n"

    def reopened(self) -> Self:
        """The same fence outside the list that it began in; a quotation goes on."""
        quotes = "".join(char for char in self.prefix if char == ">")
        return type(self)(prefix=f"{quotes} " if quotes else "", mark=self.mark, info=self.info)

    def is_closed_by(self, line: str) -> bool:
        bare = line.strip(" \t>\n")
        return len(bare) >= len(self.mark) and not bare.strip(self.mark[0])


def lines_of(text: str) -> list[str]:
    """The lines of ``text`` with their ends; only a line feed ends a line, as in Markdown."""
    *whole, last = text.split("\n")
    return [f"{line}\n" for line in whole] + ([last] if last else [])


def blocks(text: str) -> list[Block]:
    """The top-level blocks of ``text``. What belongs to none, such as link definitions, goes with the block before."""
    lines = lines_of(text)
    tokens = _PARSER.parse(text)
    tops = [
        index for index, token in enumerate(tokens) if token.level == 0 and token.nesting >= 0 and token.map
    ]
    if not tops:
        return [Block(kind="text", lines=tuple(lines))] if lines else []
    starts = [0, *(_line(tokens[index]) for index in tops[1:]), len(lines)]
    bounds = [*tops, len(tokens)]
    return [
        _block(tokens[first:after], lines=lines[start:end], offset=start)
        for (first, after), (start, end) in zip(pairwise(bounds), pairwise(starts), strict=True)
    ]


def code_lines(text: str) -> list[tuple[int, int]]:
    """The lines of ``text`` that are code blocks, at any depth, as pairs of first line and line after the last."""
    tokens = _PARSER.parse(text)
    return [
        (token.map[0], token.map[1])
        for token in tokens
        if token.type in ("fence", "code_block") and token.map
    ]


def fences(lines: Sequence[str]) -> Iterator[Fence | None]:
    """For each line of a block the fence that is open after it."""
    fence: Fence | None = None
    for line in lines:
        if fence is None:
            found = _FENCE.match(line)
            fence = _opened(found) if found else None
        elif fence.is_closed_by(line):
            fence = None
        yield fence


def open_fence(block: Block) -> Fence | None:
    """The fence that ``block`` leaves open at its end."""
    if block.kind not in ("fence", "list", "quote"):
        return None
    *_, last = fences(block.lines)
    return last


def _opened(found: re.Match[str]) -> Fence:
    prefix = re.sub(r"[^>\s]", " ", found["prefix"])
    return Fence(prefix=prefix, mark=found["mark"], info=found["info"].strip())


def _block(tokens: Sequence[Token], *, lines: Sequence[str], offset: int) -> Block:
    # A list inside the list begins items too, deeper ones; only the outermost are places to cut.
    items = [_line(token) for token in tokens if token.type == "list_item_open" and token.level == 1]
    tables = [_line(token) for token in tokens if token.type == "table_open"]
    head_end = next((index for index, token in enumerate(tokens) if token.type == "thead_close"), 0)
    return Block(
        kind=_KINDS.get(tokens[0].type, "text"),
        lines=tuple(lines),
        items=tuple(line - offset for line in items),
        tables=tuple(line - offset for line in tables),
        columns=sum(token.type == "th_open" for token in tokens[:head_end]),
    )


def _line(token: Token) -> int:
    return token.map[0] if token.map else 0
