"""reactions.*: the bot's reactions to messages."""

import re
from collections.abc import Mapping

from sandbox import people
from sandbox.slack import acts
from sandbox.slack.arguments import Arguments
from sandbox.slack.core import Core
from sandbox.slack.errors import SlackError
from sandbox.slack.methods.method import Method, joined
from sandbox.slack.values import Json

_NAME = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")


def _react(core: Core, arguments: Arguments, *, add: bool) -> Json:
    conversation = joined(core, arguments)
    name = arguments.text("name")
    if not _NAME.fullmatch(name):
        raise SlackError("invalid_name")
    acts.react(core, people.BOT.user_id, conversation.id, arguments.need("timestamp"), name, add=add)
    return {}


def add(core: Core, arguments: Arguments) -> Json:
    """React to a message."""
    return _react(core, arguments, add=True)


def remove(core: Core, arguments: Arguments) -> Json:
    """Take a reaction back."""
    return _react(core, arguments, add=False)


METHODS: Mapping[str, Method] = {
    "reactions.add": Method(run=add, scope="reactions:write"),
    "reactions.remove": Method(run=remove, scope="reactions:write"),
}
