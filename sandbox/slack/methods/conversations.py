"""conversations.*: channels, their members and what was said in them."""

from collections.abc import Mapping

from sandbox import people
from sandbox.slack import acts, objects, paging
from sandbox.slack.arguments import Arguments
from sandbox.slack.core import Core
from sandbox.slack.errors import SlackError
from sandbox.slack.methods.method import Method, joined, require_conversation_scope, visible
from sandbox.slack.state import Conversation, direct_id
from sandbox.slack.values import Json


def info(core: Core, arguments: Arguments) -> Json:
    """One conversation; a public one the bot need not be in."""
    conversation = visible(core, arguments)
    require_conversation_scope(core, conversation, "read")
    shown = objects.conversation(conversation)
    if not arguments.flag("include_num_members"):
        shown.pop("num_members", None)
    return {"channel": shown}


def list_(core: Core, arguments: Arguments) -> Json:
    """All conversations that the bot may know of."""
    kinds = objects.kinds(arguments.text("types", "public_channel"))
    found = [
        objects.conversation(conversation)
        for conversation in core.state.conversations.values()
        if conversation.kind in kinds
        and (conversation.kind in ("public", "shared") or conversation.bot_is_member)
        and not (arguments.flag("exclude_archived") and conversation.is_archived)
    ]
    page, more = paging.page(arguments, found)
    return {"channels": page, **more}


def members(core: Core, arguments: Arguments) -> Json:
    """The ids of a conversation's members."""
    conversation = visible(core, arguments)
    require_conversation_scope(core, conversation, "read")
    page, more = paging.page(arguments, conversation.members)
    return {"members": page, **more}


def history(core: Core, arguments: Arguments) -> Json:
    """What was said in a conversation, newest first, without the replies inside threads."""
    conversation = joined(core, arguments)
    require_conversation_scope(core, conversation, "history")
    found = [
        message
        for message in reversed(core.state.messages[conversation.id].values())
        if (core.state.is_root(message) or message.get("subtype") == "thread_broadcast")
        and _within(arguments, message["ts"])
    ]
    page, more = paging.page(arguments, found)
    cursor = more["response_metadata"]["next_cursor"]
    shown = [_shown(core, conversation, message, arguments) for message in page]
    answer: Json = {"messages": shown, "has_more": bool(cursor), "pin_count": 0}
    return answer | (more if cursor else {})


def replies(core: Core, arguments: Arguments) -> Json:
    """A thread, oldest first; every page begins with its root. A reply's ``ts`` gives that reply alone."""
    conversation = joined(core, arguments)
    require_conversation_scope(core, conversation, "history")
    root = core.state.messages[conversation.id].get(arguments.need("ts"))
    if root is None:
        raise SlackError("thread_not_found")
    found = core.state.replies(conversation.id, root["ts"]) if core.state.is_root(root) else []
    found = [message for message in found if _within(arguments, message["ts"])]
    page, more = paging.page(arguments, found)
    cursor = more["response_metadata"]["next_cursor"]
    shown = [_shown(core, conversation, message, arguments) for message in [root, *page]]
    answer: Json = {"messages": shown, "has_more": bool(cursor)}
    return answer | (more if cursor else {})


def _within(arguments: Arguments, ts: str) -> bool:
    at = float(ts)
    oldest, latest = arguments.text("oldest", "0"), arguments.text("latest", "inf")
    try:
        low, high = float(oldest or 0), float(latest or "inf")
    except ValueError:
        raise SlackError("invalid_ts_oldest") from None
    if arguments.flag("inclusive"):
        return low <= at <= high
    return low < at < high


def _shown(core: Core, conversation: Conversation, message: Json, arguments: Arguments) -> Json:
    shown = objects.message(core.state, conversation.id, message)
    if arguments.flag("include_all_metadata") and "metadata" in message:
        shown["metadata"] = message["metadata"]
    return shown


def open_(core: Core, arguments: Arguments) -> Json:
    """The direct messages with one person; the bot cannot write to itself or to strangers."""
    wanted = arguments.text("users") or arguments.text("channel")
    if wanted in core.state.conversations:
        return {"channel": {"id": wanted}}
    if wanted == people.BOT.user_id:
        raise SlackError("cannot_dm_bot")
    person = core.state.people.get(wanted)
    if person is None or person.team_id != people.TEAM.id:
        raise SlackError("user_not_found")
    already = direct_id(wanted) in core.state.conversations
    conversation = core.state.direct(wanted)
    shown = objects.conversation(conversation) if arguments.flag("return_im") else {"id": conversation.id}
    return {"no_op": already, "already_open": already, "channel": shown}


def join(core: Core, arguments: Arguments) -> Json:
    """The bot walks into a public channel."""
    conversation = visible(core, arguments)
    if conversation.kind in ("private", "im"):
        raise SlackError("method_not_supported_for_channel_type")
    if conversation.is_archived:
        raise SlackError("is_archived")
    already: Json = {"warning": "already_in_channel"} if conversation.bot_is_member else {}
    acts.join(core, people.BOT.user_id, conversation.id)
    return {"channel": objects.conversation(conversation), **already}


METHODS: Mapping[str, Method] = {
    "conversations.info": Method(run=info),
    "conversations.list": Method(run=list_, scope="channels:read"),
    "conversations.members": Method(run=members),
    "conversations.history": Method(run=history),
    "conversations.replies": Method(run=replies),
    "conversations.open": Method(run=open_, scope="im:write"),
    "conversations.join": Method(run=join, scope="channels:join"),
}
