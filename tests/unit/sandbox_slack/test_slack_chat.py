"""chat.*: what is accepted, and what is refused with which words."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.people import ADA, BEN, CLEO, GUS
from sandbox.slack import SlackSandbox, limits
from tests.unit.sandbox_slack.conftest import refusal

SALES, FINANCE, RANDOM, ENGINEERING = "C0SALES01", "C0FINANCE", "C0RANDOM1", "C0ENG0001"


def markdown(text: str) -> dict[str, Any]:
    return {"type": "markdown", "text": text}


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


@pytest.fixture
async def ts(client: AsyncWebClient) -> str:
    """A message of the bot."""
    return str((await client.chat_postMessage(channel=SALES, text="hello"))["ts"])


async def test_a_message_needs_something_to_say(client: AsyncWebClient) -> None:
    call = client.api_call("chat.postMessage", json={"channel": SALES, "text": ""})
    assert await refusal(call) == "no_text"


@pytest.mark.parametrize(
    ("channel", "error"), [("C0NOWHERE", "channel_not_found"), (RANDOM, "not_in_channel")]
)
async def test_a_message_needs_a_channel_with_the_bot(
    client: AsyncWebClient, channel: str, error: str
) -> None:
    assert await refusal(client.chat_postMessage(channel=channel, text="x")) == error


async def test_an_archived_channel_is_closed(slack: SlackSandbox, client: AsyncWebClient) -> None:
    slack.core.state.conversations[SALES].is_archived = True
    assert await refusal(client.chat_postMessage(channel=SALES, text="x")) == "is_archived"


async def test_a_users_id_leads_to_their_direct_messages(slack: SlackSandbox, client: AsyncWebClient) -> None:
    answer = await client.chat_postMessage(channel=ADA.id, text="psst")
    assert answer["channel"] == slack.direct(ADA.id)


async def test_a_long_text_is_cut_when_posted(client: AsyncWebClient) -> None:
    answer = await client.chat_postMessage(channel=SALES, text="x" * 40_001)
    assert len(answer["message"]["text"]) == limits.POST_TEXT


async def test_a_long_text_is_refused_when_updated(client: AsyncWebClient, ts: str) -> None:
    await client.chat_update(channel=SALES, ts=ts, text="x" * 4_000)
    assert await refusal(client.chat_update(channel=SALES, ts=ts, text="x" * 4_001)) == "msg_too_long"


async def test_only_own_messages_can_be_changed_or_deleted(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    theirs = await slack.say(ADA.id, SALES, "mine")
    assert await refusal(client.chat_update(channel=SALES, ts=theirs, text="x")) == "cant_update_message"
    assert await refusal(client.chat_delete(channel=SALES, ts=theirs)) == "cant_delete_message"
    assert await refusal(client.chat_update(channel=SALES, ts="1.000000", text="x")) == "message_not_found"


async def test_an_update_keeps_what_it_does_not_name(client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=SALES, text="a", blocks=[section("b")])
    kept = await client.chat_update(channel=SALES, ts=posted["ts"], text="c")
    assert kept["message"]["blocks"][0]["text"]["text"] == "b"
    dropped = await client.chat_update(channel=SALES, ts=posted["ts"], text="c", blocks=[])
    assert "blocks" not in dropped["message"]


async def test_a_reply_must_name_a_threads_root(slack: SlackSandbox, client: AsyncWebClient) -> None:
    root = await slack.say(ADA.id, SALES, "root")
    reply = await slack.say(BEN.id, SALES, "reply", thread_ts=root)
    for wrong in (reply, "1.000000"):
        call = client.chat_postMessage(channel=SALES, text="x", thread_ts=wrong)
        assert await refusal(call) == "thread_not_found"
    await client.chat_postMessage(channel=SALES, text="x", thread_ts=root)
    assert [message["text"] for message in slack.thread(SALES, root)] == ["root", "reply", "x"]


async def test_markdown_is_limited_over_all_blocks(client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel=SALES, text="x", blocks=[markdown("y" * 12_000)])
    one = client.chat_postMessage(channel=SALES, text="x", blocks=[markdown("y" * 12_001)])
    assert await refusal(one) == "invalid_blocks"
    two = client.chat_postMessage(
        channel=SALES, text="x", blocks=[markdown("y" * 6_001), markdown("z" * 6_000)]
    )
    assert await refusal(two) == "msg_too_long"


async def test_the_text_of_all_blocks_is_limited(client: AsyncWebClient) -> None:
    blocks = [section("x" * 2_900) for _ in range(5)]
    assert (
        await refusal(client.chat_postMessage(channel=SALES, text="x", blocks=blocks))
        == "msg_blocks_too_long"
    )


async def test_a_message_holds_one_table(client: AsyncWebClient) -> None:
    table = "| a | b |\n|---|---|\n| 1 | 2 |\n"
    fenced = f"{table}\n```\n{table}```\n"
    await client.chat_postMessage(channel=SALES, text="x", blocks=[markdown(fenced)])
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=SALES, text="x", blocks=[markdown(table), markdown(table)])
    assert caught.value.response["error"] == "invalid_attachments"
    assert "only_one_table_allowed" in caught.value.response["response_metadata"]["messages"][0]


async def test_markdown_text_excludes_text_and_blocks(client: AsyncWebClient) -> None:
    call = client.chat_postMessage(channel=SALES, text="x", markdown_text="y")
    assert await refusal(call) == "markdown_text_conflict"
    answer = await client.chat_postMessage(channel=SALES, markdown_text="**y**")
    assert answer["message"]["blocks"][0]["type"] == "markdown"


async def test_rich_text_is_not_edited_into_other_blocks(client: AsyncWebClient) -> None:
    line = {"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}
    rich = [{"type": "rich_text", "elements": [line]}]
    posted = await client.chat_postMessage(channel=SALES, text="x", blocks=rich)
    call = client.chat_update(channel=SALES, ts=posted["ts"], text="x", blocks=[section("y")])
    assert await refusal(call) == "block_mismatch"


async def test_metadata_has_a_shape_and_is_read_on_request(client: AsyncWebClient) -> None:
    wrong = client.chat_postMessage(channel=SALES, text="x", metadata={"event_type": "t"})
    assert await refusal(wrong) == "invalid_metadata_format"
    metadata = {"event_type": "turn", "event_payload": {"id": "1"}}
    await client.chat_postMessage(channel=SALES, text="x", metadata=metadata)
    plain = await client.conversations_history(channel=SALES, limit=1)
    full = await client.conversations_history(channel=SALES, limit=1, include_all_metadata=True)
    assert "metadata" not in plain["messages"][0]
    assert full["messages"][0]["metadata"] == metadata


async def test_an_ephemeral_is_seen_by_one_member(slack: SlackSandbox, client: AsyncWebClient) -> None:
    answer = await client.chat_postEphemeral(channel=ENGINEERING, user=ADA.id, text="psst")
    assert [message["text"] for message in slack.ephemerals(ADA.id)] == ["psst"]
    assert slack.ephemerals(CLEO.id) == []
    call = client.chat_update(channel=ENGINEERING, ts=answer["message_ts"], text="x")
    assert await refusal(call) == "message_not_found"


async def test_an_ephemeral_to_somebody_outside_is_refused(client: AsyncWebClient) -> None:
    call = client.chat_postEphemeral(channel=ENGINEERING, user=GUS.id, text="psst")
    assert await refusal(call) == "user_not_in_channel"


async def test_a_permalink_names_message_and_thread(slack: SlackSandbox, client: AsyncWebClient) -> None:
    root = await slack.say(ADA.id, SALES, "root")
    reply = await slack.say(BEN.id, SALES, "reply", thread_ts=root)
    answer = await client.chat_getPermalink(channel=SALES, message_ts=reply)
    assert answer["permalink"].endswith(f"/p{reply.replace('.', '')}?thread_ts={root}&cid={SALES}")


async def test_a_status_goes_when_the_app_answers(slack: SlackSandbox, client: AsyncWebClient) -> None:
    root = await slack.say(ADA.id, SALES, "root")
    await client.assistant_threads_setStatus(channel_id=SALES, thread_ts=root, status="is thinking")
    assert slack.status(SALES, root) == "is thinking"
    await client.chat_postMessage(channel=SALES, thread_ts=root, text="done")
    assert slack.status(SALES, root) == ""


async def test_at_most_ten_short_loading_messages_are_shown(client: AsyncWebClient, ts: str) -> None:
    for lines in (["x"] * 11, ["x" * 51]):
        call = client.assistant_threads_setStatus(
            channel_id=SALES, thread_ts=ts, status="busy", loading_messages=lines
        )
        assert await refusal(call) == "invalid_arguments"
