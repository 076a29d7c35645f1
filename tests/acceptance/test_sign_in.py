"""A person in Slack links the Databricks account that is theirs, and acts as it from then on."""

import pytest

from bot.views import messages
from sandbox import people
from sandbox.people import ADA, BEN, CLEO
from storage import turns
from tests.acceptance import browser, houses, stages

pytest_plugins = ["tests.acceptance.house_fixtures"]
pytestmark = pytest.mark.asyncio(loop_scope="session")

HERE = stages.ENGINEERING


async def test_the_command_gives_a_link_to_that_person_alone(production: houses.House) -> None:
    slack = production.stage.slack
    others = [person for person in people.PEOPLE if person is not ADA]
    before = [len(slack.ephemerals(person.id)) for person in others]

    said = await production.brick(ADA, "login")

    link = houses.link_in(slack.ephemerals(ADA.id)[-1])
    assert link.startswith(production.stage.bot.url)
    assert "works once, for you alone, within 10 minutes" in said
    assert [len(slack.ephemerals(person.id)) for person in others] == before
    assert not any(browser.query(link)["token"] in str(version) for version in slack.history.values())


async def test_nothing_is_linked_before_the_page_has_shown_both_accounts(production: houses.House) -> None:
    await production.sign_out(ADA)
    ada = production.browser(ADA)

    page = await ada.asked(await production.link(ADA))

    assert "Link this Databricks account?" in page.words
    assert f"Databricks account {ADA.email} {production.world.databricks.url}" in page.words
    assert f"Slack person {ADA.name} {ADA.email}" in page.words
    assert await production.identity(ADA) is None
    done = await ada.decide(page, "link")
    assert f"works as {ADA.email} for you" in done.words
    linked = await production.identity(ADA)
    assert linked is not None
    assert linked.user_name == ADA.email


async def test_every_page_keeps_out_of_frames_caches_and_referrers(production: houses.House) -> None:
    ada, before = production.browser(ADA), len(production.pages)
    await ada.sign_in(await production.link(ADA))
    await ada.get(f"{production.stage.bot.url}/auth/start?token=nothing")

    ours = [page for page in production.pages[before:] if page.url.startswith(production.stage.bot.url)]

    assert [page.status for page in ours] == [302, 200, 200, 403]
    for page in ours:
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    cookie = ours[0].headers["Set-Cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Path=/auth", "Max-Age=600"))


async def test_databricks_is_asked_with_pkce_and_a_state_that_says_nothing(production: houses.House) -> None:
    link = await production.link(ADA)

    asked = browser.query((await production.browser(ADA).get(link)).location)

    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert asked["scope"] == "all-apis offline_access"
    assert asked["redirect_uri"] == f"{production.stage.bot.url}/auth/callback"
    assert ADA.id not in asked["state"]
    assert asked["state"] != browser.query(link)["token"]


async def test_where_databricks_sends_the_browser_back_to_is_a_setting(production: houses.House) -> None:
    elsewhere = production.browser(ADA)
    elsewhere.proxy = [("Host", "evil.example"), ("X-Forwarded-Host", "evil.example")]

    asked = await elsewhere.get(await production.link(ADA))

    assert browser.query(asked.location)["redirect_uri"].startswith(production.stage.bot.url)
    assert "evil" not in str(asked.headers)


async def test_any_replica_serves_any_step(production: houses.House) -> None:
    await production.sign_out(CLEO)
    cleo, (first, second) = production.browser(CLEO), production.replicas

    callback = await cleo.returning(await production.link(CLEO))
    page = await cleo.get(browser.at(callback, second.url))
    form = {"token": page.token, "decision": "link"}
    done = await cleo.post(f"{first.url}/auth/callback", form)

    assert "You are signed in" in done.words
    assert await production.identity(CLEO) is not None


