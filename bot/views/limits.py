"""Slack's limits in one table, and the one way to cut a text to them.

Slack's pages say "characters" and do not say which. We count UTF-16 units, as Slack's own clients do: an emoji counts
two, so our count is never below a count of code points, and what we let through is not refused.
"""

from typing import Final

ELLIPSIS: Final = "…"

#: ``text`` of chat.update; beyond it ``msg_too_long``. docs.slack.dev/reference/methods/chat.update
MESSAGE_TEXT: Final = 4_000
#: All ``markdown`` blocks of a message together. docs.slack.dev/reference/block-kit/blocks/markdown-block
MARKDOWN_TEXT: Final = 12_000
#: Text over all blocks of a message. Undocumented: ``msg_blocks_too_long`` was seen at about 13,200
#: (slackapi/bolt-js issue 2509).
BLOCKS_TEXT: Final = 13_000
#: docs.slack.dev/reference/block-kit/blocks
MESSAGE_BLOCKS: Final = 50
VIEW_BLOCKS: Final = 100
#: docs.slack.dev/reference/block-kit/blocks/section-block
SECTION_TEXT: Final = 3_000
#: docs.slack.dev/reference/block-kit/blocks/header-block
HEADER_TEXT: Final = 150
#: Elements of a context block, and the text of one. docs.slack.dev/reference/block-kit/blocks/context-block
CONTEXT_ELEMENTS: Final = 10
CONTEXT_TEXT: Final = 3_000
#: docs.slack.dev/reference/block-kit/blocks/actions-block
ACTIONS_ELEMENTS: Final = 25
#: docs.slack.dev/reference/block-kit/block-elements/button-element
BUTTON_TEXT: Final = 75
BUTTON_VALUE: Final = 2_000
BUTTON_URL: Final = 3_000
ACTION_ID: Final = 255
BLOCK_ID: Final = 255
#: docs.slack.dev/reference/block-kit/composition-objects/option-object
OPTION_TEXT: Final = 75
OPTION_VALUE: Final = 150
#: docs.slack.dev/reference/block-kit/block-elements/select-menu-element
SELECT_OPTIONS: Final = 100
PLACEHOLDER_TEXT: Final = 150
#: A table that Slack makes of Markdown: its header counts as a row, and a message holds one table
#: (``only_one_table_allowed``). slackapi/slack-skills-plugin, data-display-design.md
TABLE_ROWS: Final = 100
TABLE_COLUMNS: Final = 20
TABLE_TEXT: Final = 10_000
MESSAGE_TABLES: Final = 1


def length(text: str) -> int:
    """The length of ``text`` in the unit that Slack's limits are compared with here: UTF-16 units."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def head(text: str, limit: int) -> str:
    """The longest beginning of ``text`` that is at most ``limit`` long and does not tear a character apart."""
    if length(text) <= limit:
        return text
    end = min(len(text), max(limit, 0))
    while end and length(text[:end]) > limit:
        # Each character beyond the basic plane took one unit too many; half of the excess is never too much to drop.
        end -= max(1, (length(text[:end]) - limit) // 2)
    # A joiner, a variation selector or a skin tone belongs to the character before it.
    while end and (_continues_a_character(text[end]) or text[end - 1] == "\u200d"):
        end -= 1
    return text[:end]


def head_of_words(text: str, limit: int) -> str:
    """Like ``head``, but ending with a line or a word where one ends in the second half."""
    piece = head(text, limit)
    if len(piece) == len(text):
        return piece
    ends = (piece.rfind("\n") + 1, max(piece.rfind(" "), piece.rfind("\t")) + 1)
    return next((piece[:end] for end in ends if end > len(piece) // 2), piece)


def clip(text: str, limit: int) -> str:
    """``text`` itself when it fits into ``limit``, otherwise its beginning with an ellipsis."""
    if length(text) <= limit:
        return text
    return head(text, limit - length(ELLIPSIS)).rstrip() + ELLIPSIS


def one_line(text: str, limit: int) -> str:
    """``text`` on one line, runs of white space as one space, clipped to ``limit``."""
    return clip(" ".join(text.split()), limit)


def _continues_a_character(char: str) -> bool:
    return (
        char in "\u200d\ufe0e\ufe0f" or "\u0300" <= char <= "\u036f" or "\U0001f3fb" <= char <= "\U0001f3ff"
    )
