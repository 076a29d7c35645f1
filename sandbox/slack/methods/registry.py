"""All methods of the Web API that this Slack knows."""

from collections.abc import Mapping

from sandbox.slack.methods import (
    assistant,
    auth,
    chat,
    conversations,
    files,
    reactions,
    streams,
    users,
    views,
)
from sandbox.slack.methods.method import Method

METHODS: Mapping[str, Method] = {
    **assistant.METHODS,
    **auth.METHODS,
    **chat.METHODS,
    **conversations.METHODS,
    **files.METHODS,
    **reactions.METHODS,
    **streams.METHODS,
    **users.METHODS,
    **views.METHODS,
}
