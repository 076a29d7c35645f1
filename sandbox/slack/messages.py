"""The life of a message: posted, changed, removed. Each step is remembered, shown on the page and told to the app.

Nothing here waits: a step is complete when the function returns, and deliveries go on in the background.
"""

import copy
from typing import Any

from sandbox import people
from sandbox.slack import events, objects, text
from sandbox.slack.core import Core
from sandbox.slack.errors import SlackError
from sandbox.slack.state import SLACKBOT, Conversation, new_id
from sandbox.slack.values import Json

# Fields of a stored message that readers compute, or that events do not carry.
_NOT_IN_EVENTS = ("reactions",)


def from_bot(content: Json) -> Json:
    """A new message of the app with this content."""
    return {
        "type": "message",
        "user": people.BOT.user_id,
        "bot_id": people.BOT.bot_id,
        "app_id": people.BOT.app_id,
        "team": people.TEAM.id,
        "bot_profile": objects.bot_profile(),
        **content,
    }


def from_person(core: Core, user: str, content: Json) -> Json:
    """A new message of a person with this content."""
    return {
        "type": "message",
        "user": user,
        "client_msg_id": new_id("").lower(),
        "team": objects.home_team(core.state, user),
        **content,
    }


def thread_root(core: Core, channel: str, thread_ts: str) -> Json:
    """The message that ``thread_ts`` names, which must be a thread's root; ``thread_not_found``."""
    root = core.state.messages[channel].get(thread_ts)
    if root is None or not core.state.is_root(root):
        raise SlackError("thread_not_found")
    return root


def post(core: Core, conversation: Conversation, message: Json, *, broadcast: bool = False) -> Json:
    """Add a message to a conversation; a ``thread_ts`` in it must be checked before."""
    message = message | {"ts": core.state.new_ts()}
    if broadcast:
        message["subtype"] = "thread_broadcast"
    core.state.messages[conversation.id][message["ts"]] = message
    core.state.keep(conversation.id, message)
    _clear_status(core, conversation.id, message)
    _show(core, conversation, "message", message)
    if "thread_ts" in message:
        _show(
            core, conversation, "message_changed", core.state.message(conversation.id, message["thread_ts"])
        )
    _tell_posted(core, conversation, message)
    return message


def change(core: Core, conversation: Conversation, message: Json, *, by: str, tell: bool = True) -> Json:
    """Put ``message`` in the place of the one with the same ``ts``."""
    previous = core.state.message(conversation.id, message["ts"])
    message = message | {"edited": {"user": by, "ts": core.state.new_ts()}} if tell else message
    core.state.messages[conversation.id][message["ts"]] = message
    core.state.keep(conversation.id, message)
    _show(core, conversation, "message_changed", message)
    if tell:
        told = {"subtype": "message_changed", "message": message, "previous_message": previous}
        _tell_hidden(core, conversation, told)
    return message


def remove(core: Core, conversation: Conversation, ts: str) -> None:
    """Delete a message; a root whose thread has replies leaves a tombstone, as on the real service."""
    previous = core.state.message(conversation.id, ts)
    if core.state.is_root(previous) and core.state.replies(conversation.id, ts):
        change(core, conversation, _tombstone(previous), by=SLACKBOT)
        return
    del core.state.messages[conversation.id][ts]
    core.state.keep(conversation.id, previous, deleted=True)
    thread_ts = previous.get("thread_ts", "")
    core.state.changes.publish(
        {"type": "message_deleted", "channel": conversation.id, "ts": ts, "thread_ts": thread_ts},
        only=core.state.viewers(conversation),
    )
    told = {"subtype": "message_deleted", "deleted_ts": ts, "previous_message": previous}
    _tell_hidden(core, conversation, told)


def ephemeral(core: Core, user: str, channel: str, content: Json) -> Json:
    """Show a message to one person only."""
    ts = core.state.new_ts()
    message = content | {"ts": ts, "channel": channel, "is_ephemeral": True, "ephemeral_id": ts}
    core.state.ephemerals[user].append(message)
    core.state.changes.publish({"type": "ephemeral", "channel": channel, "message": message}, only=[user])
    return message


