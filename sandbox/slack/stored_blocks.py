"""Blocks as Slack stores them: every block and element has an id, and inputs have a state."""

import copy
import secrets

from sandbox.slack import elements
from sandbox.slack.values import Json

_INTERACTIVE = {*elements.INPUTS, *elements.ACTIONS, *elements.CONTEXT_ACTIONS}


def complete(blocks: list[Json]) -> list[Json]:
    """A copy of the blocks in which a missing ``block_id`` or ``action_id`` is filled in, as Slack does."""
    filled = copy.deepcopy(blocks)
    for block in filled:
        _fill(block)
    return filled


def _fill(block: Json) -> None:
    block.setdefault("block_id", secrets.token_hex(3))
    for child in block.get("child_blocks", ()):
        _fill(child)
    for element in elements_of(block):
        if element.get("type") in _INTERACTIVE:
            element.setdefault("action_id", secrets.token_hex(3))


_INITIAL = {
    "initial_value": "value",
    "initial_option": "selected_option",
    "initial_options": "selected_options",
    "initial_user": "selected_user",
    "initial_users": "selected_users",
    "initial_conversation": "selected_conversation",
    "initial_conversations": "selected_conversations",
    "initial_channel": "selected_channel",
    "initial_channels": "selected_channels",
    "initial_date": "selected_date",
    "initial_time": "selected_time",
    "initial_date_time": "selected_date_time",
}
_STATELESS = ("button", "overflow", "image", "workflow_button", "feedback_buttons", "icon_button")


def elements_of(block: Json) -> list[Json]:
    """The elements of one block, wherever the block keeps them."""
    found = [block.get("element"), block.get("accessory"), *block.get("elements", ())]
    found += [button for button in block.get("actions", ()) if isinstance(button, dict)]
    nested = [*block.get("child_blocks", ())]
    if block["type"] == "carousel":
        nested += block["elements"]
    inner = [element for child in nested for element in elements_of(child)]
    return [element for element in found if isinstance(element, dict)] + inner


def empty_value(element: Json) -> Json:
    """The state of an input nobody has touched."""
    value: Json = {"type": element["type"]}
    for name, shown in _INITIAL.items():
        if name in element:
            value[shown] = element[name]
    if len(value) == 1:
        value[value_field(element["type"])] = [] if _is_plural(element["type"]) else None
    return value


def value_field(element_type: str) -> str:
    """Where an element of this type keeps what was chosen."""
    if element_type.endswith("_input"):
        return {"file_input": "files", "rich_text_input": "rich_text_value"}.get(element_type, "value")
    simple = {
        "datepicker": "selected_date",
        "timepicker": "selected_time",
        "datetimepicker": "selected_date_time",
    }
    if element_type in simple:
        return simple[element_type]
    for noun in ("user", "conversation", "channel"):
        if f"{noun}s_select" in element_type:
            return f"selected_{noun}s" if _is_plural(element_type) else f"selected_{noun}"
    return "selected_options" if _is_plural(element_type) else "selected_option"


def _is_plural(element_type: str) -> bool:
    return element_type.startswith("multi_") or element_type in ("checkboxes", "file_input")


def initial_values(listed: list[Json]) -> Json:
    """The state of all inputs and choices of these blocks before anybody touched them."""
    values: Json = {}
    for block in listed:
        for element in elements_of(block):
            if "action_id" in element and element.get("type") not in _STATELESS:
                values.setdefault(block["block_id"], {})[element["action_id"]] = empty_value(element)
    return values
