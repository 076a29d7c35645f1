"""views.*: modals and the Home tab (docs.slack.dev/surfaces/modals)."""

from collections.abc import Mapping

from sandbox import people
from sandbox.slack import modals, views
from sandbox.slack.arguments import Arguments, missing
from sandbox.slack.core import Core
from sandbox.slack.errors import SlackError
from sandbox.slack.methods.method import Method
from sandbox.slack.values import Json


def _view(arguments: Arguments, *, wanted: str) -> Json:
    view = arguments.record("view", error="invalid_arguments")
    if view is None:
        raise missing("view")
    views.check(view)
    if view["type"] != wanted:
        raise SlackError(
            "invalid_arguments", messages=("[ERROR] must be a valid enum value [json-pointer:/view/type]",)
        )
    return view


def open_(core: Core, arguments: Arguments) -> Json:
    """Open a modal for whoever caused the trigger."""
    view = _view(arguments, wanted="modal")
    trigger = core.triggers.redeem(_trigger_id(arguments))
    kept = views.stored(core.state, view)
    modals.set_stack(core, trigger.user, [kept])
    return {"view": kept}


def push(core: Core, arguments: Arguments) -> Json:
    """Put another modal on top of the one in which the trigger was caused."""
    view = _view(arguments, wanted="modal")
    trigger = core.triggers.redeem(_trigger_id(arguments))
    kept = modals.push(core, trigger.user, view)
    return {"view": kept}


def update(core: Core, arguments: Arguments) -> Json:
    """Change an open modal."""
    view = _view(arguments, wanted="modal")
    user, old = _find(core, arguments)
    _check_hash(arguments, old)
    return {"view": modals.replace(core, user, old, view)}


def publish(core: Core, arguments: Arguments) -> Json:
    """Change a person's Home tab."""
    if not core.app.home_tab_enabled:
        raise SlackError("not_enabled")
    user = arguments.need("user_id")
    person = core.state.people.get(user)
    if person is None or person.team_id != people.TEAM.id:
        raise SlackError("invalid_arguments", messages=("[ERROR] user_not_found [json-pointer:/user_id]",))
    view = _view(arguments, wanted="home")
    old = core.state.homes.get(user)
    if old is not None:
        _check_hash(arguments, old)
    kept = views.stored(core.state, view, old=old)
    core.state.homes[user] = kept
    core.state.changes.publish({"type": "home", "view": kept}, only=[user])
    return {"view": kept}


def _trigger_id(arguments: Arguments) -> str:
    return arguments.text("trigger_id") or arguments.need("interactivity_pointer")


def _check_hash(arguments: Arguments, old: Json) -> None:
    if arguments.text("hash") not in ("", old["hash"]):
        raise SlackError("hash_conflict")


def _find(core: Core, arguments: Arguments) -> tuple[str, Json]:
    view_id, external_id = arguments.text("view_id"), arguments.text("external_id")
    if bool(view_id) == bool(external_id):
        raise SlackError(
            "invalid_arguments", messages=("[ERROR] provide exactly one of view_id, external_id",)
        )
    for user, stack in core.state.modals.items():
        for view in stack:
            if view_id == view["id"] or (external_id and external_id == view["external_id"]):
                return user, view
    raise SlackError("not_found")


METHODS: Mapping[str, Method] = {
    "views.open": Method(run=open_),
    "views.push": Method(run=push),
    "views.update": Method(run=update),
    "views.publish": Method(run=publish),
}
