"""The Web API's door: ways to pass arguments, tokens, scopes, rates and faults."""

import time

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.people import ADA, BEN, BOT, CLEO, GUS, SAM, TEAM
from sandbox.slack import SlackSandbox
from sandbox.slack.app import BOT_SCOPES, App
from sandbox.slack.rates import TIER_3, Rates
from tests.unit.sandbox_slack.conftest import refusal

SALES, FINANCE, RANDOM, PARTNERS = "C0SALES01", "C0FINANCE", "C0RANDOM1", "C0PARTNER"
BEARER = {"Authorization": "Bearer xoxb-sandbox-bot"}


async def test_the_bot_learns_who_it_is(client: AsyncWebClient) -> None:
    answer = await client.auth_test()
    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == (TEAM.id, BOT.user_id, BOT.bot_id)
    assert "chat:write" in answer.headers["X-OAuth-Scopes"]


@pytest.mark.parametrize(("token", "error"), [("", "not_authed"), ("xoxb-other", "invalid_auth")])
async def test_a_missing_or_wrong_token_is_refused(slack: SlackSandbox, token: str, error: str) -> None:
    stranger = AsyncWebClient(token=token, base_url=f"{slack.url}/api/")
    assert await refusal(stranger.auth_test()) == error
    assert slack.requests[-1].token in ("none", "wrong")


@pytest.mark.parametrize("way", ["json", "data", "params"])
async def test_arguments_may_be_json_form_or_query(client: AsyncWebClient, way: str) -> None:
    given: dict[str, dict[str, str]] = {"json": {}, "data": {}, "params": {}}
    given[way] = {"user": ADA.id}
    answer = await client.api_call(
        "users.info", json=given["json"] or None, data=given["data"] or None, params=given["params"] or None
    )
    assert answer["user"]["id"] == ADA.id


async def test_a_token_may_stand_in_the_form_but_not_in_the_query(slack: SlackSandbox) -> None:
    token = {"token": "xoxb-sandbox-bot"}
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{slack.url}/api/auth.test", data=token) as answer:
            assert (await answer.json())["ok"] is True
        async with http.get(f"{slack.url}/api/auth.test", params=token) as answer:
            assert (await answer.json())["error"] == "not_authed"
    assert all("token" not in request.arguments for request in slack.requests)


async def test_a_body_that_is_not_json_is_refused(slack: SlackSandbox) -> None:
    headers = {**BEARER, "Content-Type": "application/json"}
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{slack.url}/api/auth.test", data="{", headers=headers) as answer:
            assert (await answer.json())["error"] == "invalid_json"
        async with http.post(f"{slack.url}/api/auth.test", data="[]", headers=headers) as answer:
            assert (await answer.json())["error"] == "json_not_object"


async def test_an_unknown_method_is_refused(client: AsyncWebClient) -> None:
    assert await refusal(client.api_call("chat.shout")) == "unknown_method"


async def test_a_method_outside_the_granted_scopes_is_refused() -> None:
    app = App(scopes=BOT_SCOPES - {"reactions:write"})
    async with SlackSandbox(app=app) as slack:
        client = AsyncWebClient(token="xoxb-sandbox-bot", base_url=f"{slack.url}/api/")
        with pytest.raises(SlackApiError) as caught:
            await client.reactions_add(channel=SALES, timestamp="1.0", name="tada")
    assert caught.value.response["error"] == "missing_scope"
    assert caught.value.response["needed"] == "reactions:write"


async def test_a_tier_three_method_is_limited_with_retry_after(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    for _ in range(TIER_3.calls):
        await client.conversations_info(channel=SALES)
    with pytest.raises(SlackApiError) as caught:
        await client.conversations_info(channel=SALES)
    assert caught.value.response.status_code == 429
    assert caught.value.response["error"] == "ratelimited"
    assert 1 <= int(caught.value.response.headers["Retry-After"]) <= 60


async def test_posting_is_limited_for_each_channel_by_itself() -> None:
    now = 0.0
    rates = Rates(clock=lambda: now)
    assert [rates.spend("chat.postMessage", channel="A") for _ in range(10)] == [0] * 10
    assert rates.spend("chat.postMessage", channel="A") == 10
    assert rates.spend("chat.postMessage", channel="B") == 0
    now = 10.1
    assert rates.spend("chat.postMessage", channel="A") == 0


async def test_limits_can_be_switched_off(slack: SlackSandbox, client: AsyncWebClient) -> None:
    slack.core.rates.enabled = False
    for _ in range(TIER_3.calls + 5):
        await client.conversations_info(channel=SALES)


async def test_a_planned_failure_is_used_up(slack: SlackSandbox, client: AsyncWebClient) -> None:
    slack.faults.fail_next("chat.postMessage", "fatal_error", times=1)
    assert await refusal(client.chat_postMessage(channel=SALES, text="x")) == "fatal_error"
    await client.chat_postMessage(channel=SALES, text="x")


async def test_a_planned_rate_limit_carries_its_seconds(slack: SlackSandbox, client: AsyncWebClient) -> None:
    slack.faults.fail_next("chat.postMessage", status=429, retry_after=7)
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=SALES, text="x")
    assert caught.value.response.headers["Retry-After"] == "7"


async def test_a_lost_answer_leaves_its_effect(slack: SlackSandbox, client: AsyncWebClient) -> None:
    slack.faults.fail_next("chat.postMessage", lose_answer=True)
    client.retry_handlers.clear()
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel=SALES, text="only once")
    assert slack.requests[-1].ok
    assert [m["text"] for m in slack.core.state.messages[SALES].values()][-1] == "only once"


