"""What the app says into a conversation without a token: in the answer to a command, and on response URLs.

docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

import time

from aiohttp import web

from sandbox import people
from sandbox.slack import arguments as reading
from sandbox.slack import content, messages
from sandbox.slack.arguments import Arguments
from sandbox.slack.core import Core
from sandbox.slack.errors import SlackError
from sandbox.slack.triggers import ResponseUrl
from sandbox.slack.values import Json, Request


def say(core: Core, grant: ResponseUrl, payload: Json) -> None:
    """Carry out one response: a new message, or the replacement or deletion of the original one."""
    given = Arguments(payload)
    if given.flag("delete_original"):
        _delete(core, grant)
        return
    # Response URLs do not know markdown_text: a response with nothing else says nothing.
    said = content.read(Arguments(payload | {"markdown_text": None}), most_text=None)
    content.require_something(said)
    message = messages.from_bot(said.fields())
    if thread_ts := given.text("thread_ts"):
        messages.thread_root(core, grant.channel, thread_ts)
        message["thread_ts"] = thread_ts
    if given.flag("replace_original") and grant.message_ts:
        _replace(core, grant, message)
    elif given.text("response_type") == "in_channel":
        messages.post(core, core.state.conversations[grant.channel], message)
    else:
        messages.ephemeral(core, grant.user, grant.channel, message)


def _delete(core: Core, grant: ResponseUrl) -> None:
    if grant.message_ts is None:
        raise SlackError("no_text")
    if grant.ephemeral:
        messages.remove_ephemeral(core, grant.user, grant.message_ts)
    else:
        messages.remove(core, core.state.conversations[grant.channel], grant.message_ts)


def _replace(core: Core, grant: ResponseUrl, message: Json) -> None:
    if grant.message_ts is None:
        return
    if grant.ephemeral:
        messages.replace_ephemeral(core, grant.user, grant.message_ts, message)
        return
    old = core.state.message(grant.channel, grant.message_ts)
    kept = {name: old[name] for name in ("ts", "thread_ts", "subtype") if name in old}
    conversation = core.state.conversations[grant.channel]
    messages.change(core, conversation, message | kept, by=people.BOT.user_id)


class ResponseUrls:
    """The HTTP side of response URLs."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def handle(self, request: web.Request) -> web.Response:
        """One response of the app."""
        payload: Json = {}
        error = ""
        try:
            grant = self._core.triggers.use(request.match_info["secret"])
            payload = await reading.read(request)
            say(self._core, grant, payload)
        except SlackError as refusal:
            error = refusal.error
        status = 200 if not error else 404 if error in ("expired_url", "used_url") else 400
        self._log(request, payload, error, status)
        return web.Response(text=error or "ok", status=status)

    def _log(self, request: web.Request, payload: Json, error: str, status: int) -> None:
        self._core.requests.append(
            Request(
                method="response_url",
                path=request.path,
                arguments=payload,
                token="none",
                at=time.monotonic(),
                ok=not error,
                error=error,
                status=status,
            )
        )
        self._core.state.changes.publish()
