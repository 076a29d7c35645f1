"""The model's Markdown as parts that Slack's ``markdown`` block takes, one part a message.

``cut`` decides where a text is divided, ``finish`` makes a part fit to be seen, and ``so_far`` does the same for a part
that is still growing. Where a cut falls depends only on what stands before it, so a growing text keeps the cuts that it
has: messages already filled need no further edit.

Text outside code, tables and lists is never taken apart while it fits into one message.
"""

from typing import Final

from bot.views import growing, limits, structure

#: What a part may hold. The rest of Slack's 12,000 is left for what closes a fence, and the rest of its limit over all
#: blocks for the steps and the status line.
PART_TEXT: Final = 11_000
#: A block up to this long is moved whole to the next message instead of being divided.
KEPT_WHOLE: Final = 3_000
#: A table whose header is longer than this is divided like text, without repeating it.
REPEATED_HEADER: Final = 2_000


def split(text: str) -> list[str]:
    """All of ``text`` in parts, none of them empty, each fit for a message of its own."""
    return [finish(part) for part in cut(text) if part.strip()]


def cut(text: str, *, limit: int = PART_TEXT) -> list[str]:
    """``text`` divided into parts of at most ``limit``, with at most one table each; always at least one.

    A fence that is cut is closed and opened again with its language, a table that is cut repeats its header. The last
    part is left open, so that more text can be appended to it and it can be cut again.
    """
    pages = _Pages(limit=limit)
    for block in structure.blocks(text):
        _place(block, pages)
    return pages.all()


def finish(part: str) -> str:
    """``part`` as it is shown for good: an open fence is closed, a table that Slack would refuse becomes code."""
    blocks = structure.blocks(part)
    shown = "".join(_as_code(block) if _is_refused(block) else block.text for block in blocks).rstrip()
    fence = structure.open_fence(blocks[-1]) if blocks else None
    return f"{shown}\n{fence.closing}".rstrip() if fence else shown


def so_far(part: str) -> str:
    """``part`` as it is shown while more may follow: what may still change its meaning waits or is closed."""
    return finish(growing.settled(part))


class _Pages:
    """The parts being filled; the last one is open."""

    def __init__(self, *, limit: int) -> None:
        self.limit = limit
        self._full: list[str] = []
        self._page: list[tuple[str, bool]] = []
        self._size = 0
        self.has_table = False

    @property
    def room(self) -> int:
        return self.limit - self._size

    @property
    def is_blank(self) -> bool:
        """Whether turning the page would gain nothing; a heading alone is no reason to turn it."""
        return all(heading for _, heading in self._page) and self._size <= self.limit // 4

    def add(self, text: str, *, heading: bool = False, table: bool = False) -> None:
        self._page.append((text, heading))
        self._size += limits.length(text)
        self.has_table = self.has_table or table

    def turn(self, *, closing: str = "") -> None:
        """Begin the next part. A heading goes there with what it heads."""
        headings: list[str] = []
        while len(self._page) > 1 and self._page[-1][1]:
            headings.insert(0, self._page.pop()[0])
        text = "".join(text for text, _ in self._page)
        self._full.append(f"{text.rstrip()}\n{closing}".rstrip())
        self._page = []
        self._size = 0
        self.has_table = False
        for heading in headings:
            self.add(heading, heading=True)

    def all(self) -> list[str]:
        return [*self._full, "".join(text for text, _ in self._page)]


def _place(block: structure.Block, pages: _Pages) -> None:
    size = limits.length(block.text)
    if not pages.is_blank and (min(size, KEPT_WHOLE) > pages.room or (pages.has_table and block.tables)):
        pages.turn()
    if size <= pages.room and len(block.tables) <= 1 and not _is_long_table(block):
        pages.add(block.text, heading=block.kind == "heading", table=bool(block.tables))
    elif block.kind == "table":
        _place_rows(block, pages)
    elif block.kind == "list":
        _place_items(block, pages)
    else:
        _place_lines(block, pages)


