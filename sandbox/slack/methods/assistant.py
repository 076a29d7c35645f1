"""What an agent says about its work: assistant.threads.* and agents.sessions.* (docs.slack.dev/ai)."""

import asyncio
import time
from collections.abc import Mapping

from sandbox.slack import limits, messages
from sandbox.slack.arguments import Arguments
from sandbox.slack.core import Core
from sandbox.slack.errors import SlackError
from sandbox.slack.methods.method import Method, joined
from sandbox.slack.state import Session
from sandbox.slack.values import Json

_STATUSES = ("active", "processing", "suspended", "closed")


def set_status(core: Core, arguments: Arguments) -> Json:
    """Show what the app does in a thread, until it answers, says "" or two minutes pass."""
    conversation = joined(core, arguments, "channel_id")
    thread_ts = arguments.need("thread_ts")
    core.state.message(conversation.id, thread_ts)
    _check_loading(arguments)
    status = arguments.text("status")
    key = (conversation.id, thread_ts)
    core.state.statuses.pop(key, None)
    if status:
        loading = arguments.array("loading_messages", error="invalid_arguments") or []
        shown: Json = {"status": status, "loading_messages": loading}
        core.state.statuses[key] = shown
        core.tasks.spawn(_fade(core, key, shown), name=f"fade the status of {thread_ts}")
    messages.show_status(core, conversation, thread_ts, status)
    return {}


async def _fade(core: Core, key: tuple[str, str], shown: Json) -> None:
    await asyncio.sleep(core.timing.status_seconds)
    if core.state.statuses.get(key) is shown:
        del core.state.statuses[key]
        messages.show_status(core, core.state.conversations[key[0]], key[1], "")


def _check_loading(arguments: Arguments) -> None:
    loading = arguments.array("loading_messages", error="invalid_arguments") or []
    if len(loading) > limits.LOADING_MESSAGES:
        words = (
            f"[ERROR] no more than {limits.LOADING_MESSAGES} items allowed [json-pointer:/loading_messages]"
        )
        raise SlackError("invalid_arguments", messages=(words,))
    for index, line in enumerate(loading):
        if not isinstance(line, str) or not 0 < len(line) <= limits.LOADING_MESSAGE_TEXT:
            words = f"must be less than {limits.LOADING_MESSAGE_TEXT + 1} characters"
            pointer = f"[json-pointer:/loading_messages/{index}]"
            raise SlackError("invalid_arguments", messages=(f"[ERROR] {words} {pointer}",))


def set_title(core: Core, arguments: Arguments) -> Json:
    """Name a thread."""
    conversation = joined(core, arguments, "channel_id")
    core.state.titles[(conversation.id, arguments.need("thread_ts"))] = arguments.need("title")
    core.state.changes.publish()
    return {}


def set_suggested_prompts(core: Core, arguments: Arguments) -> Json:
    """Offer up to four prompts in the direct messages with the app."""
    if not core.app.is_agent:
        raise SlackError("not_agent_app")
    conversation = joined(core, arguments, "channel_id")
    prompts = arguments.array("prompts", error="invalid_arguments") or []
    if not 1 <= len(prompts) <= limits.SUGGESTED_PROMPTS:
        words = f"[ERROR] between 1 and {limits.SUGGESTED_PROMPTS} items allowed [json-pointer:/prompts]"
        raise SlackError("invalid_arguments", messages=(words,))
    if any(not (p.get("title") and p.get("message")) for p in prompts):
        raise SlackError("invalid_arguments", messages=("[ERROR] missing required field: title or message",))
    core.state.prompts[(conversation.id, arguments.text("thread_ts"))] = prompts
    core.state.changes.publish()
    return {}


def set_session(core: Core, arguments: Arguments) -> Json:
    """Say whether the agent works in a thread; while it does, people see Slack's own Stop button."""
    key = _session_key(core, arguments)
    status = arguments.text("status")
    if status not in _STATUSES:
        raise SlackError("invalid_status")
    title = arguments.text("title")
    if len(title) > limits.SESSION_TITLE:
        raise SlackError("title_too_long")
    session = core.state.sessions.get(key)
    if session is None:
        session = core.state.sessions[key] = Session(status=status, title=title, since=time.monotonic())
    session.status, session.since = status, time.monotonic()
    shown = "is working…" if status == "processing" else ""
    messages.show_status(core, core.state.conversations[key[0]], key[1], shown)
    return {} if "agent_session_stopped" in core.app.events else _unsubscribed(status)


def _unsubscribed(status: str) -> Json:
    if status != "processing":
        return {}
    warning = "missing_agent_session_stopped_event_subscription"
    return {"warning": warning, "response_metadata": {"warnings": [warning]}}


def rename_session(core: Core, arguments: Arguments) -> Json:
    """Give a session another title."""
    session = core.state.sessions.get(_session_key(core, arguments))
    if session is None:
        raise SlackError("session_not_found")
    title = arguments.need("title")
    if len(title) > limits.SESSION_TITLE:
        raise SlackError("title_too_long")
    session.title = title
    core.state.changes.publish()
    return {}


def _session_key(core: Core, arguments: Arguments) -> tuple[str, str]:
    if not core.app.is_agent:
        raise SlackError("not_authorized")
    conversation = joined(core, arguments, "channel_id")
    thread_ts = arguments.text("thread_ts")
    if not thread_ts:
        raise SlackError("thread_ts_required")
    core.state.message(conversation.id, thread_ts)
    return conversation.id, thread_ts


METHODS: Mapping[str, Method] = {
    "assistant.threads.setStatus": Method(run=set_status, scope="chat:write"),
    "assistant.threads.setTitle": Method(run=set_title, scope="assistant:write"),
    "assistant.threads.setSuggestedPrompts": Method(run=set_suggested_prompts, scope="assistant:write"),
    "agents.sessions.setStatus": Method(run=set_session, scope="chat:write"),
    "agents.sessions.rename": Method(run=rename_session, scope="chat:write"),
}
