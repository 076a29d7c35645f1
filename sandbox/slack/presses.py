"""Buttons, menus and other elements used in messages, in modals and on the Home tab.

docs.slack.dev/reference/interaction-payloads/block_actions-payload
"""

from collections.abc import Sequence
from typing import Any

from sandbox.slack import blocks, choices, interactivity, objects, stored_blocks
from sandbox.slack.core import Core
from sandbox.slack.errors import SlackError
from sandbox.slack.state import Conversation
from sandbox.slack.values import Answer, Json

_FIELDS = ("value", "text", "selected_option", "selected_options", "selected_user", "selected_users")
_MORE_FIELDS = ("selected_conversation", "selected_conversations", "selected_channel", "selected_channels")
_DATE_FIELDS = ("selected_date", "selected_time", "selected_date_time", "rich_text_value", "files")


def choice_of(action: Json) -> Json:
    """The choice in an action as the page sends it."""
    return {name: action[name] for name in (*_FIELDS, *_MORE_FIELDS, *_DATE_FIELDS) if name in action}


def in_message(
    core: Core, user: str, channel: str, ts: str, action_id: str, block_id: str | None
) -> choices.Target:
    """The element in a message as this person sees it; ``LookupError`` when there is none."""
    _, message = _seen(core, user, channel, ts)
    listed = [*message.get("blocks", ())]
    for attachment in message.get("attachments", ()):
        listed += attachment.get("blocks", ())
    return choices.find(listed, action_id, block_id)


def in_view(core: Core, user: str, view_id: str, action_id: str, block_id: str | None) -> choices.Target:
    """The element in a modal or, for "home", on the Home tab; ``LookupError`` when there is none."""
    return choices.find(open_view(core, user, view_id)["blocks"], action_id, block_id)


def open_view(core: Core, user: str, view_id: str) -> Json:
    """A modal or the Home tab of this person; ``LookupError`` when it is not open."""
    for view in [*core.state.modals[user], *([core.state.homes[user]] if user in core.state.homes else [])]:
        if view["id"] == view_id or (view_id == "home" and view["type"] == "home"):
            return view
    raise LookupError(f"{user} has no view {view_id!r} open.")


def _seen(core: Core, user: str, channel: str, ts: str) -> tuple[Conversation, Json]:
    conversation = core.state.conversation(channel)
    for message in core.state.ephemerals[user]:
        if message["ts"] == ts:
            return conversation, message
    found = core.state.messages[conversation.id].get(ts)
    if found is None or user not in core.state.viewers(conversation):
        raise LookupError(f"{user} sees no message {ts} in {channel}.")
    return conversation, found


async def press_in_message(
    core: Core, user: str, channel: str, ts: str, target: choices.Target, choice: Json
) -> Answer:
    """Use an element of a message."""
    conversation, message = _seen(core, user, channel, ts)
    values = _message_state(core, user, message, conversation, target, choice)
    ephemeral = bool(message.get("is_ephemeral"))
    thread_ts = message.get("thread_ts")
    secret = core.triggers.allow(
        user=user, channel=conversation.id, message_ts=ts, ephemeral=ephemeral, thread_ts=thread_ts
    )
    payload = interactivity.base(core, user, "block_actions") | {
        "container": {
            "type": "message",
            "message_ts": ts,
            "channel_id": conversation.id,
            "is_ephemeral": ephemeral,
            **({"thread_ts": thread_ts} if thread_ts else {}),
        },
        "trigger_id": core.triggers.issue(user),
        "channel": {"id": conversation.id, "name": interactivity.channel_name(conversation)},
        "state": {"values": values},
        "response_url": interactivity.response_url(core, "actions", secret),
        "actions": [choices.action(target, choice, action_ts=core.state.new_ts())],
    }
    if not ephemeral:
        payload["message"] = objects.message(core.state, conversation.id, message)
    return await _send(core, user, conversation.id, payload)


def _message_state(
    core: Core, user: str, message: Json, conversation: Conversation, target: choices.Target, choice: Json
) -> Json:
    values = stored_blocks.initial_values(message.get("blocks", []))
    own = core.state.choices.setdefault((conversation.id, message["ts"], user), {})
    if choices.keeps_state(target):
        own.setdefault(target.block_id, {})[target.element["action_id"]] = {"type": target.kind, **choice}
    for block_id, chosen in own.items():
        if block_id in values:
            values[block_id] = values[block_id] | chosen
    return values


async def press_in_view(core: Core, user: str, view_id: str, target: choices.Target, choice: Json) -> Answer:
    """Use an element of a modal or of the Home tab."""
    view = open_view(core, user, view_id)
    if choices.keeps_state(target):
        values = view["state"]["values"].setdefault(target.block_id, {})
        values[target.element["action_id"]] = {"type": target.kind, **choice}
    trigger_view = view["id"] if view["type"] == "modal" else None
    payload = interactivity.base(core, user, "block_actions") | {
        "container": {"type": "view", "view_id": view["id"]},
        "trigger_id": core.triggers.issue(user, view_id=trigger_view),
        "view": view,
        "actions": [choices.action(target, choice, action_ts=core.state.new_ts())],
    }
    return await _send(core, user, None, payload)


async def _send(core: Core, user: str, channel: str | None, payload: Json) -> Answer:
    answer = await interactivity.ask(core, payload)
    if not answer.acked:
        interactivity.complain(core, user, channel, answer)
    return answer


async def suggestions(core: Core, user: str, container: Json, target: choices.Target, value: str) -> Json:
    """What an external menu offers for what was typed: options or option groups (``block_suggestion``)."""
    if "external_select" not in target.kind:
        raise LookupError(f"{target.element['action_id']!r} does not ask the app for its options.")
    payload = interactivity.base(core, user, "block_suggestion") | {
        "container": container,
        "action_id": target.element["action_id"],
        "block_id": target.block_id,
        "value": value,
    }
    if container["type"] == "view":
        payload["view"] = open_view(core, user, container["view_id"])
    else:
        conversation, message = _seen(core, user, container["channel_id"], container["message_ts"])
        payload["message"] = message
        payload["channel"] = {"id": conversation.id, "name": interactivity.channel_name(conversation)}
    answer = await interactivity.ask(core, payload, wants_payload=True)
    offered = _offered(answer)
    core.state.suggestions[(user, target.element["action_id"])] = _flat(offered)
    return offered


def _offered(answer: Answer) -> Json:
    if not answer.acked:
        raise SlackError(answer.error)
    for name in ("options", "option_groups"):
        given = answer.payload.get(name)
        if given is not None:
            if problems := blocks.option_problems(name, given):
                raise SlackError("invalid_options", messages=tuple(problems))
            return {name: given}
    return {"options": []}


def _flat(offered: Json) -> list[Json]:
    groups: list[Any] = offered.get("option_groups", [])
    return [*offered.get("options", []), *(option for group in groups for option in group["options"])]


def choose(
    core: Core,
    user: str,
    target: choices.Target,
    *,
    value: str | None,
    selected: str | Sequence[str] | None,
) -> Json:
    """The payload fields for a choice that a test names in short."""
    suggested = core.state.suggestions.get((user, target.element["action_id"]), ())
    return choices.chosen(target, value=value, selected=selected, suggested=suggested)
