"""Slack's objects as the Web API shows them: users, conversations, messages, the bot."""

from sandbox import people
from sandbox.slack.errors import SlackError
from sandbox.slack.state import SLACKBOT, Conversation, State
from sandbox.slack.values import Json

_SEEN_BY_EVERYONE = 1_700_000_000


def user(person: people.Person, *, with_email: bool) -> Json:
    """A person; strangers come without e-mail and with ``is_stranger`` (docs.slack.dev/reference/objects/user-object)."""
    stranger = person.role == "stranger"
    profile: Json = {
        "real_name": person.real_name,
        "real_name_normalized": person.real_name,
        "display_name": person.name,
        "display_name_normalized": person.name,
        "team": person.team_id,
        "title": "",
        "avatar_hash": person.id.lower(),
    }
    if with_email and not stranger:
        profile["email"] = person.email
    shown: Json = {
        "id": person.id,
        "team_id": person.team_id,
        "name": person.name,
        "real_name": person.real_name,
        "deleted": False,
        "color": person.color.removeprefix("#"),
        "tz": "Europe/Berlin",
        "tz_label": "Central European Time",
        "tz_offset": 3_600,
        "profile": profile,
        "is_bot": False,
        "is_app_user": False,
        "updated": _SEEN_BY_EVERYONE,
    }
    return shown | (_stranger() if stranger else _member(person))


def _stranger() -> Json:
    return {"is_stranger": True, "is_restricted": False, "is_ultra_restricted": False}


def _member(person: people.Person) -> Json:
    return {
        "is_admin": person.role == "admin",
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": person.role == "guest",
        "is_ultra_restricted": person.role == "guest",
        "is_stranger": False,
        "is_email_confirmed": True,
    }


def bot_user() -> Json:
    """The app's own user."""
    return {
        "id": people.BOT.user_id,
        "team_id": people.TEAM.id,
        "name": people.BOT.name,
        "real_name": people.BOT.name.title(),
        "deleted": False,
        "is_bot": True,
        "is_app_user": False,
        "is_admin": False,
        "is_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_stranger": False,
        "profile": {
            "real_name": people.BOT.name.title(),
            "display_name": people.BOT.name,
            "bot_id": people.BOT.bot_id,
            "api_app_id": people.BOT.app_id,
            "always_active": True,
            "team": people.TEAM.id,
        },
        "updated": _SEEN_BY_EVERYONE,
    }


def slackbot_user() -> Json:
    """Slack's own helper: not marked as a bot, as on the real service."""
    return {
        "id": SLACKBOT,
        "team_id": people.TEAM.id,
        "name": "slackbot",
        "real_name": "Slackbot",
        "deleted": False,
        "is_bot": False,
        "is_admin": False,
        "is_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "profile": {"real_name": "Slackbot", "display_name": "Slackbot", "team": people.TEAM.id},
        "updated": 0,
    }


def bot() -> Json:
    """The bot of ``bots.info``."""
    return {
        "id": people.BOT.bot_id,
        "app_id": people.BOT.app_id,
        "user_id": people.BOT.user_id,
        "name": people.BOT.name,
        "deleted": False,
        "updated": _SEEN_BY_EVERYONE,
        "icons": {},
    }


def bot_profile() -> Json:
    """The bot as its messages carry it."""
    return bot() | {"team_id": people.TEAM.id}


def conversation(found: Conversation) -> Json:
    """A conversation as the bot sees it (docs.slack.dev/reference/objects/conversation-object)."""
    shared = found.kind == "shared"
    shown: Json = {
        "id": found.id,
        "created": found.created,
        "is_archived": found.is_archived,
        "is_im": found.kind == "im",
        "is_org_shared": False,
        "context_team_id": people.TEAM.id,
        "updated": found.created * 1_000,
    }
    if found.kind == "im":
        return shown | {"user": found.name, "is_user_deleted": False, "is_open": True, "priority": 0}
    teams = [people.TEAM.id, people.OTHER_TEAM.id] if shared else [people.TEAM.id]
    return shown | {
        "name": found.name,
        "name_normalized": found.name,
        "is_channel": found.kind != "private",
        "is_group": False,
        "is_mpim": False,
        "is_private": found.kind == "private",
        "is_general": False,
        "is_shared": shared,
        "is_ext_shared": shared,
        "is_pending_ext_shared": found.is_pending_ext_shared,
        "pending_shared": [people.OTHER_TEAM.id] if found.is_pending_ext_shared else [],
        "shared_team_ids": teams,
        "is_member": found.bot_is_member,
        "creator": people.ADA.id,
        "topic": {"value": found.topic, "creator": people.ADA.id, "last_set": found.created},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "previous_names": [],
        "num_members": len(found.members),
    }


def message(state: State, channel: str, stored: Json) -> Json:
    """A message as readers get it: a root with replies says how many, by whom and when."""
    shown = {key: value for key, value in stored.items() if key != "metadata"}
    replies = state.replies(channel, stored["ts"]) if state.is_root(stored) else []
    if not replies:
        return shown
    users = list(dict.fromkeys(reply.get("user", "") for reply in replies))
    return shown | {
        "thread_ts": stored["ts"],
        "reply_count": len(replies),
        "reply_users": users,
        "reply_users_count": len(users),
        "latest_reply": replies[-1]["ts"],
        "is_locked": False,
        "subscribed": False,
    }


def home_team(state: State, user_id: str) -> str:
    """The team that a user belongs to."""
    person = state.people.get(user_id)
    return person.team_id if person else people.TEAM.id


def permalink(channel: str, stored: Json) -> str:
    """The address of a message for people."""
    address = f"https://{people.TEAM.domain}.slack.com/archives/{channel}/p{stored['ts'].replace('.', '')}"
    thread_ts = stored.get("thread_ts", stored["ts"])
    return address if thread_ts == stored["ts"] else f"{address}?thread_ts={thread_ts}&cid={channel}"


_KINDS = {"public_channel": ("public", "shared"), "private_channel": ("private",), "im": ("im",), "mpim": ()}


def kinds(types: str) -> set[str]:
    """The kinds of conversation behind the ``types`` argument of list methods; ``invalid_types``."""
    names = [name.strip() for name in types.split(",")]
    if any(name not in _KINDS for name in names):
        raise SlackError("invalid_types")
    return {kind for name in names for kind in _KINDS[name]}
