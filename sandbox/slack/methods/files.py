"""files.*: uploads in three steps, look-up and deletion (docs.slack.dev/messaging/working-with-files)."""

import asyncio
from collections.abc import Mapping

from sandbox import people
from sandbox.slack import blocks, files, limits, messages, stored_blocks
from sandbox.slack.arguments import Arguments, missing
from sandbox.slack.core import Core
from sandbox.slack.errors import SlackError
from sandbox.slack.methods.method import Method
from sandbox.slack.state import Conversation, File
from sandbox.slack.values import Json


def get_upload_url(core: Core, arguments: Arguments) -> Json:
    """Announce a file, and learn where to send its bytes."""
    name = arguments.need("filename")
    if arguments.whole("length", 0) <= 0:
        raise missing("length")
    file = files.create(core, name=name, owner=people.BOT.user_id, content=None)
    return {"upload_url": f"{core.url}/upload/v1/{file.info['id']}", "file_id": file.info["id"]}


def complete_upload(core: Core, arguments: Arguments) -> Json:
    """Finish uploads and share them; the message appears a moment later, as on the real service."""
    entries = arguments.array("files", error="invalid_arguments")
    if not entries:
        raise missing("files")
    uploaded = [_uploaded(core, entry) for entry in entries]
    places = _places(core, arguments)
    thread_ts = arguments.text("thread_ts")
    if thread_ts:
        if len(places) != 1:
            raise SlackError("invalid_arguments", messages=("[ERROR] thread_ts needs exactly one channel",))
        messages.thread_root(core, places[0].id, thread_ts)
    said = _said(arguments)
    for place in places:
        work = _share(core, place, [file.info["id"] for file in uploaded], said, thread_ts)
        core.tasks.spawn(work, name=f"share files in {place.id}")
    return {"files": [{"id": file.info["id"], "title": file.info["title"]} for file in uploaded]}


def _uploaded(core: Core, entry: object) -> File:
    if not isinstance(entry, dict) or not entry.get("id"):
        raise SlackError("invalid_arguments", messages=("[ERROR] missing required field: id",))
    file = core.state.files.get(entry["id"])
    if file is None or file.content is None:
        raise SlackError("file_not_found")
    file.info["title"] = entry.get("title") or file.info["title"]
    return file


def _places(core: Core, arguments: Arguments) -> list[Conversation]:
    ids = [id_ for id_ in (arguments.text("channels") or arguments.text("channel_id")).split(",") if id_]
    if len(ids) > limits.FILE_CHANNELS:
        raise SlackError("invalid_arguments", messages=("[ERROR] too many channels",))
    places = []
    for id_ in ids:
        place = core.state.conversation(id_)
        if place.is_archived:
            raise SlackError("is_archived")
        if not place.bot_is_member:
            raise SlackError("not_in_channel" if place.kind == "public" else "channel_not_found")
        places.append(place)
    return places


def _said(arguments: Arguments) -> Json:
    if comment := arguments.text("initial_comment"):
        return {"text": comment}
    given = arguments.array("blocks", error="invalid_blocks_format") or []
    if any(block.get("type") != "rich_text" for block in given):
        raise SlackError("invalid_blocks", messages=("[ERROR] only rich_text blocks are allowed here",))
    blocks.check_message(given)
    return {"text": "", **({"blocks": stored_blocks.complete(given)} if given else {})}


async def _share(core: Core, place: Conversation, ids: list[str], said: Json, thread_ts: str) -> None:
    await asyncio.sleep(core.timing.share_seconds)
    shared = [files.share(core, id_, place, people.BOT.user_id) for id_ in ids]
    message = messages.from_bot({"subtype": "file_share", "files": shared, "upload": True, **said})
    if thread_ts:
        message["thread_ts"] = thread_ts
    files.note_shares(core, place, messages.post(core, place, message))


def info(core: Core, arguments: Arguments) -> Json:
    """One file, if the bot may see it."""
    return {"file": _visible(core, arguments).info, "comments": []}


def delete(core: Core, arguments: Arguments) -> Json:
    """Delete a file of the app; messages keep a stub of it."""
    file = _visible(core, arguments)
    if file.owner != people.BOT.user_id:
        raise SlackError("cant_delete_file")
    id_ = file.info["id"]
    del core.state.files[id_]
    stub = {"id": id_, "mode": "tombstone"}
    for conversation in core.state.conversations.values():
        for message in core.state.messages[conversation.id].values():
            if any(shared["id"] == id_ for shared in message.get("files", ())):
                message["files"] = [stub if shared["id"] == id_ else shared for shared in message["files"]]
                messages.refresh(core, conversation, message["ts"])
    return {}


def _visible(core: Core, arguments: Arguments) -> File:
    file = core.state.files.get(arguments.text("file"))
    if file is None or not files.visible_to_bot(core, file):
        raise SlackError("file_not_found")
    return file


METHODS: Mapping[str, Method] = {
    "files.getUploadURLExternal": Method(run=get_upload_url, scope="files:write"),
    "files.completeUploadExternal": Method(run=complete_upload, scope="files:write"),
    "files.info": Method(run=info, scope="files:read"),
    "files.delete": Method(run=delete, scope="files:write"),
}
