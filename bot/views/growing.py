"""What of a growing Markdown text can be shown already.

An edit in the middle of ``**bold`` would show stars, half a table would show pipes, and half a closing fence would show
as code. What may still change its meaning is withheld until it is decided, or closed for display.
"""

import re

from bot.views import structure

_ONLY_MARKUP = re.compile(r"[ \t>]*(?:[-=*+#|:`~_!\[<>]+|\d{1,9}[.)]?)[ \t]*")
_TRAILING_MARKS = re.compile(r"[*_~`\\]+$")
_OPEN_LINK = re.compile(r"!?\[[^\]\n]*(?:\]|\]\([^)\n]*)?$")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_TICKS = re.compile(r"(?<!`)`+(?!`)")
_PAIRS = ("**", "~~")


def settled(text: str) -> str:
    """The beginning of ``text`` that keeps its meaning whatever follows, with open emphasis closed.

    A code fence may be left open: closing it is the same for a text that grows and one that ended.
    """
    blocks = structure.blocks(text)
    if not blocks:
        return ""
    before = "".join(block.text for block in blocks[:-1])
    return before + _settled_block(blocks[-1])


def _settled_block(block: structure.Block) -> str:
    fence = structure.open_fence(block)
    if fence:
        return _settled_fence(block, fence)
    if block.kind == "code" or _ends_with_a_fence(block):
        return block.text
    if block.kind == "table":
        return _settled_table(block)
    text = _without_table_head(_without_bare_markup(block.text))
    before, gap, last = text.rpartition("\n\n")
    return before + gap + _settled_inline(last)


def _ends_with_a_fence(block: structure.Block) -> bool:
    if block.kind not in ("fence", "list", "quote"):
        return False
    *_, before, last = [None, *structure.fences(block.lines)]
    return before is not None and last is None


def _settled_fence(block: structure.Block, fence: structure.Fence) -> str:
    *before, last = block.lines
    if last.endswith("\n"):
        return block.text if before or block.kind != "fence" else ""
    half_closed = not last.strip(" \t>" + fence.mark[0])
    opens = not before or list(structure.fences(before))[-1] is None
    return "".join(before) if half_closed or opens else block.text


def _settled_table(table: structure.Block) -> str:
    lines = [line for line in table.lines if line.endswith("\n")]
    return "".join(lines) if len(lines) > 2 else ""


def _without_bare_markup(text: str) -> str:
    """A last line of markup alone may become a rule, a heading, a list, a fence or a table."""
    before, newline, last = text.rpartition("\n")
    return before + newline if last and _ONLY_MARKUP.fullmatch(last) else text


def _without_table_head(text: str) -> str:
    """Lines at the end that begin with a pipe become a table when the delimiter comes."""
    lines = structure.lines_of(text)
    if text.endswith("\n\n"):
        return text
    while lines and lines[-1].lstrip().startswith("|"):
        lines.pop()
    return "".join(lines)


def _settled_inline(text: str) -> str:
    text = _without_opening_marks(text.rstrip())
    link = _OPEN_LINK.search(_without_code(text))
    if link:
        text = text[: link.start()].rstrip()
    if _closing(text):
        # What stands at the end may be the first half of the closing mark.
        text = _TRAILING_MARKS.sub("", text).rstrip()
    return text + _closing(text)


def _without_opening_marks(text: str) -> str:
    marks = _TRAILING_MARKS.search(text)
    opens = marks is not None and not text[: marks.start()][-1:].strip()
    return text[: marks.start()].rstrip() if marks and opens else text


def _without_code(text: str) -> str:
    return _CODE_SPAN.sub(lambda span: "\0" * len(span.group()), text)


def _closing(text: str) -> str:
    """The marks that close what ``text`` leaves open, innermost first."""
    prose = _without_code(text)
    ticks = _TICKS.search(prose)
    if ticks:
        prose = prose[: ticks.start()]
    positions = {mark: _opened_at(prose, mark) for mark in _PAIRS}
    opened = sorted(((at, mark) for mark, at in positions.items() if at is not None), reverse=True)
    return (ticks.group() if ticks else "") + "".join(mark for _, mark in opened)


def _opened_at(prose: str, mark: str) -> int | None:
    opened: int | None = None
    for found in re.finditer(rf"(?<!\\){re.escape(mark)}", prose):
        before, after = prose[: found.start()][-1:], prose[found.end() :][:1]
        if opened is None and after.strip():
            opened = found.start()
        elif opened is not None and before.strip():
            opened = None
    return opened
