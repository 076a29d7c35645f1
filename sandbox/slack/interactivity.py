"""What every interaction payload shares: who acts, where, and what to tell them when the app stays silent."""

from sandbox import people
from sandbox.slack import messages
from sandbox.slack.core import Core
from sandbox.slack.errors import SlackError
from sandbox.slack.state import Conversation, direct_id
from sandbox.slack.values import Answer, Json

TROUBLE = "We had some trouble connecting. Try again?"


def person(core: Core, user: str) -> people.Person:
    """The person who acts; ``user_not_found``."""
    found = core.state.people.get(user)
    if found is None:
        raise SlackError("user_not_found")
    return found


def base(core: Core, user: str, type_: str) -> Json:
    """The fields of every interaction payload (docs.slack.dev/reference/interaction-payloads)."""
    acting = person(core, user)
    return {
        "type": type_,
        "token": "sandbox-verification-token",
        "team": {"id": people.TEAM.id, "domain": people.TEAM.domain},
        "user": {
            "id": user,
            "username": acting.name,
            "name": acting.name,
            "team_id": acting.team_id,
        },
        "api_app_id": people.BOT.app_id,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def channel_name(conversation: Conversation) -> str:
    """How payloads call a conversation: private ones are not named."""
    return {"im": "directmessage", "private": "privategroup"}.get(conversation.kind, conversation.name)


def response_url(core: Core, kind: str, secret: str) -> str:
    """The address for a grant of ``Triggers.allow``."""
    return f"{core.url}/{kind}/{people.TEAM.id}/{secret}"


async def ask(core: Core, payload: Json, *, wants_payload: bool = False) -> Answer:
    """Deliver an interaction to the app and return its answer."""
    return await core.delivery.ask("interactive", payload, wants_payload=wants_payload)


def complain(core: Core, user: str, channel: str | None, answer: Answer) -> None:
    """Show a person that their interaction came to nothing."""
    place = channel or direct_id(user)
    messages.from_slackbot(core, user, place, f"{TROUBLE} ({answer.error})")
