"""A small language to say what a Block Kit value must look like.

A check looks at one value and notes what is wrong with it, in the words of the real service and with the JSON pointer of
the culprit ("[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"). The shapes themselves are
tables in ``elements``, ``blocks`` and ``views``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Surface = Literal["message", "modal", "home"]


@dataclass(kw_only=True)
class Scan:
    """One walk through a payload: the problems found, and what must be counted over the whole of it."""

    surface: Surface
    problems: list[str] = field(default_factory=list)
    #: Characters of all texts, and those of the markdown blocks alone.
    text_sum: int = 0
    markdown_sum: int = 0
    tables: int = 0
    charts: int = 0
    block_ids: set[str] = field(default_factory=set)
    #: The action ids of the block at hand.
    action_ids: list[str] = field(default_factory=list)

    def fail(self, pointer: str, words: str) -> None:
        """Note a problem."""
        self.problems.append(f"[ERROR] {words} [json-pointer:{pointer}]")


Check = Callable[[Scan, str, Any], None]
Fields = Mapping[str, Check]


def string(*, most: int, least: int = 1) -> Check:
    """A string of ``least`` to ``most`` characters."""

    def check(scan: Scan, pointer: str, value: Any) -> None:
        if not isinstance(value, str):
            scan.fail(pointer, "must provide a string")
        elif len(value) < least:
            scan.fail(pointer, f"must be more than {least - 1} characters")
        elif len(value) > most:
            scan.fail(pointer, f"must be less than {most + 1} characters")

    return check


def counted(*, most: int) -> Check:
    """A string that people read: it counts towards the text of the whole message."""
    inner = string(most=most)

    def check(scan: Scan, pointer: str, value: Any) -> None:
        inner(scan, pointer, value)
        if isinstance(value, str):
            scan.text_sum += len(value)

    return check


def boolean(scan: Scan, pointer: str, value: Any) -> None:
    """``true`` or ``false``."""
    if not isinstance(value, bool):
        scan.fail(pointer, "must provide a boolean")


def anything(scan: Scan, pointer: str, value: Any) -> None:
    """Whatever it is, this Slack does not look into it."""


def whole(*, least: int = 0, most: int = 2**53) -> Check:
    """An integer between ``least`` and ``most``."""

    def check(scan: Scan, pointer: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            scan.fail(pointer, "must provide an integer")
        elif value < least:
            scan.fail(pointer, f"must be greater than {least - 1}")
        elif value > most:
            scan.fail(pointer, f"must be less than {most + 1}")

    return check


def number(scan: Scan, pointer: str, value: Any) -> None:
    """An integer or a fraction."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        scan.fail(pointer, "must provide a number")


def one_of(*values: object) -> Check:
    """One of these values."""

    def check(scan: Scan, pointer: str, value: Any) -> None:
        if value not in values:
            scan.fail(pointer, "must be a valid enum value")

    return check


def items(item: Check, *, most: int, least: int = 1) -> Check:
    """A list of ``least`` to ``most`` items that all pass."""

    def check(scan: Scan, pointer: str, value: Any) -> None:
        if not isinstance(value, list):
            scan.fail(pointer, "must provide an array")
            return
        if len(value) < least:
            scan.fail(pointer, f"no fewer than {least} items allowed")
        if len(value) > most:
            scan.fail(pointer, f"no more than {most} items allowed")
        for index, entry in enumerate(value):
            item(scan, f"{pointer}/{index}", entry)

    return check


def record(required: Fields, optional: Fields | None = None) -> Check:
    """An object with these fields and no others."""
    known = {"type": anything, **(optional or {}), **required}

    def check(scan: Scan, pointer: str, value: Any) -> None:
        if not isinstance(value, dict):
            scan.fail(pointer, "must provide an object")
            return
        for name in required:
            if value.get(name) is None:
                scan.fail(pointer, f"missing required field: {name}")
        for name, entry in value.items():
            if name not in known:
                scan.fail(pointer, f"invalid additional property: {name}")
            elif entry is not None:
                known[name](scan, f"{pointer}/{name}", entry)

    return check


def by_type(shapes: Fields) -> Check:
    """An object whose ``type`` says which of these shapes it has."""

    def check(scan: Scan, pointer: str, value: Any) -> None:
        if not isinstance(value, dict):
            scan.fail(pointer, "must provide an object")
        elif "type" not in value:
            scan.fail(pointer, "missing required field: type")
        elif (shape := shapes.get(value["type"]) if isinstance(value["type"], str) else None) is None:
            scan.fail(f"{pointer}/type", f"unsupported type: {value['type']}")
        else:
            shape(scan, pointer, value)

    return check


def needs_one(*names: str, shape: Check) -> Check:
    """A shape in which at least one of these fields must be filled."""

    def check(scan: Scan, pointer: str, value: Any) -> None:
        if isinstance(value, dict) and not any(value.get(name) for name in names):
            scan.fail(pointer, f"missing required field: one of {', '.join(names)}")
        shape(scan, pointer, value)

    return check


def text(*, most: int, plain: bool = False) -> Check:
    """A text object (docs.slack.dev/reference/block-kit/composition-objects/text-object)."""
    shapes: dict[str, Check] = {
        "plain_text": record({"text": counted(most=most)}, {"emoji": boolean}),
    }
    if not plain:
        shapes["mrkdwn"] = record({"text": counted(most=most)}, {"verbatim": boolean})
    return by_type(shapes)
