"""Who a Slack user is, and who may use the bot; against the sandbox's Slack."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot import people as people_
from bot import slack
from sandbox.people import ADA, BEN, BOT, GUS, SAM, TEAM
from sandbox.slack import SlackSandbox


@pytest.fixture
async def sandbox() -> AsyncIterator[SlackSandbox]:
    async with SlackSandbox() as running:
        yield running


@pytest.fixture
async def people(sandbox: SlackSandbox) -> AsyncIterator[people_.People]:
    async with aiohttp.ClientSession() as http:
        yield _people(sandbox, http)


def _people(sandbox: SlackSandbox, http: aiohttp.ClientSession, **options: bool) -> people_.People:
    client = slack.client(token=sandbox.core.keys.bot_token, api_url=f"{sandbox.url}/api", session=http)
    client.retry_handlers.clear()
    return people_.People(client=client, team_id=TEAM.id, admins=[BEN.id], **options)


async def test_a_person_is_who_slack_says(people: people_.People) -> None:
    ada = await people.get(ADA.id)

    assert (ada.team_id, ada.email, ada.is_admin) == (TEAM.id, ADA.email, True)
    assert ada.name in (ADA.real_name, ADA.name)


@pytest.mark.parametrize(
    ("user", "may"), [(ADA.id, True), (BEN.id, True), (GUS.id, False), (SAM.id, False), (BOT.user_id, False)]
)
async def test_only_full_members_may_use_the_bot(people: people_.People, user: str, may: bool) -> None:
    assert people.may_use(await people.get(user)) is may


async def test_guests_may_where_a_setting_says_so_and_strangers_never(sandbox: SlackSandbox) -> None:
    async with aiohttp.ClientSession() as http:
        people = _people(sandbox, http, allow_guests=True)
        assert people.may_use(await people.get(GUS.id))
        assert not people.may_use(await people.get(SAM.id))
        assert not people.is_admin(await people.get(GUS.id))


async def test_admins_are_those_of_slack_and_those_of_the_setting(people: people_.People) -> None:
    assert people.is_admin(await people.get(ADA.id))
    assert people.is_admin(await people.get(BEN.id))
    assert not people.is_admin(await people.get("U0CLEO001"))


async def test_a_profile_is_looked_up_once_however_many_wait(
    people: people_.People, sandbox: SlackSandbox
) -> None:
    await asyncio.gather(*(people.get(ADA.id) for _ in range(5)))

    assert [request.method for request in sandbox.requests] == ["users.info"]


async def test_a_look_up_that_failed_is_tried_again(people: people_.People, sandbox: SlackSandbox) -> None:
    sandbox.faults.fail_next("users.info")
    with pytest.raises(SlackApiError):
        await people.get(ADA.id)

    assert (await people.get(ADA.id)).id == ADA.id


async def test_who_waits_is_not_hurt_by_another_who_leaves(
    people: people_.People, sandbox: SlackSandbox
) -> None:
    sandbox.faults.latency["users.info"] = 0.1
    leaving = asyncio.create_task(people.get(ADA.id), name="leaves")
    staying = asyncio.create_task(people.get(ADA.id), name="stays")
    await asyncio.sleep(0.02)
    leaving.cancel()

    assert (await staying).id == ADA.id


async def test_the_email_address_is_always_fresh(people: people_.People, sandbox: SlackSandbox) -> None:
    await people.get(ADA.id)

    assert await people.email(ADA.id) == ADA.email
    assert len(sandbox.requests) == 2


async def test_somebody_unknown_is_an_error(people: people_.People) -> None:
    with pytest.raises(SlackApiError, match="user_not_found"):
        await people.get("U0NOBODY1")
