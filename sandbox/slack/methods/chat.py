"""chat.*: messages of the app (docs.slack.dev/reference/methods?family=chat). Streams are in ``streams``."""

from collections.abc import Mapping

from sandbox import people
from sandbox.slack import content, limits, messages, objects
from sandbox.slack.arguments import Arguments
from sandbox.slack.core import Core
from sandbox.slack.errors import SlackError
from sandbox.slack.methods.method import Method, running_stream, visible, writable
from sandbox.slack.state import Conversation
from sandbox.slack.values import Json

_RICH = "rich_text"


def post_message(core: Core, arguments: Arguments) -> Json:
    """Say something in a conversation."""
    conversation = writable(core, arguments)
    said = content.read(arguments, most_text=None)
    content.require_something(said)
    message = messages.from_bot(said.fields())
    broadcast = arguments.flag("reply_broadcast")
    if thread_ts := arguments.text("thread_ts"):
        messages.thread_root(core, conversation.id, thread_ts)
        message["thread_ts"] = thread_ts
    posted = messages.post(core, conversation, message, broadcast=broadcast and bool(thread_ts))
    answer: Json = {"channel": conversation.id, "ts": posted["ts"], "message": posted}
    if len(arguments.text("text")) > limits.POST_TEXT:
        answer["response_metadata"] = {"warnings": ["message_truncated"]}
    return answer


def update(core: Core, arguments: Arguments) -> Json:
    """Edit a message of the app; parts that are not passed stay as they were."""
    conversation, message = _own(core, arguments, error="cant_update_message")
    if running_stream(core, conversation.id, message["ts"]):
        raise SlackError("streaming_state_conflict")
    said = content.read(arguments, most_text=limits.UPDATE_TEXT)
    if said.text is None and said.blocks is None and said.attachments is None:
        raise SlackError("no_text")
    edited = _edited(message, said)
    _refuse_block_mismatch(message, edited)
    if not (edited["text"] or edited.get("blocks") or edited.get("attachments")):
        raise SlackError("no_text")
    edited = messages.change(core, conversation, edited, by=people.BOT.user_id)
    return {"channel": conversation.id, "ts": message["ts"], "text": edited["text"], "message": edited}


def _edited(message: Json, said: content.Content) -> Json:
    fields = said.fields()
    edited = dict(message)
    for name, passed in (
        ("text", said.text),
        ("blocks", said.blocks),
        ("attachments", said.attachments),
        ("metadata", said.metadata),
    ):
        if passed is None:
            continue
        edited.pop(name, None)
        if name in fields:
            edited[name] = fields[name]
    return edited


def _refuse_block_mismatch(old: Json, new: Json) -> None:
    was = {block["type"] for block in old.get("blocks", ())}
    becomes = {block["type"] for block in new.get("blocks", ())}
    if was == {_RICH} and becomes and becomes != {_RICH}:
        raise SlackError("block_mismatch")


def delete(core: Core, arguments: Arguments) -> Json:
    """Delete a message of the app."""
    conversation, message = _own(core, arguments, error="cant_delete_message")
    core.state.streams.pop((conversation.id, message["ts"]), None)
    messages.remove(core, conversation, message["ts"])
    return {"channel": conversation.id, "ts": message["ts"]}


def _own(core: Core, arguments: Arguments, *, error: str) -> tuple[Conversation, Json]:
    conversation = visible(core, arguments)
    if conversation.is_archived:
        raise SlackError("is_archived")
    message = core.state.message(conversation.id, arguments.need("ts"))
    if message.get("bot_id") != people.BOT.bot_id:
        raise SlackError(error)
    return conversation, message


def post_ephemeral(core: Core, arguments: Arguments) -> Json:
    """Say something that one member of a conversation sees, until they reload."""
    conversation = writable(core, arguments)
    user = arguments.need("user")
    if user not in conversation.members:
        raise SlackError("user_not_in_channel")
    said = content.read(arguments, most_text=None)
    content.require_something(said)
    # Ephemeral messages lose their metadata on the live service.
    fields = {name: value for name, value in said.fields().items() if name != "metadata"}
    if thread_ts := arguments.text("thread_ts"):
        messages.thread_root(core, conversation.id, thread_ts)
        fields["thread_ts"] = thread_ts
    shown = messages.ephemeral(core, user, conversation.id, messages.from_bot(fields))
    return {"message_ts": shown["ts"]}


def get_permalink(core: Core, arguments: Arguments) -> Json:
    """The address of a message for people."""
    conversation = visible(core, arguments)
    message = core.state.message(conversation.id, arguments.need("message_ts"))
    return {"channel": conversation.id, "permalink": objects.permalink(conversation.id, message)}


METHODS: Mapping[str, Method] = {
    "chat.postMessage": Method(run=post_message, scope="chat:write"),
    "chat.update": Method(run=update, scope="chat:write"),
    "chat.delete": Method(run=delete, scope="chat:write"),
    "chat.postEphemeral": Method(run=post_ephemeral, scope="chat:write"),
    "chat.getPermalink": Method(run=get_permalink),
}
