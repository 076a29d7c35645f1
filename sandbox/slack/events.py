"""The Events API: which events exist, who may hear them, and the envelope around each.

An event reaches the app when its manifest subscribes to it and, for what happens in a conversation, the bot is a member.
"""

import time

from sandbox import people
from sandbox.slack.core import Core
from sandbox.slack.state import Conversation, new_id
from sandbox.slack.values import Json

_MESSAGE_SUBSCRIPTIONS = {"im": "message.im", "group": "message.groups", "channel": "message.channels"}


def emit(core: Core, event: Json, *, conversation: Conversation | None = None) -> None:
    """Deliver an event to the app if it subscribed to it and may hear it."""
    if conversation is not None and not conversation.bot_is_member:
        return
    if _subscription(event) in core.app.events:
        shared = conversation is not None and conversation.kind == "shared"
        core.delivery.event(envelope(event, is_ext_shared_channel=shared))


def _subscription(event: Json) -> str:
    if event["type"] == "message":
        return _MESSAGE_SUBSCRIPTIONS[event.get("channel_type", "channel")]
    return str(event["type"])


def envelope(
    event: Json,
    *,
    is_ext_shared_channel: bool = False,
    event_id: str | None = None,
    team_id: str | None = None,
) -> Json:
    """The body of an event delivery (docs.slack.dev/apis/events-api#event-type-structure)."""
    team = team_id or people.TEAM.id
    event_id = event_id or new_id("Ev")
    return {
        "token": "sandbox-verification-token",
        "team_id": team,
        "context_team_id": team,
        "context_enterprise_id": None,
        "api_app_id": people.BOT.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": team,
                "user_id": people.BOT.user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": is_ext_shared_channel,
        "event_context": f"4-{event_id}",
    }