async def test_the_home_has_a_button_that_gives_the_link_in_ones_own_conversation(
    production: houses.House,
) -> None:
    slack = production.stage.slack
    await production.sign_out(BEN)
    await slack.open_home(BEN.id)
    await slack.wait_for(lambda: "Sign in to Databricks" in str(slack.home(BEN.id)))

    before = len(slack.core.state.messages[slack.direct(BEN.id)])
    await slack.press_in_view(BEN.id, "home", messages.LOGIN_ACTION)
    own = slack.core.state.messages[slack.direct(BEN.id)]
    await slack.wait_for(lambda: len(own) > before)

    link = houses.link_in(list(own.values())[-1])
    assert "You are signed in" in (await production.browser(BEN).sign_in(link)).words
    await slack.wait_for(lambda: f"You work as {BEN.email}" in str(slack.home(BEN.id)))


async def test_a_message_waits_for_the_sign_in_and_goes_on_by_itself(production: houses.House) -> None:
    stage = production.stage
    await production.sign_out(BEN)
    since, before = production.now, len(stage.slack.ephemerals(BEN.id))

    ts = await production.sql(BEN, "waited for ben", channel=HERE)
    await production.held(ts, channel=HERE)
    reply = await production.reply(ts, "Waiting until you have signed in to Databricks", channel=HERE)
    assert stages.has_button(reply, messages.LOGIN_ACTION)
    await stage.slack.wait_for(lambda: len(stage.slack.ephemerals(BEN.id)) > before)
    assert production.calls(since=since) == []

    # Whoever presses the button gets a link of their own, which leads to their own account and lets nothing go.
    await stage.whisper(CLEO.id, stage.slack.press(CLEO.id, HERE, reply["ts"], messages.LOGIN_ACTION))
    await production.browser(CLEO).sign_in(houses.link_in(stage.slack.ephemerals(CLEO.id)[-1]))
    assert await production.identity(BEN) is None
    assert await stage.state(ts, channel=HERE) is turns.TurnState.QUEUED

    link = houses.link_in(stage.slack.ephemerals(BEN.id)[-1])
    done = await production.browser(BEN).sign_in(link)

    assert "what waited for you goes on by itself" in done.words
    await production.over(ts, channel=HERE)
    goes_on = await production.reply(ts, "Done in", channel=HERE)
    assert goes_on["ts"] == reply["ts"]
    assert "waited for ben" in stages.words(goes_on)
    assert f"as {BEN.email}" in stages.words(goes_on)
    assert production.users("waited for ben") == {BEN.email}


async def test_everything_that_waited_goes_on_and_others_never_wait(production: houses.House) -> None:
    await production.sign_in(ADA)
    await production.sign_out(BEN)

    here = await production.sql(BEN, "waiting here", channel=HERE)
    there = await production.sql(BEN, "waiting there")
    await production.held(here, channel=HERE)
    await production.held(there)
    # In the very thread in which Ben's message waits, Ada's does not.
    after = await production.sql(ADA, "after ben", channel=HERE)
    assert (await production.over(after, channel=HERE)).state is turns.TurnState.DONE
    assert await production.stage.state(here, channel=HERE) is turns.TurnState.QUEUED

    await production.sign_in(BEN)

    assert (await production.over(here, channel=HERE)).state is turns.TurnState.DONE
    assert (await production.over(there)).state is turns.TurnState.DONE
    assert production.users("waiting here") == production.users("waiting there") == {BEN.email}
    assert production.users("after ben") == {ADA.email}


async def test_whoami_shows_both_identities_host_scopes_and_the_end(production: houses.House) -> None:
    await production.sign_in(ADA)

    said = await production.brick(ADA, "whoami")

    assert f"*Slack* <@{ADA.id}>" in said
    assert f"Slack e-mail: {ADA.email}" in said
    assert f"*Databricks* {ADA.email}, on {production.world.databricks.url}" in said
    assert "Scopes: all-apis offline_access" in said
    assert "renewed by itself until you say /brick logout" in said
    await production.stage.query(
        f"UPDATE identities SET ends_at = '2031-05-06 07:08+00' WHERE user_id = '{ADA.id}'"
    )
    assert "The sign-in ends 2031-05-06 07:08 UTC" in await production.brick(ADA, "whoami")


async def test_whoami_of_somebody_who_is_not_signed_in_says_so(production: houses.House) -> None:
    await production.sign_out(BEN)

    said = await production.brick(BEN, "whoami")

    assert "*Databricks* nobody yet; use `/brick login` to sign in" in said
