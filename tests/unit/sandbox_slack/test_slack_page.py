"""The page's HTTP and WebSocket interface."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.people import ADA, BEN, BOT, GUS, SAM
from sandbox.slack import SlackSandbox
from tests.unit.sandbox_slack.conftest import Bolt

SALES, FINANCE, RANDOM = "C0SALES01", "C0FINANCE", "C0RANDOM1"
Json = dict[str, Any]


class Page:
    """A browser's hands."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def get(self, path: str, **query: str) -> Json:
        async with self._http.get(f"/page/api/{path}", params=query) as answer:
            return {"status": answer.status, **await answer.json()}

    async def post(self, path: str, **body: Any) -> Json:
        async with self._http.post(f"/page/api/{path}", json=body) as answer:
            return {"status": answer.status, **await answer.json()}

    def live(self, user: str) -> Any:
        return self._http.ws_connect("/page/live", params={"user": user})

    async def upload(self, user: str, name: str, content: bytes) -> Json:
        form = aiohttp.FormData()
        form.add_field("file", content, filename=name)
        async with self._http.post("/page/api/upload", params={"user": user}, data=form) as answer:
            return dict(await answer.json())

    async def text(self, path: str) -> str:
        async with self._http.get(path) as answer:
            return await answer.text()


@pytest.fixture
async def page(slack: SlackSandbox) -> AsyncIterator[Page]:
    async with aiohttp.ClientSession(slack.url) as http:
        yield Page(http)


async def test_people_see_their_own_conversations(slack: SlackSandbox, page: Page) -> None:
    seen = {user: await page.get("state", user=user) for user in (ADA.id, BEN.id, GUS.id, SAM.id)}
    names = {user: {channel["name"] for channel in answer["channels"]} for user, answer in seen.items()}
    assert FINANCE in {channel["id"] for channel in seen[ADA.id]["channels"]}
    assert "finance" not in names[BEN.id]
    assert names[GUS.id] == {"sales", BOT.name}
    assert names[SAM.id] == {"partners"}
    assert seen[ADA.id]["commands"][0]["command"] == "/brick"


async def test_the_page_does_not_look_empty(page: Page) -> None:
    roots = (await page.get("history", user=ADA.id, channel=SALES))["messages"]
    root = next(message for message in roots if message.get("reply_count"))
    thread = (await page.get("history", user=ADA.id, channel=SALES, thread_ts=root["ts"]))["messages"]
    assert len(thread) == root["reply_count"] + 1


async def test_private_history_stays_private(page: Page) -> None:
    answer = await page.get("history", user=BEN.id, channel=FINANCE)
    assert (answer["status"], answer["error"]) == (400, "channel_not_found")


async def test_what_is_said_is_seen_live_by_those_who_may(page: Page) -> None:
    async with page.live(ADA.id) as ada, page.live(SAM.id) as sam:
        assert (await ada.receive_json(timeout=2))["type"] == "bot"
        assert (await sam.receive_json(timeout=2))["connected"] is False
        said = await page.post("say", user=BEN.id, channel=SALES, text="hello")
        seen = await ada.receive_json(timeout=2)
        assert (seen["type"], seen["message"]["ts"]) == ("message", said["ts"])
        await page.post("edit", user=BEN.id, channel=SALES, ts=said["ts"], text="hallo")
        assert (await ada.receive_json(timeout=2))["message"]["text"] == "hallo"
        await page.post("delete", user=BEN.id, channel=SALES, ts=said["ts"])
        assert (await ada.receive_json(timeout=2))["type"] == "message_deleted"
        with pytest.raises(TimeoutError):
            await sam.receive_json(timeout=0.05)


async def test_nobody_edits_for_somebody_else(slack: SlackSandbox, page: Page) -> None:
    ts = await slack.say(ADA.id, SALES, "mine")
    answer = await page.post("edit", user=BEN.id, channel=SALES, ts=ts, text="yours")
    assert (answer["status"], answer["error"]) == (400, "cant_update_message")


async def test_only_members_write(page: Page) -> None:
    assert (await page.post("say", user=SAM.id, channel=SALES, text="x"))["error"] == "not_in_channel"
    assert (await page.post("say", user="U0NOBODY", channel=SALES, text="x"))["error"] == "user_not_found"


