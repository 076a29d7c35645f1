"""Views: what a modal or a Home tab must look like, and how Slack stores it (docs.slack.dev/reference/views)."""

import json
import secrets

from sandbox import people
from sandbox.slack import blocks, checks, limits, stored_blocks
from sandbox.slack.checks import Surface
from sandbox.slack.errors import SlackError
from sandbox.slack.state import State, new_id
from sandbox.slack.values import Json

_TITLE = checks.text(most=limits.VIEW_TITLE, plain=True)
_COMMON: checks.Fields = {
    "private_metadata": checks.string(most=limits.PRIVATE_METADATA, least=0),
    "callback_id": checks.string(most=limits.CALLBACK_ID, least=0),
    "external_id": checks.string(most=limits.EXTERNAL_ID, least=0),
}
_FRAMES: dict[Surface, checks.Check] = {
    "modal": checks.record(
        {"title": _TITLE, "blocks": checks.anything},
        {
            **_COMMON,
            "submit": _TITLE,
            "close": _TITLE,
            "clear_on_close": checks.boolean,
            "notify_on_close": checks.boolean,
            "submit_disabled": checks.boolean,
        },
    ),
    "home": checks.record({"blocks": checks.anything}, _COMMON),
}


def check(view: Json, *, pointer: str = "/view", error: str = "invalid_arguments") -> None:
    """Refuse a view that Slack refuses: ``view_too_large`` or ``invalid_arguments`` with pointers."""
    if len(json.dumps(view).encode()) > limits.VIEW_BYTES:
        raise SlackError("view_too_large")
    surface = view.get("type")
    if surface != "modal" and surface != "home":
        words = f"[ERROR] must be a valid enum value [json-pointer:{pointer}/type]"
        raise SlackError(error, messages=(words,))
    frame = checks.Scan(surface=surface)
    _FRAMES[surface](frame, pointer, view)
    scan = blocks.problems_of(view.get("blocks"), surface=surface, pointer=f"{pointer}/blocks")
    if surface == "modal" and "submit" not in view and _has_input(view):
        frame.fail(pointer, "missing required field: submit")
    if problems := frame.problems + scan.problems:
        raise SlackError(error, messages=tuple(problems))


def _has_input(view: Json) -> bool:
    listed = view.get("blocks")
    return isinstance(listed, list) and any(isinstance(b, dict) and b.get("type") == "input" for b in listed)


def stored(state: State, view: Json, *, old: Json | None = None, previous: Json | None = None) -> Json:
    """The view as Slack keeps and returns it: with an id, a hash and the state of its inputs."""
    external_id = view.get("external_id", "")
    if external_id and _taken(state, external_id, old):
        raise SlackError("duplicate_external_id")
    id_ = old["id"] if old else new_id("V")
    kept: Json = {
        "id": id_,
        "team_id": people.TEAM.id,
        "type": view["type"],
        "blocks": stored_blocks.complete(view["blocks"]),
        "private_metadata": view.get("private_metadata", ""),
        "callback_id": view.get("callback_id", ""),
        "external_id": external_id,
        "state": {"values": old["state"]["values"] if old else {}},
        "hash": f"{state.new_ts()}.{secrets.token_hex(4)}",
        "title": view.get("title"),
        "close": view.get("close"),
        "submit": view.get("submit"),
        "clear_on_close": view.get("clear_on_close", False),
        "notify_on_close": view.get("notify_on_close", False),
        "previous_view_id": old["previous_view_id"] if old else (previous["id"] if previous else None),
        "root_view_id": old["root_view_id"] if old else (previous["root_view_id"] if previous else id_),
        "app_id": people.BOT.app_id,
        "app_installed_team_id": people.TEAM.id,
        "bot_id": people.BOT.bot_id,
    }
    kept["state"]["values"] = stored_blocks.initial_values(kept["blocks"]) | _still_there(kept)
    return kept


def _taken(state: State, external_id: str, old: Json | None) -> bool:
    everyone = [*state.homes.values(), *(view for stack in state.modals.values() for view in stack)]
    return any(v["external_id"] == external_id and (old is None or v["id"] != old["id"]) for v in everyone)


def _still_there(view: Json) -> Json:
    present = {block["block_id"] for block in view["blocks"]}
    return {key: value for key, value in view["state"]["values"].items() if key in present}
