"""A Slack on loopback, and a real Bolt app connected to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from sandbox.slack import SlackSandbox
from sandbox.slack.timing import Timing

# Short, so that tests of silence and of redelivery do not take seconds.
QUICK = Timing(ack_seconds=0.5, retry_delays=(0.02, 0.05, 0.1), trigger_seconds=0.5, share_seconds=0.01)


@dataclass
class Bolt:
    """A Bolt app and everything it heard."""

    app: AsyncApp
    events: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)

    def types(self) -> list[str]:
        """The types of the events, with the subtype where there is one."""
        return [".".join(filter(None, (event["type"], event.get("subtype")))) for event in self.events]


@pytest.fixture
async def slack() -> AsyncIterator[SlackSandbox]:
    async with SlackSandbox(timing=QUICK) as sandbox:
        yield sandbox


@pytest.fixture
async def client(slack: SlackSandbox) -> AsyncWebClient:
    return AsyncWebClient(token="xoxb-sandbox-bot", base_url=f"{slack.url}/api/")


@pytest.fixture
async def bolt(client: AsyncWebClient) -> Bolt:
    """An app that acknowledges and remembers every event; its self-event filter is off."""
    app = AsyncApp(client=client, ignoring_self_events_enabled=False)
    heard = Bolt(app=app)

    async def remember(body: dict[str, Any], event: dict[str, Any]) -> None:
        heard.bodies.append(body)
        heard.events.append(event)

    for name in ("message", "app_mention", "app_home_opened", "member_joined_channel", "member_left_channel"):
        app.event(name)(remember)
    app.event("agent_session_stopped")(remember)
    return heard


class Handler(Protocol):
    """The typed side of Bolt's Socket Mode handler."""

    async def connect_async(self) -> None: ...
    async def close_async(self) -> None: ...


Connect = Callable[[], Awaitable[Handler]]


@pytest.fixture
async def connect(bolt: Bolt) -> AsyncIterator[Connect]:
    """Opens a Socket Mode connection of the app; call it again for another one."""
    handlers: list[Handler] = []

    async def open_one() -> Handler:
        handler: Handler = AsyncSocketModeHandler(bolt.app, "xapp-1-sandbox-app", ping_interval=1)
        await handler.connect_async()
        handlers.append(handler)
        return handler

    yield open_one
    for handler in handlers:
        await handler.close_async()


@pytest.fixture
async def connected(connect: Connect) -> None:
    await connect()


async def refusal(call: Awaitable[AsyncSlackResponse]) -> str:
    """The error that a Web API call is refused with."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])
