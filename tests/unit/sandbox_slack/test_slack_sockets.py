"""Socket Mode: tickets, several connections, goodbyes and broken sockets."""

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.people import ADA
from sandbox.slack import SlackSandbox
from tests.unit.sandbox_slack.conftest import Bolt, Connect, refusal

SALES = "C0SALES01"


@pytest.fixture
async def app_client(slack: SlackSandbox) -> AsyncWebClient:
    return AsyncWebClient(token="xapp-1-sandbox-app", base_url=f"{slack.url}/api/")


async def _open(app_client: AsyncWebClient) -> str:
    answer = await app_client.apps_connections_open(app_token="xapp-1-sandbox-app")
    return str(answer["url"])


async def test_a_connection_begins_with_hello(app_client: AsyncWebClient) -> None:
    url = await _open(app_client)
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
        hello = await socket.receive_json(timeout=2)
    assert (hello["type"], hello["num_connections"]) == ("hello", 1)


async def test_a_connection_url_works_once(app_client: AsyncWebClient) -> None:
    url = await _open(app_client)
    async with aiohttp.ClientSession() as http, http.ws_connect(url):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(url)


async def test_the_eleventh_connection_is_sent_away(app_client: AsyncWebClient) -> None:
    async with aiohttp.ClientSession() as http:
        sockets = [await http.ws_connect(await _open(app_client)) for _ in range(11)]
        goodbye = await sockets[-1].receive_json(timeout=2)
        for socket in sockets:
            await socket.close()
    assert (goodbye["type"], goodbye["reason"]) == ("disconnect", "too_many_websockets")


async def test_an_envelope_says_whether_an_answer_is_read(
    slack: SlackSandbox, app_client: AsyncWebClient
) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(await _open(app_client)) as socket:
        await socket.receive_json(timeout=2)
        await slack.say(ADA.id, SALES, "hello")
        frame = await socket.receive_json(timeout=2)
        await socket.send_json({"envelope_id": frame["envelope_id"]})
    assert (frame["type"], frame["accepts_response_payload"]) == ("events_api", False)
    assert (frame["retry_attempt"], frame["retry_reason"]) == (0, "")


async def test_each_event_goes_to_one_of_several_connections(
    slack: SlackSandbox, bolt: Bolt, connect: Connect
) -> None:
    await connect()
    await connect()
    for number in range(4):
        await slack.say(ADA.id, SALES, f"number {number}")
    await slack.wait_for(lambda: len(bolt.events) == 4)
    assert len({event["ts"] for event in bolt.events}) == 4


@pytest.mark.usefixtures("connected")
async def test_an_app_comes_back_after_a_goodbye(slack: SlackSandbox, bolt: Bolt) -> None:
    await slack.faults.disconnect("refresh_requested")
    await slack.say(ADA.id, SALES, "still there?")
    await slack.wait_for(lambda: bolt.events)


@pytest.mark.usefixtures("connected")
async def test_an_app_comes_back_after_its_socket_broke(slack: SlackSandbox, bolt: Bolt) -> None:
    await slack.faults.drop_sockets()
    await slack.say(ADA.id, SALES, "still there?")
    await slack.wait_for(lambda: bolt.events)


async def test_connections_can_be_refused(slack: SlackSandbox, app_client: AsyncWebClient) -> None:
    slack.faults.refuse_connections = True
    assert await refusal(app_client.apps_connections_open(app_token="xapp-1-sandbox-app")) == "internal_error"


async def test_a_bot_token_opens_no_connection(client: AsyncWebClient) -> None:
    error = await refusal(client.apps_connections_open(app_token="xoxb-sandbox-bot"))
    assert error == "not_allowed_token_type"