def replace_ephemeral(core: Core, user: str, ts: str, content: Json) -> None:
    """Put other content into a message that only one person sees."""
    for index, old in enumerate(core.state.ephemerals[user]):
        if old["ts"] == ts:
            kept = {
                name: old[name]
                for name in ("ts", "channel", "is_ephemeral", "ephemeral_id", "thread_ts")
                if name in old
            }
            message = content | kept
            core.state.ephemerals[user][index] = message
            change_ = {"type": "ephemeral", "channel": old["channel"], "message": message}
            core.state.changes.publish(change_, only=[user])


def remove_ephemeral(core: Core, user: str, ts: str) -> None:
    """Take a message that only one person sees away again."""
    kept = [message for message in core.state.ephemerals[user] if message["ts"] != ts]
    core.state.ephemerals[user] = kept
    core.state.changes.publish({"type": "ephemeral_deleted", "ephemeral_id": ts}, only=[user])


def from_slackbot(core: Core, user: str, channel: str, words: str) -> Json:
    """A word from Slack itself to one person, such as the failure of a command."""
    content = {"type": "message", "user": SLACKBOT, "username": "Slackbot", "text": words}
    return ephemeral(core, user, channel, content)


def refresh(core: Core, conversation: Conversation, ts: str) -> None:
    """Show a message anew after something about it changed that is no edit, such as a reaction."""
    _show(core, conversation, "message_changed", core.state.message(conversation.id, ts))


def _tombstone(previous: Json) -> Json:
    return {
        "type": "message",
        "subtype": "tombstone",
        "text": "This message was deleted.",
        "user": SLACKBOT,
        "hidden": True,
        "ts": previous["ts"],
        "thread_ts": previous["ts"],
    }


def _clear_status(core: Core, channel: str, message: Json) -> None:
    thread_ts = str(message.get("thread_ts", message["ts"]))
    if message.get("bot_id") and core.state.statuses.pop((channel, thread_ts), None):
        show_status(core, core.state.conversation(channel), thread_ts, "")


def show_status(core: Core, conversation: Conversation, thread_ts: str, status: str) -> None:
    """Tell the pages what the assistant says it is doing in a thread ("" for nothing)."""
    core.state.changes.publish(
        {"type": "status", "channel": conversation.id, "thread_ts": thread_ts, "status": status},
        only=core.state.viewers(conversation),
    )


def _show(core: Core, conversation: Conversation, kind: str, message: Json) -> None:
    shown = objects.message(core.state, conversation.id, message)
    change_ = {"type": kind, "channel": conversation.id, "message": shown}
    core.state.changes.publish(change_, only=core.state.viewers(conversation))


def _tell_posted(core: Core, conversation: Conversation, message: Json) -> None:
    event = (
        _in_event(message) | {"channel": conversation.id, "event_ts": message["ts"]} | _origin(core, message)
    )
    if message.get("subtype") == "thread_broadcast":
        event["root"] = core.state.message(conversation.id, message["thread_ts"])
    told = event | {"channel_type": conversation.event_type}
    events.emit(core, told, conversation=conversation)
    mentioned = people.BOT.user_id in text.mentions(message.get("text", ""))
    if mentioned and conversation.kind != "im" and "bot_id" not in message:
        mention = {key: value for key, value in event.items() if key not in ("subtype", "root")}
        events.emit(core, mention | {"type": "app_mention"}, conversation=conversation)


def _tell_hidden(core: Core, conversation: Conversation, told: Json) -> None:
    ts = core.state.new_ts()
    inner = {key: _in_event(value) if isinstance(value, dict) else value for key, value in told.items()}
    event: Json = {
        "type": "message",
        "hidden": True,
        "channel": conversation.id,
        "channel_type": conversation.event_type,
        "ts": ts,
        "event_ts": ts,
        **inner,
    }
    events.emit(core, event, conversation=conversation)


def _in_event(message: Json) -> Json:
    kept: Json = {key: value for key, value in message.items() if key not in _NOT_IN_EVENTS}
    return copy.deepcopy(kept)


def _origin(core: Core, message: Json) -> dict[str, Any]:
    team = message.get("team", people.TEAM.id)
    return {"user_team": team, "source_team": team} if team != people.TEAM.id else {}
