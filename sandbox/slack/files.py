"""Files: kept in memory, shown to the app behind its token and to the page without.

A download with a wrong token gets what the real service gives: status 200 and a page to sign in.
"""

import mimetypes
import time
from urllib.parse import quote

from aiohttp import BodyPartReader, web

from sandbox import people
from sandbox.slack import objects
from sandbox.slack.core import Core
from sandbox.slack.errors import SlackError
from sandbox.slack.state import Conversation, File, new_id
from sandbox.slack.values import Json

# Reads the system's tables once, now: the first guess would otherwise read them on the event loop.
mimetypes.init()

_SIGN_IN = "<!DOCTYPE html><html><head><title>Slack</title></head><body>Sign in to Brickfield</body></html>"
_PRETTY = {"py": "Python", "sql": "SQL", "csv": "CSV", "json": "JSON", "txt": "Plain Text", "md": "Markdown"}


def create(core: Core, *, name: str, owner: str, content: bytes | None, title: str = "") -> File:
    """A new file; ``content`` is None while its upload is still awaited."""
    id_ = new_id("F")
    extension = name.rpartition(".")[2].lower() if "." in name else "text"
    address = f"{core.url}/files/{id_}"
    info: Json = {
        "id": id_,
        "created": int(time.time()),
        "timestamp": int(time.time()),
        "name": name,
        "title": title or name,
        "mimetype": mimetypes.guess_type(name)[0] or "application/octet-stream",
        "filetype": extension,
        "pretty_type": _PRETTY.get(extension, extension.upper()),
        "user": owner,
        "user_team": objects.home_team(core.state, owner),
        "mode": "hosted",
        "editable": False,
        "is_external": False,
        "is_public": False,
        "size": len(content or b""),
        "url_private": f"{address}/{quote(name)}",
        "url_private_download": f"{address}/download/{quote(name)}",
        "permalink": f"https://{people.TEAM.domain}.slack.com/files/{owner}/{id_}/{quote(name)}",
        "channels": [],
        "groups": [],
        "ims": [],
        "shares": {},
        "file_access": "visible",
    }
    file = File(info=info, content=content, owner=owner)
    core.state.files[id_] = file
    return file


def share(core: Core, file_id: str, conversation: Conversation, user: str) -> Json:
    """Put a file into a conversation and return it as its message carries it; ``file_not_found``.

    What a stranger shares must be looked up with files.info first (Slack Connect's ``check_file_info``).
    """
    file = core.state.files.get(file_id)
    if file is None or file.content is None:
        raise SlackError("file_not_found")
    listing = {"private": "groups", "im": "ims"}.get(conversation.kind, "channels")
    if conversation.id not in file.info[listing]:
        file.info[listing].append(conversation.id)
    if objects.home_team(core.state, user) != people.TEAM.id:
        created = file.info["created"]
        return {
            "id": file_id,
            "created": created,
            "timestamp": created,
            "mode": "file_access",
            "file_access": "check_file_info",
            "user": user,
        }
    return file.info


def note_shares(core: Core, conversation: Conversation, message: Json) -> None:
    """Remember in which message its files were shared (files.info tells)."""
    side = "private" if conversation.kind in ("private", "im") else "public"
    entry = {"ts": message["ts"], "channel_name": conversation.name, "team_id": people.TEAM.id}
    if "thread_ts" in message:
        entry["thread_ts"] = message["thread_ts"]
    for shared in message["files"]:
        shares = core.state.files[shared["id"]].info["shares"]
        shares.setdefault(side, {}).setdefault(conversation.id, []).append(entry)


def visible_to_bot(core: Core, file: File) -> bool:
    """Whether the bot may see the file: it made it, or it is in a conversation where the file was shared."""
    places = [*file.info["channels"], *file.info["groups"], *file.info["ims"]]
    return file.owner == people.BOT.user_id or any(
        core.state.conversations[place].bot_is_member for place in places
    )


class FileServer:
    """Uploads to one-time addresses and downloads of private files."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def upload(self, request: web.Request) -> web.Response:
        """Take the bytes for a file that files.getUploadURLExternal announced: raw, or as a form's file field."""
        file = self._core.state.files.get(request.match_info["file_id"])
        if file is None or file.content is not None:
            return web.Response(status=404, text="no such upload")
        file.content = await read_upload(request)
        file.info["size"] = len(file.content)
        return web.Response(text=f"OK - {len(file.content)}")

    async def download(self, request: web.Request) -> web.Response:
        """The bytes of a file, to the page or to whoever shows the bot's token."""
        file = self._core.state.files.get(request.match_info["file_id"])
        if file is None or file.content is None:
            return web.Response(status=404, text="not found")
        from_page = request.query.get("page") == "1"
        if not from_page and not self._allowed(request, file):
            return web.Response(text=_SIGN_IN, content_type="text/html")
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
        return web.Response(body=file.content, content_type=file.info["mimetype"], headers=headers)

    def _allowed(self, request: web.Request, file: File) -> bool:
        token = request.headers.get("Authorization", "")
        may_read = "files:read" in self._core.app.scopes and visible_to_bot(self._core, file)
        return token == f"Bearer {self._core.keys.bot_token}" and may_read


async def read_upload(request: web.Request) -> bytes:
    """The bytes of an upload, whichever way they were sent."""
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    return (await read_form_file(request))[1]


async def read_form_file(request: web.Request) -> tuple[str, bytes]:
    """Name and bytes of the file in a form; ``no_file_data`` when there is none."""
    if request.content_type.startswith("multipart/"):
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.filename:
                return part.filename, bytes(await part.read())
    raise SlackError("no_file_data")