async def test_an_uploaded_file_is_shared_and_shown(page: Page) -> None:
    uploaded = await page.upload(ADA.id, "orders.csv", b"a,b\n")
    file = uploaded["file"]
    await page.post("say", user=ADA.id, channel=SALES, text="look", file_ids=[file["id"]])
    newest = (await page.get("history", user=ADA.id, channel=SALES))["messages"][-1]
    assert newest["files"][0]["name"] == "orders.csv"
    assert await page.text(f"/files/{file['id']}/orders.csv?page=1") == "a,b\n"


@pytest.mark.usefixtures("connected")
async def test_a_press_on_the_page_reaches_the_app(page: Page, bolt: Bolt, client: AsyncWebClient) -> None:
    pressed: list[Json] = []

    @bolt.app.action("go")
    async def go(ack: AsyncAck, body: Json) -> None:
        pressed.append(body)
        await ack()

    element = {
        "type": "button",
        "text": {"type": "plain_text", "text": "Go"},
        "action_id": "go",
        "value": "1",
    }
    blocks = [{"type": "actions", "block_id": "b", "elements": [element]}]
    posted = await client.chat_postMessage(channel=SALES, text="x", blocks=blocks)
    container = {"type": "message", "channel": SALES, "ts": posted["ts"]}
    action = {"type": "button", "action_id": "go", "block_id": "b", "value": "1"}
    assert (await page.post("action", user=ADA.id, container=container, action=action))["ok"]
    assert pressed[0]["actions"][0]["value"] == "1"
    gone = await page.post("action", user=ADA.id, container=container, action={**action, "action_id": "no"})
    assert (gone["status"], gone["error"]) == (404, "not_found")


@pytest.mark.usefixtures("connected")
async def test_a_modal_is_opened_submitted_and_closed_on_the_page(
    slack: SlackSandbox, page: Page, bolt: Bolt, client: AsyncWebClient
) -> None:
    @bolt.app.view("form")
    async def form(ack: AsyncAck) -> None:
        await ack(response_action="errors", errors={"n": "Taken"})

    label = {"type": "plain_text", "text": "Name"}
    block = {
        "type": "input",
        "block_id": "n",
        "label": label,
        "element": {"type": "plain_text_input", "action_id": "name"},
    }
    view = {"type": "modal", "callback_id": "form", "title": label, "submit": label, "blocks": [block]}
    await client.views_open(trigger_id=slack.core.triggers.issue(ADA.id), view=view)
    opened = (await page.get("views", user=ADA.id))["views"][0]
    values = {"n": {"name": {"type": "plain_text_input", "value": "x"}}}
    answer = await page.post("submit", user=ADA.id, view_id=opened["id"], values=values)
    assert answer["errors"] == {"n": "Taken"}
    await page.post("close_view", user=ADA.id, view_id=opened["id"], clear=True)
    assert (await page.get("views", user=ADA.id))["views"] == []


@pytest.mark.usefixtures("connected")
async def test_home_is_asked_for_and_shown_live(page: Page, bolt: Bolt, client: AsyncWebClient) -> None:
    assert (await page.get("home", user=ADA.id))["view"] is None
    async with page.live(ADA.id) as ada:
        await ada.receive_json(timeout=2)
        await page.post("open_home", user=ADA.id, tab="home")
        await client.views_publish(user_id=ADA.id, view={"type": "home", "blocks": [{"type": "divider"}]})
        assert (await ada.receive_json(timeout=2))["type"] == "home"


async def test_a_status_and_an_ephemeral_are_seen_live(
    page: Page, client: AsyncWebClient, slack: SlackSandbox
) -> None:
    root = await slack.say(ADA.id, SALES, "root")
    async with page.live(ADA.id) as ada:
        await ada.receive_json(timeout=2)
        await client.assistant_threads_setStatus(channel_id=SALES, thread_ts=root, status="is thinking")
        status = await ada.receive_json(timeout=2)
        assert (status["thread_ts"], status["status"]) == (root, "is thinking")
        await client.chat_postEphemeral(channel=SALES, user=ADA.id, text="psst")
        assert "ephemeral_id" in (await ada.receive_json(timeout=2))["message"]


async def test_the_page_itself_is_served_and_nothing_beside_it(page: Page) -> None:
    assert "<html" in await page.text("/")
    assert "import" in await page.text("/page/app.js")
    assert "Not Found" in await page.text("/page/%2E%2E/server.py")
