"""The elements of Block Kit that the views use, each cut to its limit. docs.slack.dev/reference/block-kit"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.views import content, limits

Element = dict[str, Any]
Style = Literal["primary", "danger"]


@dataclass(frozen=True, kw_only=True)
class Option:
    """An entry of a select menu; ``value`` is an opaque id."""

    text: str
    value: str


def plain(text: str, limit: int) -> Element:
    """Text that is shown as it is; Slack reads no markup and no emoji names in it."""
    return {"type": "plain_text", "text": limits.clip(text, limit) or limits.ELLIPSIS, "emoji": False}


def mrkdwn(text: str, limit: int) -> Element:
    """Text with Slack's own markup; whatever others wrote in it went through ``mentions.escape``."""
    return {"type": "mrkdwn", "text": limits.clip(text, limit) or limits.ELLIPSIS}


def header(text: str) -> content.Block:
    return {"type": "header", "text": plain(text, limits.HEADER_TEXT)}


def divider() -> content.Block:
    return {"type": "divider"}


def section(text: str, *, accessory: Element | None = None, block_id: str | None = None) -> content.Block:
    block: content.Block = {"type": "section", "text": mrkdwn(text, limits.SECTION_TEXT)}
    if accessory is not None:
        block["accessory"] = accessory
    if block_id is not None:
        block["block_id"] = limits.head(block_id, limits.BLOCK_ID)
    return block


def literal(text: str) -> content.Block:
    """A section that shows ``text`` as it is."""
    return {"type": "section", "text": plain(text, limits.SECTION_TEXT)}


def context(text: str) -> content.Block:
    """A small grey line, or several, shown as they are."""
    return {"type": "context", "elements": [plain(text, limits.CONTEXT_TEXT)]}


def markdown(text: str) -> content.Block:
    """The model's Markdown; ``text`` is a part that ``views.markdown`` made."""
    return {"type": "markdown", "text": limits.clip(text, limits.MARKDOWN_TEXT)}


def actions(*elements: Element) -> content.Block:
    return {"type": "actions", "elements": list(elements[: limits.ACTIONS_ELEMENTS])}


def button(
    text: str, *, action_id: str, value: str | None = None, style: Style | None = None, url: str | None = None
) -> Element:
    """A button. ``value`` is an opaque id: Slack shows it to nobody, but anyone who sees the button may send it."""
    element: Element = {"type": "button", "text": plain(text, limits.BUTTON_TEXT), "action_id": action_id}
    if value is not None:
        element["value"] = limits.head(value, limits.BUTTON_VALUE)
    if style is not None:
        element["style"] = style
    if url is not None:
        element["url"] = url
    return element


def select(placeholder: str, *, action_id: str, options: Sequence[Option], chosen: str | None) -> Element:
    """A menu of at most 100 options; the one whose value is ``chosen`` is selected."""
    shown = [_option(option) for option in options[: limits.SELECT_OPTIONS]]
    element: Element = {
        "type": "static_select",
        "action_id": action_id,
        "placeholder": plain(placeholder, limits.PLACEHOLDER_TEXT),
        "options": shown,
    }
    initial = next((option for option in shown if option["value"] == chosen), None)
    if initial is not None:
        element["initial_option"] = initial
    return element


def _option(option: Option) -> Element:
    text = plain(option.text, limits.OPTION_TEXT)
    return {"text": text, "value": limits.head(option.value, limits.OPTION_VALUE)}
