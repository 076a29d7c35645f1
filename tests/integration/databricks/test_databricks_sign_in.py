"""A sign-in links the right account to the right person, or nothing."""

import dataclasses
from collections.abc import Awaitable
from datetime import timedelta

import pytest

from agent.databricks import errors
from agent.databricks.refusals import Refusal, SignInRefusedError
from agent.databricks.sign_in import Signer
from sandbox.databricks import DatabricksSandbox
from sandbox.people import ADA, BEN
from storage.audit import Audit
from storage.database import Database
from storage.identities import Identities
from storage.vault import Vault
from tests.integration.databricks.stage import KEY, TEAM, Browser, Replica


async def linked(replica: Replica, user_id: str) -> str | None:
    """The account stored for this person, if any."""
    async with replica.database.transaction() as tx:
        found = await Identities(tx, Vault(replica.keys)).get(team_id=TEAM, user_id=user_id)
    return found.user_name if found is not None else None


async def outcomes(database: Database) -> list[tuple[str, str, str | None]]:
    async with database.transaction() as tx:
        entries = await Audit(tx).recent(team_id=TEAM, limit=10)
    return [(entry.action, entry.outcome, entry.identity) for entry in entries]


async def test_a_person_signs_in_and_is_shown_who_before_anything_is_stored(replica: Replica) -> None:
    browser = Browser(replica, signed_in_as="ada")
    pending = await browser.walk(await replica.service.offer(TEAM, ADA.id))
    assert (pending.user_id, pending.slack_email, pending.user_name) == (ADA.id, ADA.email, ADA.email)
    assert await linked(replica, ADA.id) is None
    done = await replica.service.confirm(pending.token, cookie=browser.cookie)
    assert (done.team_id, done.user_id, done.user_name) == (TEAM, ADA.id, ADA.email)
    assert await linked(replica, ADA.id) == ADA.email
    assert await outcomes(replica.database) == [("identity.link", "done", ADA.email)]


async def test_each_step_may_be_served_by_another_replica(replica: Replica, other_replica: Replica) -> None:
    here, there = Browser(replica, signed_in_as="ada"), Browser(other_replica, signed_in_as="ada")
    params = await here.agree(await here.open(await replica.service.offer(TEAM, ADA.id)))
    there.cookie = here.cookie
    pending = await there.return_to_us(params)
    await replica.service.confirm(pending.token, cookie=here.cookie)
    assert await linked(other_replica, ADA.id) == ADA.email


async def test_a_link_works_once(replica: Replica) -> None:
    link = await replica.service.offer(TEAM, ADA.id)
    await Browser(replica, signed_in_as="ada").open(link)
    await refused(Browser(replica, signed_in_as="ada").open(link), Refusal.USED)


async def test_a_callback_works_once(replica: Replica) -> None:
    browser = Browser(replica, signed_in_as="ada")
    params = await browser.agree(await browser.open(await replica.service.offer(TEAM, ADA.id)))
    await browser.return_to_us(params)
    await refused(browser.return_to_us(params), Refusal.USED)


async def test_a_confirmation_works_once(replica: Replica) -> None:
    browser = Browser(replica, signed_in_as="ada")
    pending = await browser.walk(await replica.service.offer(TEAM, ADA.id))
    await replica.service.confirm(pending.token, cookie=browser.cookie)
    await refused(replica.service.confirm(pending.token, cookie=browser.cookie), Refusal.USED)


async def test_a_link_is_too_old_after_ten_minutes(replica: Replica) -> None:
    link = await replica.service.offer(TEAM, ADA.id)
    replica.clock.ahead = timedelta(minutes=11)
    await refused(Browser(replica, signed_in_as="ada").open(link), Refusal.EXPIRED)


async def test_a_confirmation_is_too_old_after_ten_minutes(replica: Replica) -> None:
    browser = Browser(replica, signed_in_as="ada")
    pending = await browser.walk(await replica.service.offer(TEAM, ADA.id))
    replica.clock.ahead = timedelta(minutes=11)
    await refused(replica.service.confirm(pending.token, cookie=browser.cookie), Refusal.EXPIRED)
    assert await linked(replica, ADA.id) is None


