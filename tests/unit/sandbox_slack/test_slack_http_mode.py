"""HTTP mode: signed requests to a real Bolt app behind aiohttp, retries, and the three seconds."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.people import ADA
from sandbox.slack import SlackSandbox

SALES = "C0SALES01"
SECRET = "sandbox-signing-secret"


class Receiver:
    """The app's request URL: remembers what came, and answers as told before Bolt may."""

    def __init__(self, app: AsyncApp) -> None:
        self.app = app
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[web.Response] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((dict(request.headers), await request.read()))
        if self.answers:
            return self.answers.pop(0)
        return await to_aiohttp_response(await self.app.async_dispatch(await to_bolt_request(request)))


@pytest.fixture
async def receiver(slack: SlackSandbox, client: AsyncWebClient) -> AsyncIterator[Receiver]:
    found = Receiver(AsyncApp(client=client, signing_secret=SECRET))
    application = web.Application()
    application.router.add_post("/slack/events", found.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.events_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    yield found
    await runner.cleanup()


async def test_the_request_url_is_verified(slack: SlackSandbox, receiver: Receiver) -> None:
    assert await slack.verify_events_url()


async def test_events_are_signed(slack: SlackSandbox, receiver: Receiver) -> None:
    @receiver.app.event("message")
    async def heard() -> None:
        pass

    await slack.say(ADA.id, SALES, "hello")
    await slack.wait_for(lambda: receiver.requests)
    headers, body = receiver.requests[0]
    assert SignatureVerifier(SECRET).is_valid_request(body, headers)
    assert abs(time.time() - int(headers["X-Slack-Request-Timestamp"])) < 5
    assert "X-Slack-Retry-Num" not in headers


async def test_a_refused_event_comes_again_and_says_why(slack: SlackSandbox, receiver: Receiver) -> None:
    heard: list[dict[str, Any]] = []

    @receiver.app.event("message")
    async def remember(event: dict[str, Any]) -> None:
        heard.append(event)

    receiver.answers = [web.Response(status=500), web.Response(status=503)]
    await slack.say(ADA.id, SALES, "hello")
    await slack.wait_for(lambda: heard)
    retries = [headers.get("X-Slack-Retry-Num") for headers, _ in receiver.requests]
    assert retries == [None, "1", "2"]
    assert receiver.requests[1][0]["X-Slack-Retry-Reason"] == "http_error"
    assert len({body for _, body in receiver.requests}) == 1


async def test_an_event_is_given_up_after_three_retries(slack: SlackSandbox, receiver: Receiver) -> None:
    receiver.answers = [web.Response(status=500) for _ in range(5)]
    await slack.say(ADA.id, SALES, "hello")
    await slack.wait_for(lambda: len(receiver.requests) == 4)
    with pytest.raises(TimeoutError):
        await slack.wait_for(lambda: len(receiver.requests) > 4, timeout=0.3)


async def test_an_app_may_decline_retries(slack: SlackSandbox, receiver: Receiver) -> None:
    receiver.answers = [web.Response(status=500, headers={"X-Slack-No-Retry": "1"})]
    await slack.say(ADA.id, SALES, "hello")
    await slack.wait_for(lambda: receiver.requests)
    with pytest.raises(TimeoutError):
        await slack.wait_for(lambda: len(receiver.requests) > 1, timeout=0.2)


async def test_commands_and_presses_come_as_forms(
    slack: SlackSandbox, receiver: Receiver, client: AsyncWebClient
) -> None:
    pressed: list[str] = []

    @receiver.app.command("/brick")
    async def brick(ack: AsyncAck) -> None:
        await ack("at your service")

    @receiver.app.action("go")
    async def go(ack: AsyncAck, body: dict[str, Any]) -> None:
        pressed.append(body["user"]["id"])
        await ack()

    await slack.command(ADA.id, SALES, "/brick", "help")
    assert slack.ephemerals(ADA.id)[0]["text"] == "at your service"
    element = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "go"}
    blocks = [{"type": "actions", "elements": [element]}]
    posted = await client.chat_postMessage(channel=SALES, text="x", blocks=blocks)
    await slack.press(ADA.id, SALES, posted["ts"], "go")
    assert pressed == [ADA.id]


async def test_an_unreachable_app_fails_a_command(slack: SlackSandbox) -> None:
    slack.events_url = "http://127.0.0.1:9/slack/events"
    reply = await slack.command(ADA.id, SALES, "/brick")
    assert reply.error == "dispatch_failed"
