"""What the app hears when people talk, over a real Socket Mode connection."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.people import ADA, BEN, BOT, OTHER_TEAM, SAM
from sandbox.slack import SlackSandbox
from tests.unit.sandbox_slack.conftest import Bolt, Connect

SALES, RANDOM, PARTNERS = "C0SALES01", "C0RANDOM1", "C0PARTNER"


@pytest.mark.usefixtures("connected")
async def test_a_mention_arrives_twice_under_different_event_ids(slack: SlackSandbox, bolt: Bolt) -> None:
    ts = await slack.say(ADA.id, SALES, "@bricklayer hello")
    await slack.wait_for(lambda: len(bolt.events) == 2)
    assert sorted(bolt.types()) == ["app_mention", "message"]
    assert {event["ts"] for event in bolt.events} == {ts}
    assert len({body["event_id"] for body in bolt.bodies}) == 2


@pytest.mark.usefixtures("connected")
async def test_typed_text_is_escaped_and_names_and_links_become_tokens(
    slack: SlackSandbox, bolt: Bolt
) -> None:
    await slack.say(ADA.id, SALES, "@ben is a<b & see https://brick.example/x. in #random, `@ben`")
    await slack.wait_for(lambda: bolt.events)
    assert bolt.events[0]["text"] == (
        f"<@{BEN.id}> is a&lt;b &amp; see <https://brick.example/x>. in <#{RANDOM}|>, `@ben`"
    )


@pytest.mark.usefixtures("connected")
async def test_nothing_is_heard_from_channels_without_the_bot(slack: SlackSandbox, bolt: Bolt) -> None:
    await slack.say(ADA.id, RANDOM, "@bricklayer are you here?")
    await slack.say(ADA.id, SALES, "and here?")
    await slack.wait_for(lambda: bolt.events)
    assert [event["text"] for event in bolt.events] == ["and here?"]


@pytest.mark.usefixtures("connected")
async def test_an_invited_bot_hears_of_its_own_joining_and_then_of_messages(
    slack: SlackSandbox, bolt: Bolt
) -> None:
    await slack.add_bot(RANDOM)
    await slack.say(ADA.id, RANDOM, "welcome")
    await slack.wait_for(lambda: len(bolt.events) == 2)
    assert bolt.types() == ["member_joined_channel", "message"]
    assert bolt.events[0]["user"] == BOT.user_id


@pytest.mark.usefixtures("connected")
async def test_edits_and_deletions_are_told_with_the_previous_message(
    slack: SlackSandbox, bolt: Bolt
) -> None:
    ts = await slack.say(ADA.id, SALES, "one")
    await slack.edit(ADA.id, SALES, ts, "two")
    await slack.delete(ADA.id, SALES, ts)
    await slack.wait_for(lambda: len(bolt.events) == 3)
    assert bolt.types() == ["message", "message.message_changed", "message.message_deleted"]
    assert bolt.events[1]["message"]["text"] == "two"
    assert bolt.events[1]["previous_message"]["text"] == "one"
    assert bolt.events[2]["deleted_ts"] == ts


@pytest.mark.usefixtures("connected")
async def test_the_bots_own_edits_are_told_as_well(
    slack: SlackSandbox, bolt: Bolt, client: AsyncWebClient
) -> None:
    posted = await client.chat_postMessage(channel=SALES, text="one")
    await client.chat_update(channel=SALES, ts=posted["ts"], text="two")
    await slack.wait_for(lambda: len(bolt.events) == 2)
    assert bolt.types() == ["message", "message.message_changed"]
    assert bolt.events[1]["message"]["bot_id"] == BOT.bot_id


@pytest.mark.usefixtures("connected")
async def test_a_deleted_root_with_replies_leaves_a_tombstone(slack: SlackSandbox, bolt: Bolt) -> None:
    root = await slack.say(ADA.id, SALES, "root")
    await slack.say(BEN.id, SALES, "reply", thread_ts=root)
    await slack.delete(ADA.id, SALES, root)
    assert slack.thread(SALES, root)[0]["subtype"] == "tombstone"
    await slack.wait_for(lambda: bolt.types()[-1:] == ["message.message_changed"])


@pytest.mark.usefixtures("connected")
async def test_direct_messages_come_as_im_and_without_a_mention_event(
    slack: SlackSandbox, bolt: Bolt
) -> None:
    await slack.say(ADA.id, "@bricklayer", "@bricklayer hi")
    await slack.say(ADA.id, SALES, "later")
    await slack.wait_for(lambda: len(bolt.events) == 2)
    assert bolt.events[0]["channel_type"] == "im"
    assert bolt.events[0]["channel"] == slack.direct(ADA.id)


@pytest.mark.usefixtures("connected")
async def test_a_stranger_is_marked_by_their_own_team(slack: SlackSandbox, bolt: Bolt) -> None:
    await slack.say(SAM.id, PARTNERS, "hello")
    await slack.wait_for(lambda: bolt.events)
    assert bolt.events[0]["user_team"] == bolt.events[0]["source_team"] == OTHER_TEAM.id
    assert bolt.bodies[0]["is_ext_shared_channel"] is True
    assert bolt.bodies[0]["authorizations"][0]["user_id"] == BOT.user_id


@pytest.mark.usefixtures("connected")
async def test_a_broadcast_reply_carries_its_root(slack: SlackSandbox, bolt: Bolt) -> None:
    root = await slack.say(ADA.id, SALES, "root")
    await slack.say(ADA.id, SALES, "reply", thread_ts=root, broadcast=True)
    await slack.wait_for(lambda: len(bolt.events) == 2)
    assert bolt.events[1]["subtype"] == "thread_broadcast"
    assert bolt.events[1]["root"]["ts"] == root


@pytest.mark.usefixtures("connected")
async def test_opening_home_is_told_with_its_tab(slack: SlackSandbox, bolt: Bolt) -> None:
    await slack.open_home(ADA.id, "messages")
    await slack.wait_for(lambda: bolt.events)
    assert bolt.events[0]["tab"] == "messages"
    assert "view" not in bolt.events[0]


async def test_every_version_of_a_message_is_remembered(slack: SlackSandbox, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=SALES, text="one")
    await client.chat_update(channel=SALES, ts=posted["ts"], text="two")
    versions = slack.history[(SALES, posted["ts"])]
    assert [version.message["text"] for version in versions] == ["one", "two"]
    assert versions[0].at < versions[1].at


async def test_events_wait_for_an_app_that_is_away(slack: SlackSandbox, bolt: Bolt, connect: Connect) -> None:
    await slack.say(ADA.id, SALES, "anybody?")
    await connect()
    await slack.wait_for(lambda: bolt.events)


async def test_an_unacknowledged_event_comes_again_and_says_so(
    slack: SlackSandbox, bolt: Bolt, connect: Connect
) -> None:
    retries: list[list[str]] = []

    @bolt.app.middleware
    async def lose_the_first(
        req: AsyncBoltRequest, next: Callable[[], Awaitable[BoltResponse]]
    ) -> BoltResponse:
        retries.append([*req.headers["x-slack-retry-num"], *req.headers["x-slack-retry-reason"]])
        return BoltResponse(status=500) if len(retries) == 1 else await next()

    await connect()
    await slack.say(ADA.id, SALES, "hello")
    await slack.wait_for(lambda: bolt.events)
    assert retries == [["0", ""], ["1", "timeout"]]


async def test_duplicated_events_share_their_event_id(
    slack: SlackSandbox, bolt: Bolt, connect: Connect
) -> None:
    await connect()
    slack.faults.duplicate_events = True
    await slack.say(ADA.id, SALES, "hello")
    await slack.wait_for(lambda: len(bolt.events) == 2)
    assert len({body["event_id"] for body in bolt.bodies}) == 1


async def test_a_raw_event_is_delivered_as_given(slack: SlackSandbox, bolt: Bolt, connect: Connect) -> None:
    await connect()
    await slack.send_event({"type": "app_mention", "text": "x"}, event_id="Ev1", team_id="T9")
    await slack.wait_for(lambda: bolt.bodies)
    assert (bolt.bodies[0]["event_id"], bolt.bodies[0]["team_id"]) == ("Ev1", "T9")


async def test_wait_for_gives_up_with_a_timeout(slack: SlackSandbox) -> None:
    with pytest.raises(TimeoutError, match="did not come"):
        await slack.wait_for(lambda: None, timeout=0.05)


async def test_an_event_without_subscription_is_not_delivered(
    slack: SlackSandbox, bolt: Bolt, connect: Connect
) -> None:
    await connect()
    ts = await slack.say(ADA.id, SALES, "hello")
    await slack.react(BEN.id, SALES, ts, "tada")
    await slack.wait_for(lambda: bolt.events)
    await asyncio.sleep(0.05)
    assert bolt.types() == ["message"]
