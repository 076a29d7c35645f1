"""The page's HTTP interface: what people see and do, for a browser. ``live`` tells it of changes."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from sandbox import people
from sandbox.slack import acts, commands, files, objects, presses, submissions
from sandbox.slack.arguments import Arguments, read
from sandbox.slack.core import Core
from sandbox.slack.errors import SlackError
from sandbox.slack.state import Conversation
from sandbox.slack.values import Json

#: The folder of the page itself.
PAGE = Path(__file__).parent / "page"
_Act = Callable[[Arguments], Awaitable[Json]]


class PageApi:
    """One method for each thing that the page asks for; ``user`` always says who acts."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def routes(self) -> list[web.AbstractRouteDef]:
        """Everything under ``/page/api`` and the page itself."""
        gets = {"state": self.state, "history": self.history, "home": self.home, "views": self.views}
        posts = {
            "say": self.say,
            "edit": self.edit,
            "delete": self.delete,
            "command": self.command,
            "action": self.action,
            "submit": self.submit,
            "close_view": self.close_view,
            "open_home": self.open_home,
            "options": self.options,
            "stop": self.stop,
        }
        return [
            web.get("/", _page),
            *(web.get(f"/page/api/{name}", self._answering(act)) for name, act in gets.items()),
            *(web.post(f"/page/api/{name}", self._answering(act)) for name, act in posts.items()),
            web.post("/page/api/upload", self.upload),
            web.get("/page/{path:.+}", _page),
        ]

    def _answering(self, act: _Act) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            try:
                given = Arguments(await read(request))
                if given.text("user") not in self._core.state.people:
                    raise SlackError("user_not_found")
                return web.json_response({"ok": True, **await act(given)})
            except SlackError as refusal:
                return web.json_response(refusal.body(), status=400)
            except LookupError as missing:
                body = {"ok": False, "error": "not_found", "detail": str(missing)}
                return web.json_response(body, status=404)

        return answer

    async def state(self, given: Arguments) -> Json:
        """The team, its people, the conversations that this person sees, and the app."""
        user = given.text("user")
        seen = [
            self._channel(conversation, user)
            for conversation in self._core.state.conversations.values()
            if user in self._core.state.viewers(conversation)
        ]
        bot = objects.bot_user()
        return {
            "team": {"id": people.TEAM.id, "name": people.TEAM.name, "domain": people.TEAM.domain},
            "people": [_person(person) for person in self._core.state.people.values()],
            "channels": seen,
            "bot": {
                "id": bot["id"],
                "name": bot["name"],
                "real_name": bot["real_name"],
                "connected": self._core.delivery.connected,
            },
            "commands": [
                {"command": c.command, "description": c.description, "usage_hint": c.usage_hint}
                for c in self._core.app.commands
            ],
            "me": _person(self._core.state.people[user]),
        }

    def _channel(self, conversation: Conversation, user: str) -> Json:
        return {
            "id": conversation.id,
            "name": people.BOT.name if conversation.kind == "im" else conversation.name,
            "kind": conversation.kind,
            "is_member": user in conversation.members,
            "members": sorted(conversation.members),
            "bot_is_member": conversation.bot_is_member,
            "is_archived": conversation.is_archived,
            "topic": conversation.topic,
        }

    async def history(self, given: Arguments) -> Json:
        """A conversation's roots and broadcast replies, or one thread, oldest first."""
        state = self._core.state
        conversation = state.conversation(given.text("channel"))
        if given.text("user") not in state.viewers(conversation):
            raise SlackError("channel_not_found")
        thread_ts = given.text("thread_ts")
        messages = state.messages[conversation.id].values()
        if thread_ts:
            chosen = [m for m in messages if thread_ts in (m["ts"], m.get("thread_ts"))]
        else:
            chosen = [m for m in messages if state.is_root(m) or m.get("subtype") == "thread_broadcast"]
        return {"messages": [objects.message(state, conversation.id, message) for message in chosen]}

    async def home(self, given: Arguments) -> Json:
        """The person's Home tab."""
        return {"view": self._core.state.homes.get(given.text("user"))}

    async def views(self, given: Arguments) -> Json:
        """The person's open modals."""
        return {"views": self._core.state.modals[given.text("user")]}

    async def say(self, given: Arguments) -> Json:
        """Write a message."""
        ts = acts.say(
            self._core,
            given.text("user"),
            given.text("channel"),
            given.text("text"),
            thread_ts=given.text("thread_ts") or None,
            file_ids=given.array("file_ids", error="invalid_arguments") or (),
            broadcast=given.flag("reply_broadcast"),
        )
        return {"ts": ts}

    async def edit(self, given: Arguments) -> Json:
        """Edit an own message."""
        acts.edit(self._core, given.text("user"), given.text("channel"), given.text("ts"), given.text("text"))
        return {}

    async def delete(self, given: Arguments) -> Json:
        """Delete an own message."""
        acts.delete(self._core, given.text("user"), given.text("channel"), given.text("ts"))
        return {}

    async def command(self, given: Arguments) -> Json:
        """Run a slash command; its failure is an ephemeral message, not an error of the page."""
        reply = await commands.run(
            self._core,
            given.text("user"),
            given.text("channel"),
            given.text("command"),
            given.text("text"),
            thread_ts=given.text("thread_ts") or None,
        )
        return {"acked": reply.acked, "reason": reply.error}

    async def action(self, given: Arguments) -> Json:
        """Use an element of a message or view."""
        user, container, action = given.text("user"), _record(given, "container"), _record(given, "action")
        choice = presses.choice_of(action)
        ids = str(action.get("action_id", "")), action.get("block_id")
        if container.get("type") == "view":
            view_id = container.get("view_id", "")
            target = presses.in_view(self._core, user, view_id, *ids)
            answer = await presses.press_in_view(self._core, user, view_id, target, choice)
        else:
            channel, ts = container.get("channel", ""), container.get("ts", "")
            target = presses.in_message(self._core, user, channel, ts, *ids)
            answer = await presses.press_in_message(self._core, user, channel, ts, target, choice)
        if not answer.acked:
            raise SlackError(answer.error)
        return {}

    async def submit(self, given: Arguments) -> Json:
        """Send a modal off."""
        values = given.record("values", error="invalid_arguments") or {}
        return await submissions.submit(self._core, given.text("user"), given.text("view_id"), values)

    async def close_view(self, given: Arguments) -> Json:
        """Close a modal, or with ``clear`` all of them."""
        clear = given.flag("clear")
        await submissions.close(self._core, given.text("user"), given.text("view_id"), all_of_them=clear)
        return {}

    async def open_home(self, given: Arguments) -> Json:
        """Open a tab of the app."""
        acts.open_home(self._core, given.text("user"), given.text("tab", "home"))
        return {}

    async def options(self, given: Arguments) -> Json:
        """Ask the app for the options of an external menu."""
        user, container = given.text("user"), _record(given, "container")
        ids = given.text("action_id"), given.text("block_id") or None
        if container.get("type") == "view":
            target = presses.in_view(self._core, user, container.get("view_id", ""), *ids)
        else:
            channel, ts = container.get("channel", ""), container.get("ts", "")
            target = presses.in_message(self._core, user, channel, ts, *ids)
            container = {"type": "message", "message_ts": ts, "channel_id": channel}
        return await presses.suggestions(self._core, user, container, target, given.text("value"))

    async def stop(self, given: Arguments) -> Json:
        """Press Slack's own Stop button of a working agent."""
        acts.press_stop(self._core, given.text("user"), given.text("channel"), given.text("thread_ts"))
        return {}

    async def upload(self, request: web.Request) -> web.Response:
        """Take a file, to be shared by a later message."""
        user = request.query.get("user", "")
        if user not in self._core.state.people:
            return web.json_response({"ok": False, "error": "user_not_found"}, status=400)
        try:
            name, content = await files.read_form_file(request)
        except SlackError as refusal:
            return web.json_response(refusal.body(), status=400)
        file = files.create(self._core, name=name, owner=user, content=content)
        return web.json_response({"ok": True, "file": file.info})


async def _page(request: web.Request) -> web.StreamResponse:
    # Not aiohttp's static route: that looks at the disk while it is set up, on the event loop.
    parts = request.match_info.get("path", "index.html").split("/")
    if ".." in parts:
        raise web.HTTPNotFound
    return web.FileResponse(PAGE.joinpath(*parts), headers={"Cache-Control": "no-cache"})


def _person(person: people.Person) -> Json:
    return {
        "id": person.id,
        "name": person.name,
        "real_name": person.real_name,
        "email": person.email,
        "role": person.role,
        "color": person.color,
    }


def _record(given: Arguments, name: str) -> Json:
    value = given.record(name, error="invalid_arguments")
    if value is None:
        raise SlackError("invalid_arguments", messages=(f"[ERROR] missing required field: {name}",))
    return value
