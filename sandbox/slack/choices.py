"""What a person does to one element: which element it is, and how their choice looks in a payload."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sandbox.slack import stored_blocks
from sandbox.slack.values import Json


@dataclass(frozen=True, kw_only=True)
class Target:
    """An element as it stands in a message or view."""

    block_id: str
    element: Json

    @property
    def kind(self) -> str:
        """The element's type."""
        return str(self.element["type"])


def find(blocks: Iterable[Json], action_id: str, block_id: str | None) -> Target:
    """The element with this action id, in this block if one is named; ``LookupError`` when it is not there."""
    seen = []
    for block in blocks:
        for element in stored_blocks.elements_of(block):
            seen.append(element.get("action_id"))
            if element.get("action_id") == action_id and block_id in (None, "", block["block_id"]):
                return Target(block_id=block["block_id"], element=element)
    shown = ", ".join(sorted(str(id_) for id_ in seen if id_)) or "nothing"
    raise LookupError(f"There is no {action_id!r} to press here; there is {shown}.")


def chosen(
    target: Target,
    *,
    value: str | None,
    selected: str | Sequence[str] | None,
    suggested: Sequence[Json] = (),
) -> Json:
    """The choice as payload fields; ``LookupError`` when the element does not offer it."""
    if target.kind in ("button", "icon_button", "workflow_button"):
        return _pressed(target.element, value)
    if target.kind == "feedback_buttons":
        return _feedback(target.element, value)
    field = stored_blocks.value_field(target.kind)
    picked = value if selected is None else selected
    if field.startswith("selected_option"):
        return {field: _options(target, picked, suggested, plural=field.endswith("s"))}
    return {field: picked}


def _pressed(element: Json, value: str | None) -> Json:
    own = element.get("value")
    if value is not None and value != own:
        raise LookupError(f"The button {element['action_id']!r} has the value {own!r}, not {value!r}.")
    return {} if own is None else {"value": own}


def _feedback(element: Json, value: str | None) -> Json:
    offered = [element["positive_button"], element["negative_button"]]
    for button in offered:
        if value in (None, button["value"]):
            return {"value": button["value"], "text": button["text"]}
    raise LookupError(f"There is no feedback button with the value {value!r}.")


def _options(
    target: Target, picked: str | Sequence[str] | None, suggested: Sequence[Json], *, plural: bool
) -> Json | list[Json] | None:
    offered = [*target.element.get("options", ()), *suggested]
    for group in target.element.get("option_groups", ()):
        offered += group["options"]
    if picked is None:
        return [] if plural else None
    wanted = [picked] if isinstance(picked, str) else list(picked)
    found = [_option(offered, want) for want in wanted]
    return found if plural else found[0]


def _option(offered: Sequence[Json], wanted: str) -> Json:
    for option in offered:
        if wanted in (option["value"], option["text"]["text"]):
            return option
    values = ", ".join(option["value"] for option in offered) or "no options"
    raise LookupError(f"There is no option {wanted!r}; there is {values}.")


def action(target: Target, choice: Json, *, action_ts: str) -> Json:
    """One entry of ``actions`` in a ``block_actions`` payload."""
    shown: Json = {
        "type": target.kind,
        "action_id": target.element["action_id"],
        "block_id": target.block_id,
        "action_ts": action_ts,
    }
    for name in ("text", "style", "placeholder"):
        if name in target.element:
            shown[name] = target.element[name]
    return shown | choice


def keeps_state(target: Target) -> bool:
    """Whether the choice stays visible in the element and so in ``state.values``."""
    return target.kind not in ("button", "overflow", "workflow_button", "feedback_buttons", "icon_button")
