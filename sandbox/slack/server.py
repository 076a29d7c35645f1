"""The sandbox's Slack, put together: one server on loopback, and the same acts as Python methods for tests."""

from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self, TypeVar

from aiohttp import web

from sandbox import people
from sandbox.slack import acts, commands, events, files, objects, presses, seeds, submissions
from sandbox.slack.api import Api
from sandbox.slack.app import App
from sandbox.slack.core import Core, Keys
from sandbox.slack.delivery import Delivery
from sandbox.slack.faults import Faults
from sandbox.slack.files import FileServer
from sandbox.slack.http_mode import Poster
from sandbox.slack.live import Live
from sandbox.slack.page_api import PageApi
from sandbox.slack.rates import Rates
from sandbox.slack.responses import ResponseUrls
from sandbox.slack.socket_mode import SocketHub
from sandbox.slack.state import State
from sandbox.slack.tasks import Tasks
from sandbox.slack.timing import Timing
from sandbox.slack.triggers import Triggers
from sandbox.slack.values import Json, Reply, Request, Version

T = TypeVar("T")

_MAX_BODY = 64 * 1024 * 1024


class SlackSandbox:
    """A Slack team on loopback. Use it as an async context manager, or ``start`` and ``stop`` it."""

    def __init__(
        self,
        *,
        bot_token: str = "xoxb-sandbox-bot",
        app_token: str = "xapp-1-sandbox-app",
        signing_secret: str = "sandbox-signing-secret",
        events_url: str | None = None,
        app: App | None = None,
        timing: Timing | None = None,
        rate_limits: bool = True,
    ) -> None:
        self.faults = Faults()
        timing = timing or Timing()
        state, tasks = State(), Tasks()
        self._hub = SocketHub(timing=timing, faults=self.faults, tasks=tasks, changes=state.changes)
        self._poster = Poster(signing_secret=signing_secret, timing=timing)
        delivery = Delivery(
            hub=self._hub, poster=self._poster, timing=timing, faults=self.faults, tasks=tasks
        )
        delivery.events_url = events_url
        self.core = Core(
            app=app or App(),
            keys=Keys(bot_token=bot_token, app_token=app_token, signing_secret=signing_secret),
            timing=timing,
            state=state,
            rates=Rates(enabled=rate_limits),
            faults=self.faults,
            tasks=tasks,
            delivery=delivery,
            triggers=Triggers(trigger_seconds=timing.trigger_seconds),
        )
        self._live = Live(self.core)
        self._runner: web.AppRunner | None = None
        seeds.plant(self.core)

    # Life

    async def start(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes any free one, which ``url`` tells."""
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, host, port)
        await site.start()
        self._runner = runner
        bound = runner.addresses[0][1]
        self.core.url = f"http://{host}:{bound}"

    async def stop(self) -> None:
        """Close every connection and end all work."""
        await self.core.tasks.close()
        await self._hub.close()
        await self._live.close()
        await self._poster.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=_MAX_BODY)
        file_server = FileServer(self.core)
        application.router.add_route("*", "/api/{method}", Api(self.core).handle)
        urls = ResponseUrls(self.core)
        for kind in ("commands", "actions"):
            application.router.add_post(f"/{kind}/{{team}}/{{secret}}", urls.handle)
        application.router.add_get("/page/live", self._live.handle)
        application.router.add_routes(PageApi(self.core).routes())
        application.router.add_get("/link/", self._hub.handle)
        application.router.add_post("/upload/v1/{file_id}", file_server.upload)
        application.router.add_get("/files/{file_id}/{name}", file_server.download)
        application.router.add_get("/files/{file_id}/download/{name}", file_server.download)
        return application

    # What there is to see

    @property
    def url(self) -> str:
        """Where this Slack listens; the Web API is at ``{url}/api/``."""
        return self.core.url

    @property
    def requests(self) -> deque[Request]:
        """Every call of the Web API, oldest first."""
        return self.core.requests

    @property
    def history(self) -> dict[tuple[str, str], list[Version]]:
        """Every version of every message, by channel and ``ts``."""
        return self.core.state.history

    @property
    def events_url(self) -> str | None:
        """The app's request URL; while set, payloads go there instead of through Socket Mode."""
        return self.core.delivery.events_url

    @events_url.setter
    def events_url(self, url: str | None) -> None:
        self.core.delivery.events_url = url

    def thread(self, channel: str, thread_ts: str) -> list[Json]:
        """A thread as conversations.replies shows it, root first."""
        state = self.core.state
        root = state.messages[channel].get(thread_ts)
        stored = ([root] if root else []) + state.replies(channel, thread_ts)
        return [objects.message(state, channel, message) for message in stored]

    def ephemerals(self, user: str) -> list[Json]:
        """The messages that only this person sees, oldest first."""
        return list(self.core.state.ephemerals[user])

    def home(self, user: str) -> Json | None:
        """The view on this person's Home tab."""
        return self.core.state.homes.get(user)

    def modals(self, user: str) -> list[Json]:
        """The modals that this person has open, the one in front last."""
        return list(self.core.state.modals[user])

    def status(self, channel: str, thread_ts: str) -> str:
        """What the assistant says it is doing in a thread, "" for nothing."""
        return str(self.core.state.statuses.get((channel, thread_ts), {}).get("status", ""))

    def session(self, channel: str, thread_ts: str) -> str:
        """The status of the agent session in a thread, "" when there is none."""
        found = self.core.state.sessions.get((channel, thread_ts))
        return found.status if found else ""

    def direct(self, user: str) -> str:
        """The id of this person's direct messages with the bot."""
        return self.core.state.direct(user).id

    async def wait_for(
        self,
        predicate: Callable[[], T | None],
        *,
        timeout: float = 10,  # noqa: ASYNC109  it bounds a wait for others and is reported as such
    ) -> T:
        """The first truthy value of ``predicate``, asked again after each change; ``TimeoutError`` otherwise."""
        return await self.core.state.changes.wait_for(predicate, within=timeout)

    # What people do

    async def say(
        self,
        user: str,
        channel: str,
        text: str,
        *,
        thread_ts: str | None = None,
        files: Sequence[tuple[str, bytes]] = (),
        broadcast: bool = False,
    ) -> str:
        """A person writes; returns the ``ts``. ``@names``, ``#channels`` and links become Slack's tokens."""
        ids = [self._upload(user, name, content) for name, content in files]
        return acts.say(
            self.core, user, channel, text, thread_ts=thread_ts, file_ids=ids, broadcast=broadcast
        )

    def _upload(self, user: str, name: str, content: bytes) -> str:
        return str(files.create(self.core, name=name, owner=user, content=content).info["id"])

    async def edit(self, user: str, channel: str, ts: str, text: str) -> None:
        """A person edits their message."""
        acts.edit(self.core, user, channel, ts, text)

    async def delete(self, user: str, channel: str, ts: str) -> None:
        """A person deletes their message."""
        acts.delete(self.core, user, channel, ts)

    async def send_event(
        self, event: Json, *, event_id: str | None = None, team_id: str | None = None
    ) -> None:
        """Deliver any event as it is, whether subscribed or not."""
        self.core.delivery.event(events.envelope(event, event_id=event_id, team_id=team_id))

    async def add_bot(self, channel: str, *, inviter: str = people.ADA.id) -> None:
        """Invite the bot into a channel."""
        acts.join(self.core, people.BOT.user_id, channel, inviter=inviter)

    async def remove_bot(self, channel: str) -> None:
        """Take the bot out of a channel."""
        acts.leave(self.core, people.BOT.user_id, channel)

    async def command(
        self, user: str, channel: str, command: str, text: str = "", *, thread_ts: str | None = None
    ) -> Reply:
        """A person runs a slash command; what it says to them is among their ``ephemerals``."""
        return await commands.run(self.core, user, channel, command, text, thread_ts=thread_ts)

    async def press(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        *,
        value: str | None = None,
        selected: str | Sequence[str] | None = None,
        block_id: str | None = None,
    ) -> None:
        """A person uses an element of a message, which must stand there now; ``LookupError`` otherwise.

        ``value`` must be the button's, ``selected`` the value or text of an option that is offered.
        """
        target = presses.in_message(self.core, user, channel, ts, action_id, block_id)
        choice = presses.choose(self.core, user, target, value=value, selected=selected)
        await presses.press_in_message(self.core, user, channel, ts, target, choice)

    async def press_in_view(
        self,
        user: str,
        view_id: str,
        action_id: str,
        *,
        value: str | None = None,
        selected: str | Sequence[str] | None = None,
        block_id: str | None = None,
    ) -> None:
        """A person uses an element of an open modal or, with the id "home", of the Home tab."""
        target = presses.in_view(self.core, user, view_id, action_id, block_id)
        choice = presses.choose(self.core, user, target, value=value, selected=selected)
        await presses.press_in_view(self.core, user, view_id, target, choice)

    async def submit(self, user: str, view_id: str, values: Json) -> Json:
        """A person sends a modal off; ``{"ok": True}``, or ``errors`` by block id, or an ``error``.

        ``values`` is complete (block id, action id, state) or short (action id, value).
        """
        return await submissions.submit(self.core, user, view_id, values)

    async def close_view(self, user: str, view_id: str, *, clear: bool = False) -> None:
        """A person closes a modal, or with ``clear`` the whole stack."""
        await submissions.close(self.core, user, view_id, all_of_them=clear)

    async def open_home(self, user: str, tab: str = "home") -> None:
        """A person opens the app's "home" or "messages" tab."""
        acts.open_home(self.core, user, tab)

    async def options(
        self,
        user: str,
        action_id: str,
        value: str = "",
        *,
        view_id: str | None = None,
        channel: str = "",
        ts: str = "",
        block_id: str | None = None,
    ) -> Json:
        """What an external menu, in a view or in the message at ``channel`` and ``ts``, offers for ``value``."""
        if view_id is not None:
            container: Json = {"type": "view", "view_id": view_id}
            target = presses.in_view(self.core, user, view_id, action_id, block_id)
        else:
            container = {"type": "message", "message_ts": ts, "channel_id": channel}
            target = presses.in_message(self.core, user, channel, ts, action_id, block_id)
        return await presses.suggestions(self.core, user, container, target, value)

    async def stop_session(self, user: str, channel: str, thread_ts: str) -> None:
        """A person presses Slack's own Stop button of a working agent."""
        acts.press_stop(self.core, user, channel, thread_ts)

    async def react(self, user: str, channel: str, ts: str, name: str) -> None:
        """A person reacts to a message."""
        acts.react(self.core, user, channel, ts, name)

    async def verify_events_url(self) -> bool:
        """Whether the request URL answers a ``url_verification``, as Slack asks once."""
        return self.events_url is not None and await self._poster.verify(self.events_url)
