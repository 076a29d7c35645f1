"""users.*: the people of the team, and the strangers it meets (docs.slack.dev/reference/methods?family=users)."""

from collections.abc import Mapping

from sandbox import people
from sandbox.slack import objects, paging
from sandbox.slack.arguments import Arguments
from sandbox.slack.core import Core
from sandbox.slack.errors import SlackError
from sandbox.slack.methods.method import Method
from sandbox.slack.state import SLACKBOT
from sandbox.slack.values import Json


def _may_see_email(core: Core) -> bool:
    return "users:read.email" in core.app.scopes


def info(core: Core, arguments: Arguments) -> Json:
    """One user."""
    wanted = arguments.text("user")
    if wanted == people.BOT.user_id:
        return {"user": objects.bot_user()}
    if wanted == SLACKBOT:
        return {"user": objects.slackbot_user()}
    person = core.state.people.get(wanted)
    if person is None:
        raise SlackError("user_not_found")
    return {"user": objects.user(person, with_email=_may_see_email(core))}


def list_(core: Core, arguments: Arguments) -> Json:
    """All users of the team; strangers are not among them."""
    with_email = _may_see_email(core)
    members = [
        objects.user(person, with_email=with_email)
        for person in core.state.people.values()
        if person.team_id == people.TEAM.id
    ]
    everybody = [*members, objects.bot_user(), objects.slackbot_user()]
    page, more = paging.page(arguments, everybody)
    return {"members": page, "cache_ts": 0, **more}


def lookup_by_email(core: Core, arguments: Arguments) -> Json:
    """The user of the team with this e-mail address; ``users_not_found``."""
    wanted = arguments.need("email").lower()
    for person in core.state.people.values():
        if person.email == wanted and person.team_id == people.TEAM.id:
            return {"user": objects.user(person, with_email=True)}
    raise SlackError("users_not_found")


def conversations(core: Core, arguments: Arguments) -> Json:
    """The conversations that a user, the bot by default, is in; private ones only where the bot is as well."""
    member = arguments.text("user", people.BOT.user_id)
    if member != people.BOT.user_id and member not in core.state.people:
        raise SlackError("user_not_found")
    kinds = objects.kinds(arguments.text("types", "public_channel"))
    found = [
        objects.conversation(conversation)
        for conversation in core.state.conversations.values()
        if conversation.kind in kinds
        and member in conversation.members
        and (conversation.kind in ("public", "shared") or conversation.bot_is_member)
        and not (arguments.flag("exclude_archived") and conversation.is_archived)
    ]
    page, more = paging.page(arguments, found)
    return {"channels": page, **more}


METHODS: Mapping[str, Method] = {
    "users.info": Method(run=info, scope="users:read"),
    "users.list": Method(run=list_, scope="users:read"),
    "users.lookupByEmail": Method(run=lookup_by_email, scope="users:read.email"),
    "users.conversations": Method(run=conversations, scope="channels:read"),
}
