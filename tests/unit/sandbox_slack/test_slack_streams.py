"""Streams and agent sessions, through the SDK's own helpers."""

import pytest
from slack_sdk.models.messages.chunk import MarkdownTextChunk, TaskUpdateChunk
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.people import ADA, TEAM
from sandbox.slack import SlackSandbox
from tests.unit.sandbox_slack.conftest import Bolt, refusal

SALES = "C0SALES01"


@pytest.fixture
async def root(slack: SlackSandbox) -> str:
    return await slack.say(ADA.id, SALES, "please")


async def start(client: AsyncWebClient, root: str, text: str | None = "a") -> str:
    answer = await client.chat_startStream(
        channel=SALES,
        thread_ts=root,
        markdown_text=text,
        recipient_user_id=ADA.id,
        recipient_team_id=TEAM.id,
    )
    return str(answer["ts"])


async def test_the_sdks_stream_grows_one_message(
    slack: SlackSandbox, client: AsyncWebClient, root: str
) -> None:
    stream = await client.chat_stream(
        channel=SALES, thread_ts=root, buffer_size=1, recipient_user_id=ADA.id, recipient_team_id=TEAM.id
    )
    await stream.append(markdown_text="one ")
    await stream.append(markdown_text="two")
    await stream.stop(blocks=[{"type": "divider"}])
    message = slack.thread(SALES, root)[1]
    assert message["text"] == "one two"
    assert [block["type"] for block in message["blocks"]] == ["markdown", "divider"]


async def test_a_stream_in_a_channel_is_for_somebody(client: AsyncWebClient, root: str) -> None:
    call = client.chat_startStream(channel=SALES, thread_ts=root)
    assert await refusal(call) == "missing_recipient_team_id"


async def test_an_open_stream_cannot_be_updated(client: AsyncWebClient, root: str) -> None:
    ts = await start(client, root)
    assert await refusal(client.chat_update(channel=SALES, ts=ts, text="x")) == "streaming_state_conflict"
    await client.chat_stopStream(channel=SALES, ts=ts)
    await client.chat_update(channel=SALES, ts=ts, text="x", blocks=[])
    assert await refusal(client.chat_stopStream(channel=SALES, ts=ts)) == "message_not_in_streaming_state"


async def test_a_stream_ends_by_itself(slack: SlackSandbox, client: AsyncWebClient, root: str) -> None:
    ts = await start(client, root)
    slack.core.state.streams[(SALES, ts)].started -= slack.core.timing.stream_seconds
    call = client.chat_appendStream(channel=SALES, ts=ts, markdown_text="b")
    assert await refusal(call) == "message_not_in_streaming_state"
    await client.chat_update(channel=SALES, ts=ts, text="rescued")


async def test_a_stream_holds_twelve_thousand_characters(client: AsyncWebClient, root: str) -> None:
    ts = await start(client, root)
    await client.chat_appendStream(channel=SALES, ts=ts, markdown_text="x" * 11_000)
    call = client.chat_appendStream(channel=SALES, ts=ts, markdown_text="x" * 1_000)
    assert await refusal(call) == "msg_too_long"


async def test_a_stream_keeps_to_one_style(client: AsyncWebClient, root: str) -> None:
    ts = await start(client, root)
    call = client.chat_appendStream(channel=SALES, ts=ts, chunks=[MarkdownTextChunk(text="b")])
    assert await refusal(call) == "streaming_mode_mismatch"


async def test_task_details_are_joined(slack: SlackSandbox, client: AsyncWebClient, root: str) -> None:
    ts = await start(client, root, None)
    for status in ("in_progress", "complete"):
        chunk = TaskUpdateChunk(id="1", title=f"Reading {status}", status=status, details="more")
        await client.chat_appendStream(channel=SALES, ts=ts, chunks=[chunk])
    card = slack.thread(SALES, root)[1]["blocks"][0]
    assert (card["type"], card["title"]) == ("task_card", "Reading complete")
    assert card["details"]["elements"][0]["elements"][0]["text"] == "moremore"


@pytest.mark.usefixtures("connected")
async def test_the_stop_button_ends_session_and_stream(
    slack: SlackSandbox, bolt: Bolt, client: AsyncWebClient, root: str
) -> None:
    ts = await start(client, root)
    assert slack.session(SALES, root) == "processing"
    await slack.stop_session(ADA.id, SALES, root)
    await slack.wait_for(lambda: "agent_session_stopped" in bolt.types())
    assert bolt.events[-1]["streaming_message_ts"] == [ts]
    call = client.chat_appendStream(channel=SALES, ts=ts, markdown_text="b")
    assert await refusal(call) == "stopped_by_user"


async def test_a_session_has_a_known_status(slack: SlackSandbox, client: AsyncWebClient, root: str) -> None:
    await client.agents_sessions_setStatus(channel_id=SALES, status="processing", thread_ts=root)
    assert slack.session(SALES, root) == "processing"
    call = client.agents_sessions_setStatus(channel_id=SALES, status="sleeping", thread_ts=root)
    assert await refusal(call) == "invalid_status"
