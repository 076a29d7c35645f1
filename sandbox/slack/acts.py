"""What people do in Slack with their own hands: write, edit, delete, upload, join, look at Home, press Stop.

Interactions with the app's buttons, commands and modals are in ``interactivity``.
"""

import time
from collections.abc import Sequence

from sandbox import people
from sandbox.slack import events, files, messages, text
from sandbox.slack.core import Core
from sandbox.slack.errors import SlackError
from sandbox.slack.state import Conversation
from sandbox.slack.values import Json


def conversation_of(core: Core, user: str, channel: str) -> Conversation:
    """The conversation, if this person is in it; ``user_not_found``, ``channel_not_found`` or ``not_in_channel``.

    The bot's own id stands for the person's direct messages with it.
    """
    if user not in core.state.people:
        raise SlackError("user_not_found")
    if channel in (people.BOT.user_id, f"@{people.BOT.name}"):
        return core.state.direct(user)
    conversation = core.state.conversation(channel)
    if user not in conversation.members:
        raise SlackError("not_in_channel" if conversation.kind == "public" else "channel_not_found")
    return conversation


def say(
    core: Core,
    user: str,
    channel: str,
    words: str,
    *,
    thread_ts: str | None = None,
    file_ids: Sequence[str] = (),
    broadcast: bool = False,
) -> str:
    """A person writes a message; returns its ``ts``."""
    conversation = conversation_of(core, user, channel)
    if conversation.is_archived:
        raise SlackError("is_archived")
    if not words.strip() and not file_ids:
        raise SlackError("no_text")
    message = messages.from_person(core, user, {"text": _typed(core, words)})
    if thread_ts:
        messages.thread_root(core, conversation.id, thread_ts)
        message["thread_ts"] = thread_ts
    if file_ids:
        message |= {"subtype": "file_share", "upload": False}
        message["files"] = [files.share(core, id_, conversation, user) for id_ in file_ids]
    posted = messages.post(core, conversation, message, broadcast=broadcast and bool(thread_ts))
    if file_ids:
        files.note_shares(core, conversation, posted)
    return str(posted["ts"])


def edit(core: Core, user: str, channel: str, ts: str, words: str) -> None:
    """A person edits their own message."""
    conversation, message = _own(core, user, channel, ts, error="cant_update_message")
    messages.change(core, conversation, message | {"text": _typed(core, words)}, by=user)


def delete(core: Core, user: str, channel: str, ts: str) -> None:
    """A person deletes their own message."""
    conversation, _ = _own(core, user, channel, ts, error="cant_delete_message")
    messages.remove(core, conversation, ts)


def _own(core: Core, user: str, channel: str, ts: str, *, error: str) -> tuple[Conversation, Json]:
    conversation = conversation_of(core, user, channel)
    message = core.state.message(conversation.id, ts)
    if message.get("user") != user:
        raise SlackError(error)
    return conversation, message


def _typed(core: Core, words: str) -> str:
    users = {person.name: person.id for person in core.state.people.values()}
    users[people.BOT.name] = people.BOT.user_id
    channels = {c.name: c.id for c in core.state.conversations.values() if c.kind != "im"}
    return text.typed(words, users=users, channels=channels)


def react(core: Core, user: str, channel: str, ts: str, name: str, *, add: bool = True) -> None:
    """Add a reaction to a message, or take it back; ``already_reacted`` or ``no_reaction``."""
    conversation = core.state.conversation(channel)
    message = core.state.message(conversation.id, ts)
    reactions = {entry["name"]: list(entry["users"]) for entry in message.get("reactions", ())}
    users = reactions.setdefault(name, [])
    if add == (user in users):
        raise SlackError("already_reacted" if add else "no_reaction")
    if add:
        users.append(user)
    else:
        users.remove(user)
    message["reactions"] = [{"name": n, "users": u, "count": len(u)} for n, u in reactions.items() if u]
    messages.refresh(core, conversation, ts)
    event: Json = {
        "type": "reaction_added" if add else "reaction_removed",
        "user": user,
        "reaction": name,
        "item": {"type": "message", "channel": conversation.id, "ts": ts},
        "item_user": message.get("user"),
        "event_ts": core.state.new_ts(),
    }
    events.emit(core, event, conversation=conversation)


def join(core: Core, user: str, channel: str, *, inviter: str = "") -> None:
    """Somebody, the bot included, comes into a conversation."""
    conversation = core.state.conversation(channel)
    if user in conversation.members:
        return
    conversation.members.append(user)
    core.state.changes.publish({"type": "channels"})
    event = _membership(core, "member_joined_channel", user, conversation)
    events.emit(core, event | ({"inviter": inviter} if inviter else {}), conversation=conversation)


def leave(core: Core, user: str, channel: str) -> None:
    """Somebody, the bot included, goes out of a conversation."""
    conversation = core.state.conversation(channel)
    if user not in conversation.members:
        return
    # Told before the member is gone: the bot still hears of its own leaving.
    event = _membership(core, "member_left_channel", user, conversation)
    events.emit(core, event, conversation=conversation)
    conversation.members.remove(user)
    core.state.changes.publish({"type": "channels"})


def _membership(core: Core, kind: str, user: str, conversation: Conversation) -> Json:
    person = core.state.people.get(user)
    return {
        "type": kind,
        "user": user,
        "channel": conversation.id,
        "channel_type": "G" if conversation.kind == "private" else "C",
        "team": person.team_id if person else people.TEAM.id,
        "event_ts": core.state.new_ts(),
    }


def open_home(core: Core, user: str, tab: str) -> None:
    """A person opens the app's Home or Messages tab."""
    direct = core.state.direct(user)
    event: Json = {
        "type": "app_home_opened",
        "user": user,
        "channel": direct.id,
        "tab": tab,
        "event_ts": core.state.new_ts(),
    }
    if tab == "home" and (view := core.state.homes.get(user)):
        event["view"] = view
    events.emit(core, event)


def press_stop(core: Core, user: str, channel: str, thread_ts: str) -> None:
    """A person presses Slack's own Stop button of a working agent session; ``session_not_found`` without one."""
    session = core.state.sessions.get((channel, thread_ts))
    if session is None or session.status != "processing":
        raise SlackError("session_not_found")
    session.status, session.since = "active", time.monotonic()
    streaming = [
        ts
        for (where, ts), stream in core.state.streams.items()
        if where == channel
        and core.state.message(channel, ts).get("thread_ts") == thread_ts
        and not stream.stopped_by_user
    ]
    for ts in streaming:
        core.state.streams[(channel, ts)].stopped_by_user = True
    event: Json = {
        "type": "agent_session_stopped",
        "channel": channel,
        "thread_ts": thread_ts,
        "user": user,
        "streaming_message_ts": streaming,
        "event_ts": core.state.new_ts(),
    }
    conversation = core.state.conversation(channel)
    messages.show_status(core, conversation, thread_ts, "")
    events.emit(core, event, conversation=conversation)