async def test_a_forwarded_link_does_not_hand_an_account_over(replica: Replica) -> None:
    # Ben asks for a link and has Ada open it: her account must not become his.
    ada = Browser(replica, signed_in_as="ada")
    await refused(ada.walk(await replica.service.offer(TEAM, BEN.id)), Refusal.OTHER_ACCOUNT)
    assert await linked(replica, BEN.id) is None
    assert await outcomes(replica.database) == [("identity.link", "refused", ADA.email)]


async def test_tokens_of_a_refused_account_are_revoked(
    replica: Replica, workspace: DatabricksSandbox
) -> None:
    ada = Browser(replica, signed_in_as="ada")
    await refused(ada.walk(await replica.service.offer(TEAM, BEN.id)), Refusal.OTHER_ACCOUNT)
    revoked = [request.body for request in workspace.requests if request.path.endswith("/revoke")]
    assert [body["token_type_hint"] for body in revoked if isinstance(body, dict)] == [
        "refresh_token",
        "access_token",
    ]


async def test_a_finished_callback_is_worth_nothing_in_another_browser(replica: Replica) -> None:
    mallory = Browser(replica, signed_in_as="ben")
    params = await mallory.agree(await mallory.open(await replica.service.offer(TEAM, BEN.id)))
    victim = Browser(replica, signed_in_as="ada")
    await refused(victim.return_to_us(params), Refusal.WRONG_BROWSER)
    # The cookie of another sign-in does not help either.
    await victim.open(await replica.service.offer(TEAM, ADA.id))
    await refused(victim.return_to_us(params), Refusal.WRONG_BROWSER)


async def test_a_confirmation_needs_the_browser_too(replica: Replica) -> None:
    pending = await Browser(replica, signed_in_as="ada").walk(await replica.service.offer(TEAM, ADA.id))
    for cookie in (None, "", "made up", pending.token):
        await refused(replica.service.confirm(pending.token, cookie=cookie), Refusal.WRONG_BROWSER)
    assert await linked(replica, ADA.id) is None


@pytest.mark.parametrize("state", ["", "made.up.state"])
async def test_a_changed_state_is_refused(replica: Replica, state: str) -> None:
    browser = Browser(replica, signed_in_as="ada")
    params = await browser.agree(await browser.open(await replica.service.offer(TEAM, ADA.id)))
    await refused(browser.return_to_us({**params, "state": state}), Refusal.CHANGED)


async def test_a_token_of_one_step_opens_no_other(replica: Replica) -> None:
    browser = Browser(replica, signed_in_as="ada")
    link = await replica.service.offer(TEAM, ADA.id)
    token = link.partition("token=")[2]
    params = await browser.agree(await browser.open(link))
    await refused(browser.return_to_us({**params, "state": token}), Refusal.CHANGED)
    await refused(replica.service.confirm(token, cookie=browser.cookie), Refusal.CHANGED)


async def test_no_is_an_answer_at_databricks_and_here(replica: Replica) -> None:
    browser = Browser(replica, signed_in_as="ada")
    params = await browser.agree(
        await browser.open(await replica.service.offer(TEAM, ADA.id)), instead={"deny": "1"}
    )
    await refused(browser.return_to_us(params), Refusal.DENIED)
    pending = await browser.walk(await replica.service.offer(TEAM, ADA.id))
    await replica.service.decline(pending.token, cookie=browser.cookie)
    await refused(replica.service.confirm(pending.token, cookie=browser.cookie), Refusal.USED)
    assert await linked(replica, ADA.id) is None


