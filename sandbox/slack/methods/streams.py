"""chat.startStream, appendStream, stopStream: messages that grow while they are written.

A stream is shown as one markdown block after its task cards. It ends by itself after some minutes; then, as on the real
service, appending and stopping are refused and only chat.update helps.
"""

import time
from collections.abc import Mapping
from typing import Any

from sandbox import people
from sandbox.slack import blocks, content, limits, messages, stored_blocks
from sandbox.slack.arguments import Arguments, missing
from sandbox.slack.core import Core
from sandbox.slack.errors import SlackError
from sandbox.slack.methods.method import Method, running_stream, visible, writable
from sandbox.slack.state import Conversation, Session, Stream
from sandbox.slack.values import Json

_TASK_TEXTS = ("title", "details", "output")
_STATUSES = ("pending", "in_progress", "complete", "error")


def start(core: Core, arguments: Arguments) -> Json:
    """Begin a streamed message; in a channel it must name the person it is for."""
    conversation = writable(core, arguments)
    thread_ts = arguments.text("thread_ts")
    if thread_ts:
        messages.thread_root(core, conversation.id, thread_ts)
    elif conversation.kind == "im":
        raise missing("thread_ts")
    if conversation.kind != "im":
        _check_recipient(arguments)
    stream = Stream(started=time.monotonic(), display=arguments.text("task_display_mode", "timeline"))
    _take(stream, arguments)
    threaded = {"thread_ts": thread_ts} if thread_ts else {}
    message = messages.from_bot({**threaded, **_rendered(stream), "streaming_state": "in_progress"})
    posted = messages.post(core, conversation, message)
    core.state.streams[(conversation.id, posted["ts"])] = stream
    if core.app.is_agent and thread_ts:
        _set_session(core, conversation.id, thread_ts, "processing")
    return {"channel": conversation.id, "ts": posted["ts"]}


def append(core: Core, arguments: Arguments) -> Json:
    """Add to a streamed message."""
    conversation, message, stream = _running(core, arguments)
    if stream.stopped_by_user:
        raise SlackError("stopped_by_user")
    _take(stream, arguments)
    messages.change(core, conversation, message | _rendered(stream), by=people.BOT.user_id, tell=False)
    return {"channel": conversation.id, "ts": message["ts"]}


def stop(core: Core, arguments: Arguments) -> Json:
    """End a streamed message, perhaps with a last piece and with blocks below it."""
    conversation, message, stream = _running(core, arguments)
    _take(stream, arguments)
    final = _rendered(stream)
    last = arguments.array("blocks", error="invalid_blocks_format") or []
    if last:
        blocks.check_message(last)
        final["blocks"] = final.get("blocks", []) + stored_blocks.complete(last)
    if metadata := content.read_metadata(arguments):
        final["metadata"] = metadata
    del core.state.streams[(conversation.id, message["ts"])]
    done = message | final | {"streaming_state": "completed"}
    done = messages.change(core, conversation, done, by=people.BOT.user_id)
    if core.app.is_agent and "thread_ts" in message:
        status = arguments.text("session_status", "active")
        _set_session(core, conversation.id, message["thread_ts"], status)
    return {"channel": conversation.id, "ts": message["ts"], "message": done}


def _check_recipient(arguments: Arguments) -> None:
    for name in ("recipient_team_id", "recipient_user_id"):
        if not arguments.text(name):
            raise SlackError(f"missing_{name}")


def _running(core: Core, arguments: Arguments) -> tuple[Conversation, Json, Stream]:
    conversation = visible(core, arguments)
    message = core.state.message(conversation.id, arguments.need("ts"))
    if message.get("bot_id") != people.BOT.bot_id:
        raise SlackError("message_not_owned_by_app")
    stream = running_stream(core, conversation.id, message["ts"])
    if stream is None:
        raise SlackError("message_not_in_streaming_state")
    return conversation, message, stream


def _take(stream: Stream, arguments: Arguments) -> None:
    text = arguments.text("markdown_text")
    chunks = arguments.array("chunks", error="invalid_chunks") or []
    if text and chunks:
        raise SlackError("cannot_provide_both_markdown_text_and_chunks")
    style = "markdown_text" if text else "chunks" if chunks else stream.style
    if stream.style and style != stream.style:
        raise SlackError("streaming_mode_mismatch")
    stream.style = style
    for chunk in [{"type": "markdown_text", "text": text}] if text else chunks:
        _take_chunk(stream, chunk)
    if len(stream.text) + stream.task_texts > limits.STREAM_TEXT_SUM:
        raise SlackError("msg_too_long")


def _take_chunk(stream: Stream, chunk: Any) -> None:
    match chunk:
        case {"type": "markdown_text", "text": str(text)}:
            if len(text) > limits.STREAM_TEXT_PER_CALL:
                raise SlackError("msg_too_long")
            stream.text += text
        case {"type": "task_update", "id": str(id_), "title": str(), "status": str(status)}:
            if status not in _STATUSES:
                raise SlackError("invalid_chunks")
            _take_task(stream, id_, chunk)
        case {"type": "plan_update", "title": str(title)}:
            stream.plan_title = title
        case {"type": "blocks", "blocks": list(given)}:
            blocks.check_message(given)
            stream.blocks += stored_blocks.complete(given)
            if len(stream.blocks) > limits.STREAM_BLOCKS:
                raise SlackError("msg_blocks_too_many")
        case _:
            raise SlackError("invalid_chunks")


def _take_task(stream: Stream, id_: str, chunk: Json) -> None:
    old = stream.tasks.get(id_, {})
    if not old and len(stream.tasks) >= limits.PLAN_TASKS:
        raise SlackError("invalid_chunks")
    task: Json = {"type": "task_card", "task_id": id_, "title": chunk["title"], "status": chunk["status"]}
    for name in ("details", "output"):
        # The real service joins what comes later to what came before, without a separator.
        words = _words(old.get(name)) + chunk.get(name, "")
        if words:
            task[name] = _rich(words)
    if sources := chunk.get("sources") or old.get("sources"):
        task["sources"] = sources
    stream.tasks[id_] = task
    stream.task_texts = sum(
        len(entry["title"]) + len(_words(entry.get("details"))) + len(_words(entry.get("output")))
        for entry in stream.tasks.values()
    )


def _words(rich: Json | None) -> str:
    return str(rich["elements"][0]["elements"][0]["text"]) if rich else ""


def _rich(words: str) -> Json:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": words}]}
    return {"type": "rich_text", "elements": [section]}


def _rendered(stream: Stream) -> Json:
    shown: list[Json] = list(stream.tasks.values())
    if stream.display == "plan" and shown:
        shown = [{"type": "plan", "title": stream.plan_title or "Plan", "tasks": shown}]
    if stream.text:
        shown.append({"type": "markdown", "text": stream.text})
    return {"text": stream.text, "blocks": stored_blocks.complete([*shown, *stream.blocks])}


def _set_session(core: Core, channel: str, thread_ts: str, status: str) -> None:
    core.state.sessions[(channel, thread_ts)] = Session(status=status, title="", since=time.monotonic())


METHODS: Mapping[str, Method] = {
    "chat.startStream": Method(run=start, scope="chat:write"),
    "chat.appendStream": Method(run=append, scope="chat:write"),
    "chat.stopStream": Method(run=stop, scope="chat:write"),
}
