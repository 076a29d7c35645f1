"""What a Web API method is, and the checks that several families share."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sandbox import people
from sandbox.slack.arguments import Arguments
from sandbox.slack.core import Core
from sandbox.slack.errors import SlackError
from sandbox.slack.state import Conversation, Stream
from sandbox.slack.values import Json


@dataclass(frozen=True, kw_only=True)
class Method:
    """One method: what carries it out, which token it takes, and the scope that the token needs."""

    run: Callable[[Core, Arguments], Json]
    token: Literal["bot", "app", "none"] = "bot"
    scope: str = ""


_SCOPE_FAMILIES = {"private": "groups", "im": "im"}


def require_scope(core: Core, scope: str) -> None:
    """``missing_scope`` unless the app's manifest asked for this scope."""
    if scope and scope not in core.app.scopes:
        raise SlackError("missing_scope", needed=scope, provided=",".join(sorted(core.app.scopes)))


def require_conversation_scope(core: Core, conversation: Conversation, right: str) -> None:
    """The scope that differs by kind: "channels:read" for channels, "groups:read" for private ones, …"""
    require_scope(core, f"{_SCOPE_FAMILIES.get(conversation.kind, 'channels')}:{right}")


def visible(core: Core, arguments: Arguments, name: str = "channel") -> Conversation:
    """The conversation, if the bot may know of it; a private channel without the bot is ``channel_not_found``."""
    conversation = core.state.conversations.get(arguments.text(name))
    if conversation is None or (conversation.kind in ("private", "im") and not conversation.bot_is_member):
        raise SlackError("channel_not_found")
    return conversation


def joined(core: Core, arguments: Arguments, name: str = "channel") -> Conversation:
    """The conversation, if the bot is in it; ``not_in_channel``."""
    conversation = visible(core, arguments, name)
    if not conversation.bot_is_member:
        raise SlackError("not_in_channel")
    return conversation


def writable(core: Core, arguments: Arguments, name: str = "channel") -> Conversation:
    """The conversation, if the bot may write into it; a user's id or a "#name" will do as well."""
    wanted = arguments.text(name)
    if wanted in core.state.people and core.state.people[wanted].team_id == people.TEAM.id:
        return core.state.direct(wanted)
    conversation = core.state.conversation(wanted)
    if conversation.kind in ("private", "im") and not conversation.bot_is_member:
        raise SlackError("channel_not_found")
    if conversation.is_archived:
        raise SlackError("is_archived")
    if not conversation.bot_is_member and "chat:write.public" not in core.app.scopes:
        raise SlackError("not_in_channel")
    if conversation.kind == "im" and not core.app.messages_tab_enabled:
        raise SlackError("messages_tab_disabled")
    return conversation


def running_stream(core: Core, channel: str, ts: str) -> Stream | None:
    """The stream of a message, unless it ended; the server itself ends one after some minutes."""
    stream = core.state.streams.get((channel, ts))
    if stream is not None and time.monotonic() - stream.started > core.timing.stream_seconds:
        del core.state.streams[(channel, ts)]
        return None
    return stream
