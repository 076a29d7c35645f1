"""Modals sent off or closed (docs.slack.dev/reference/interaction-payloads/view-interactions-payload)."""

from typing import Any

from sandbox.slack import choices, interactivity, modals, presses, stored_blocks, views
from sandbox.slack.core import Core
from sandbox.slack.errors import SlackError
from sandbox.slack.values import Answer, Json

_REQUIRED = "Please complete this required field."


async def submit(core: Core, user: str, view_id: str, values: Json) -> Json:
    """Send a modal off: ``{"ok": True}``, or ``errors`` by block id, or the ``error`` of a failed delivery.

    ``values`` may be complete (block id → action id → state) or short (action id → value).
    """
    view = presses.open_view(core, user, view_id)
    if view["submit"] is None:
        raise LookupError("This modal has no submit button.")
    _fill_in(core, user, view, values)
    if errors := _incomplete(view):
        return {"ok": False, "errors": errors}
    payload = interactivity.base(core, user, "view_submission") | {
        "trigger_id": core.triggers.issue(user, view_id=view["id"]),
        "view": view,
        "response_urls": [],
    }
    answer = await interactivity.ask(core, payload, wants_payload=True)
    if not answer.acked:
        interactivity.complain(core, user, None, answer)
        return {"ok": False, "error": answer.error}
    return _obey(core, user, view, answer)


async def close(core: Core, user: str, view_id: str, *, all_of_them: bool = False) -> None:
    """Close a modal without sending it; the app hears of it only if it asked to."""
    view = presses.open_view(core, user, view_id)
    modals.close(core, user, view["id"], all_of_them=all_of_them or view["clear_on_close"])
    if not view["notify_on_close"]:
        return
    payload = interactivity.base(core, user, "view_closed") | {
        "view": view,
        "is_cleared": all_of_them or view["clear_on_close"],
    }
    await interactivity.ask(core, payload)


def _fill_in(core: Core, user: str, view: Json, values: Json) -> None:
    for key, given in values.items():
        if isinstance(given, dict) and any(block["block_id"] == key for block in view["blocks"]):
            for action_id, value in given.items():
                _fill(core, user, view, action_id, key, value)
        else:
            _fill(core, user, view, key, None, given)


def _fill(core: Core, user: str, view: Json, action_id: str, block_id: str | None, value: Any) -> None:
    target = choices.find(view["blocks"], action_id, block_id)
    if isinstance(value, dict):
        entry = {"type": target.kind, **value}
    else:
        choice = presses.choose(core, user, target, value=None, selected=value)
        entry = {"type": target.kind, **choice}
    view["state"]["values"].setdefault(target.block_id, {})[action_id] = entry


def _incomplete(view: Json) -> dict[str, str]:
    errors = {}
    for block in view["blocks"]:
        if block["type"] != "input":
            continue
        element = block["element"]
        state = view["state"]["values"].get(block["block_id"], {}).get(element.get("action_id"), {})
        value = state.get(stored_blocks.value_field(element["type"]))
        if not value and not block.get("optional"):
            errors[block["block_id"]] = _REQUIRED
        elif isinstance(value, str) and (problem := _wrong_length(element, value)):
            errors[block["block_id"]] = problem
    return errors


def _wrong_length(element: Json, value: str) -> str:
    least, most = element.get("min_length", 0), element.get("max_length", 3_000)
    if value and len(value) < least:
        return f"Please enter at least {least} characters."
    return f"Please enter no more than {most} characters." if len(value) > most else ""


def _obey(core: Core, user: str, view: Json, answer: Answer) -> Json:
    try:
        match answer.payload.get("response_action"):
            case None:
                modals.close(core, user, view["id"])
            case "clear":
                modals.close(core, user, view["id"], all_of_them=True)
            case "update":
                modals.replace(core, user, view, _checked(answer.payload))
            case "push":
                modals.push(core, user, _checked(answer.payload))
            case "errors":
                return {"ok": False, "errors": _errors(view, answer.payload)}
            case unknown:
                raise SlackError("invalid_response_action", action=unknown)
    except SlackError as refusal:
        failed = Answer(acked=False, error=str(refusal))
        interactivity.complain(core, user, None, failed)
        return {"ok": False, "error": refusal.error}
    return {"ok": True}


def _checked(payload: Json) -> Json:
    view = payload.get("view")
    if not isinstance(view, dict):
        raise SlackError("invalid_arguments", messages=("[ERROR] missing required field: view",))
    views.check(view)
    return view


def _errors(view: Json, payload: Json) -> dict[str, str]:
    errors = payload.get("errors")
    inputs = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
        raise SlackError("invalid_errors", known_blocks=sorted(inputs))
    return errors