async def test_the_proxys_person_must_agree_at_both_ends(replica: Replica) -> None:
    browser = Browser(replica, signed_in_as="ada")
    link = await replica.service.offer(TEAM, ADA.id)
    await refused(browser.open(link, forwarded_email=BEN.email), Refusal.WRONG_PERSON)
    params = await browser.agree(await browser.open(link, forwarded_email=ADA.email.upper()))
    await refused(browser.return_to_us(params, forwarded_email=BEN.email), Refusal.OTHER_ACCOUNT)
    assert await linked(replica, ADA.id) is None


async def test_letter_case_is_no_difference(replica: Replica) -> None:
    replica.emails[ADA.id] = " ADA@Brickfield.example"
    await Browser(replica, signed_in_as="ada").sign_in(await replica.service.offer(TEAM, ADA.id))
    assert await linked(replica, ADA.id) == ADA.email


async def test_a_mapping_stands_in_for_the_rule(replica: Replica, database: Database) -> None:
    settings = dataclasses.replace(replica.settings, email_mapping={"Ben@private.example": BEN.email})
    mapped = Replica(database=database, settings=settings)
    mapped.emails[BEN.id] = "ben@private.example"
    await Browser(mapped, signed_in_as="ben").sign_in(await mapped.service.offer(TEAM, BEN.id))
    assert await linked(mapped, BEN.id) == BEN.email
    await mapped.close()


async def test_an_unknown_slack_email_links_nobody(replica: Replica) -> None:
    replica.emails[ADA.id] = None
    browser = Browser(replica, signed_in_as="ada")
    await refused(browser.walk(await replica.service.offer(TEAM, ADA.id)), Refusal.NO_EMAIL)


@pytest.mark.parametrize("path", ["/oidc/v1/token", "/api/2.0/preview/scim/v2/Me"])
async def test_a_fault_at_databricks_stores_nothing(
    replica: Replica, workspace: DatabricksSandbox, path: str
) -> None:
    workspace.faults.fail_next(path, 500, times=50)
    browser = Browser(replica, signed_in_as="ada")
    await refused(browser.walk(await replica.service.offer(TEAM, ADA.id)), Refusal.UNAVAILABLE)
    assert await linked(replica, ADA.id) is None


async def test_a_public_client_signs_in_by_pkce_alone(
    replica: Replica, workspace: DatabricksSandbox, database: Database
) -> None:
    workspace.oauth.public_client = True
    public = Replica(database=database, settings=dataclasses.replace(replica.settings, client_secret=None))
    await Browser(public, signed_in_as="ada").sign_in(await public.service.offer(TEAM, ADA.id))
    assert await linked(public, ADA.id) == ADA.email
    await public.close()


async def test_a_link_signed_with_an_older_key_still_works(replica: Replica, database: Database) -> None:
    link = await replica.service.offer(TEAM, ADA.id)
    rotated = Replica(database=database, settings=replica.settings, keys=(Vault.generate_key(), KEY))
    await Browser(rotated, signed_in_as="ada").sign_in(link)
    assert await linked(rotated, ADA.id) == ADA.email
    await rotated.close()


async def test_a_link_signed_with_a_strange_key_is_refused(replica: Replica) -> None:
    link = await replica.service.offer(TEAM, ADA.id)
    sign_in_id = Signer([KEY]).read("link", link.partition("token=")[2])
    forged = Signer([Vault.generate_key()]).sign("link", sign_in_id)
    await refused(replica.service.start(forged), Refusal.CHANGED)


async def test_without_an_oauth_app_no_link_is_offered(replica: Replica, database: Database) -> None:
    bare = Replica(database=database, settings=dataclasses.replace(replica.settings, client_id=None))
    with pytest.raises(errors.SignInNotSetUpError, match="DATABRICKS_OAUTH_CLIENT_ID"):
        await bare.service.offer(TEAM, ADA.id)
    await bare.close()


async def refused(step: Awaitable[object], refusal: Refusal) -> None:
    """The step is refused for this reason, with a page that says what to do."""
    with pytest.raises(SignInRefusedError) as raised:
        await step
    assert raised.value.refusal is refusal
    assert raised.value.title
    assert raised.value.remedy