def _place_rows(table: structure.Block, pages: _Pages) -> None:
    """Rows in tables of their own, each under the header and in its own part."""
    header = "".join(table.lines[:2])
    if limits.length(header) > REPEATED_HEADER:
        _place_lines(table, pages)
        return
    pages.add(header, table=True)
    shown, size = 1, limits.length(header)
    for row in table.lines[2:]:
        long = limits.length(row)
        if row.strip() and (
            shown == limits.TABLE_ROWS or size + long > limits.TABLE_TEXT or long > pages.room
        ):
            pages.turn()
            pages.add(header, table=True)
            shown, size = 1, limits.length(header)
        _add_line(row, pages, opening=header)
        shown, size = shown + 1, size + long


def _place_items(block: structure.Block, pages: _Pages) -> None:
    """Whole items as long as they fit into a part at all."""
    bounds = [0, *block.items[1:], len(block.lines)]
    for start, end in zip(bounds, bounds[1:], strict=False):
        tables = tuple(line - start for line in block.tables if start <= line < end)
        item = structure.Block(kind="list", lines=block.lines[start:end], tables=tables)
        size = limits.length(item.text)
        if not pages.is_blank and (size > pages.room or (pages.has_table and tables)):
            pages.turn()
        if size <= pages.room and len(tables) <= 1:
            pages.add(item.text, table=bool(tables))
        else:
            _place_lines(item, pages)


def _place_lines(block: structure.Block, pages: _Pages) -> None:
    """Line by line, closing and opening again the fence that a cut goes through."""
    fenced = block.kind in ("fence", "list", "quote")
    after = list(structure.fences(block.lines)) if fenced else [None] * len(block.lines)
    fence: structure.Fence | None = None
    moved = False
    for number, (line, following) in enumerate(zip(block.lines, after, strict=True)):
        closing = fence.closing if fence else ""
        begins_table = number in block.tables
        if not pages.is_blank and (_overflows(line + closing, pages) or (pages.has_table and begins_table)):
            pages.turn(closing=closing)
            fence = fence.reopened() if fence else None
            moved = fence is not None
            pages.add(fence.reopening if fence else "")
        opening, closing = (fence.reopening, fence.closing) if fence else ("", "")
        _add_line(line, pages, opening=opening, closing=closing)
        pages.has_table = pages.has_table or begins_table
        moved = moved and following is not None
        fence = following.reopened() if following and moved else following


def _add_line(line: str, pages: _Pages, *, opening: str = "", closing: str = "") -> None:
    """``line``, over several parts when it is longer than one: cut at white space where there is some."""
    rest = line
    while _overflows(rest + closing, pages):
        piece = limits.head_of_words(rest, pages.room - limits.length(closing) - 1)
        # A page of nothing but its opening still takes a character, or this would never end.
        piece = piece or rest[:1]
        pages.add(piece)
        pages.turn(closing=closing)
        pages.add(opening)
        rest = rest[len(piece) :]
    pages.add(rest)


def _overflows(text: str, pages: _Pages) -> bool:
    # One more for the line end that may have to go before what closes a fence.
    return limits.length(text) + 1 > pages.room


def _is_long_table(block: structure.Block) -> bool:
    if block.kind != "table":
        return False
    return _rows(block) > limits.TABLE_ROWS or limits.length(block.text) > limits.TABLE_TEXT


def _is_refused(block: structure.Block) -> bool:
    return block.kind == "table" and (block.columns > limits.TABLE_COLUMNS or _is_long_table(block))


def _rows(table: structure.Block) -> int:
    # The delimiter is a line and no row.
    return len("".join(table.lines).rstrip("\n").split("\n")) - 1


def _as_code(block: structure.Block) -> str:
    mark = "```" if "```" not in block.text else "~~~~"
    return f"{mark}\n{block.text.rstrip()}\n{mark}\n\n"
