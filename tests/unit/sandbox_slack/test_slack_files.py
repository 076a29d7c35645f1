"""Files: uploads by the SDK, files that people share, and downloads."""

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.people import ADA, SAM
from sandbox.slack import SlackSandbox
from tests.unit.sandbox_slack.conftest import Bolt, refusal

SALES, RANDOM, PARTNERS = "C0SALES01", "C0RANDOM1", "C0PARTNER"
BEARER = {"Authorization": "Bearer xoxb-sandbox-bot"}


async def test_an_upload_appears_in_its_thread_a_moment_later(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    root = await slack.say(ADA.id, SALES, "please")
    answer = await client.files_upload_v2(
        content="a,b\n1,2\n", filename="orders.csv", channel=SALES, thread_ts=root, initial_comment="here"
    )
    await slack.wait_for(lambda: len(slack.thread(SALES, root)) == 2)
    message = slack.thread(SALES, root)[1]
    assert (message["subtype"], message["text"]) == ("file_share", "here")
    assert message["files"][0]["mimetype"] == "text/csv"
    info = await client.files_info(file=answer["files"][0]["id"])
    assert info["file"]["shares"]["public"][SALES][0]["ts"] == message["ts"]


async def test_an_upload_to_a_channel_without_the_bot_is_refused(client: AsyncWebClient) -> None:
    call = client.files_upload_v2(content="x", filename="x.txt", channel=RANDOM)
    assert await refusal(call) == "not_in_channel"


@pytest.mark.usefixtures("connected")
async def test_a_shared_file_is_downloaded_with_the_token(slack: SlackSandbox, bolt: Bolt) -> None:
    await slack.say(ADA.id, SALES, "", files=[("orders.csv", b"a,b\n")])
    await slack.wait_for(lambda: bolt.events)
    assert bolt.types() == ["message.file_share"]
    url = bolt.events[0]["files"][0]["url_private_download"]
    async with aiohttp.ClientSession() as http:
        async with http.get(url, headers=BEARER) as answer:
            assert (await answer.read(), answer.content_type) == (b"a,b\n", "text/csv")
        async with http.get(url, headers={"Authorization": "Bearer xoxb-other"}) as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")


@pytest.mark.usefixtures("connected")
async def test_a_strangers_file_must_be_looked_up_first(
    slack: SlackSandbox, bolt: Bolt, client: AsyncWebClient
) -> None:
    await slack.say(SAM.id, PARTNERS, "look", files=[("plan.txt", b"stones")])
    await slack.wait_for(lambda: bolt.events)
    stub = bolt.events[0]["files"][0]
    assert stub["file_access"] == "check_file_info"
    assert "url_private" not in stub
    assert (await client.files_info(file=stub["id"]))["file"]["name"] == "plan.txt"


async def test_an_announced_file_without_bytes_cannot_be_shared(client: AsyncWebClient) -> None:
    announced = await client.files_getUploadURLExternal(filename="x.txt", length=1)
    call = client.files_completeUploadExternal(files=[{"id": announced["file_id"]}], channel_id=SALES)
    assert await refusal(call) == "file_not_found"


async def test_only_own_files_can_be_deleted(slack: SlackSandbox, client: AsyncWebClient) -> None:
    ts = await slack.say(ADA.id, SALES, "", files=[("orders.csv", b"a")])
    theirs = slack.thread(SALES, ts)[0]["files"][0]["id"]
    assert await refusal(client.files_delete(file=theirs)) == "cant_delete_file"
    own = await client.files_upload_v2(content="x", filename="x.txt", channel=SALES)
    await client.files_delete(file=own["files"][0]["id"])
    assert await refusal(client.files_info(file=own["files"][0]["id"])) == "file_not_found"