async def test_latency_can_be_added(slack: SlackSandbox, client: AsyncWebClient) -> None:
    slack.faults.latency["auth.test"] = 0.05
    begun = time.monotonic()
    await client.auth_test()
    assert time.monotonic() - begun >= 0.05


@pytest.mark.parametrize(
    ("user", "field"), [(ADA.id, "is_admin"), (GUS.id, "is_ultra_restricted"), (SAM.id, "is_stranger")]
)
async def test_users_say_what_they_are(client: AsyncWebClient, user: str, field: str) -> None:
    assert (await client.users_info(user=user))["user"][field] is True


async def test_strangers_have_no_email_and_are_not_listed(client: AsyncWebClient) -> None:
    profile = (await client.users_info(user=SAM.id))["user"]["profile"]
    assert "email" not in profile
    assert SAM.id not in {member["id"] for member in (await client.users_list())["members"]}
    assert await refusal(client.users_lookupByEmail(email=SAM.email)) == "users_not_found"
    assert (await client.users_lookupByEmail(email=BEN.email))["user"]["id"] == BEN.id


async def test_conversations_say_what_they_are(client: AsyncWebClient) -> None:
    shared = (await client.conversations_info(channel=PARTNERS))["channel"]
    private = (await client.conversations_info(channel=FINANCE))["channel"]
    without = (await client.conversations_info(channel=RANDOM))["channel"]
    assert (shared["is_ext_shared"], private["is_private"], without["is_member"]) == (True, True, False)


async def test_a_private_channel_without_the_bot_does_not_exist(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    await slack.remove_bot(FINANCE)
    assert await refusal(client.conversations_info(channel=FINANCE)) == "channel_not_found"
    assert await refusal(client.conversations_members(channel=FINANCE)) == "channel_not_found"


async def test_members_come_in_pages(client: AsyncWebClient) -> None:
    first = await client.conversations_members(channel=SALES, limit=3)
    cursor = first["response_metadata"]["next_cursor"]
    second = await client.conversations_members(channel=SALES, limit=3, cursor=cursor)
    assert [*first["members"], *second["members"]] == [ADA.id, BEN.id, CLEO.id, GUS.id, BOT.user_id]
    assert second["response_metadata"]["next_cursor"] == ""


async def test_replies_come_in_pages_that_begin_with_the_root(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    root = await slack.say(ADA.id, SALES, "root")
    for number in range(3):
        await slack.say(BEN.id, SALES, f"reply {number}", thread_ts=root)
    thread = await client.conversations_replies(channel=SALES, ts=root, limit=2)
    pages = [[message["text"] for message in page["messages"]] async for page in thread]
    assert pages == [["root", "reply 0", "reply 1"], ["root", "reply 2"]]


async def test_history_is_newest_first_and_leaves_replies_out(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    root = await slack.say(ADA.id, SALES, "root")
    await slack.say(BEN.id, SALES, "reply", thread_ts=root)
    newest = (await client.conversations_history(channel=SALES, limit=2))["messages"]
    assert newest[0]["text"] == "root"
    assert (newest[0]["reply_count"], newest[0]["reply_users"]) == (1, [BEN.id])


async def test_history_of_a_channel_without_the_bot_is_refused(client: AsyncWebClient) -> None:
    assert await refusal(client.conversations_history(channel=RANDOM)) == "not_in_channel"
    await client.conversations_join(channel=RANDOM)
    await client.conversations_history(channel=RANDOM)


async def test_direct_messages_open_with_people_of_the_team_only(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    opened = await client.conversations_open(users=ADA.id)
    assert opened["channel"]["id"] == slack.direct(ADA.id)
    assert await refusal(client.conversations_open(users=SAM.id)) == "user_not_found"
    assert await refusal(client.conversations_open(users=BOT.user_id)) == "cannot_dm_bot"


async def test_a_reaction_is_added_once(slack: SlackSandbox, client: AsyncWebClient) -> None:
    ts = await slack.say(ADA.id, SALES, "hello")
    await client.reactions_add(channel=SALES, timestamp=ts, name="eyes")
    assert await refusal(client.reactions_add(channel=SALES, timestamp=ts, name="eyes")) == "already_reacted"
    await client.reactions_remove(channel=SALES, timestamp=ts, name="eyes")
    assert await refusal(client.reactions_remove(channel=SALES, timestamp=ts, name="eyes")) == "no_reaction"
