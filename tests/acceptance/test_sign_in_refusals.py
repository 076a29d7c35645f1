"""A sign-in that is not whole is refused with a page that says what to do, and leaves nothing behind.

Ben is whoever tries, or is tricked: each test ends with Ben not linked and no token kept anywhere.
"""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sandbox.people import ADA, BEN, CLEO, GUS
from tests.acceptance import browser, houses

pytest_plugins = ["tests.acceptance.house_fixtures"]
pytestmark = pytest.mark.asyncio(loop_scope="session")

AGAIN = "Type /brick login in Slack to get a new one."


@asynccontextmanager
async def nothing_linked(house: houses.House) -> AsyncIterator[str]:
    """A link for Ben, whom nothing that happens in the block may link; what was granted is revoked."""
    await house.sign_out(BEN)
    since = house.now
    yield await house.link(BEN)
    assert await house.identity(BEN) is None
    assert await house.stage.query("SELECT count(*) FROM sign_ins WHERE tokens IS NOT NULL") == 0
    granted = len(
        [call for call in house.calls(since=since, path="/oidc/v1/token") if "code" in str(call.body)]
    )
    asked = len(house.calls(since=since, path="/oidc/v1/revoke"))
    assert asked in (2 * granted, 0)


def refused(page: browser.Page, *, title: str, remedy: str = AGAIN) -> None:
    """The page refuses with this title, and says what to do."""
    assert page.status == 403
    assert title in page.words
    assert remedy in page.words


async def test_a_link_that_was_opened_before(production: houses.House) -> None:
    async with nothing_linked(production) as link:
        await production.browser(BEN).get(link)
        refused(await production.browser(BEN).get(link), title="This link was used before")


async def test_a_link_opened_by_two_at_the_same_time_serves_one(production: houses.House) -> None:
    async with nothing_linked(production) as link:
        first, second = production.replicas
        urls = [link, browser.at(link, second.url)] * 3
        pages = await asyncio.gather(*(production.browser(BEN).get(url) for url in urls))
        assert sorted(page.status for page in pages) == [302] + [403] * 5


async def test_looking_without_opening_does_not_use_a_link_up(production: houses.House) -> None:
    # Mail and chat scanners send HEAD to every address that they see.
    async with nothing_linked(production) as link:
        await production.browser(BEN).get(link, method="HEAD")
        assert (await production.browser(BEN).get(link)).status == 302


@pytest.mark.parametrize("change", ["{}x", "x{}", "", "A.B.C", "{}.{}", "{}&token=x", "%00", "%C3%A9"])
async def test_a_link_that_was_changed(production: houses.House, change: str) -> None:
    async with nothing_linked(production) as link:
        token = browser.query(link)["token"]
        address = f"{browser.without_query(link)}?token="
        # The query's first token counts, so a second one behind a changed one changes nothing.
        changed = change.format(f"{token[:-2]}__", token)
        refused(await production.browser(BEN).get(address + changed), title="This link is not whole")


async def test_a_link_whose_time_is_over(production: houses.House) -> None:
    async with nothing_linked(production) as link:
        await _expire(production)
        refused(await production.browser(BEN).get(link), title="This link is too old")


async def test_a_callback_and_a_confirmation_that_come_too_late(production: houses.House) -> None:
    async with nothing_linked(production) as link:
        ben = production.browser(BEN)
        callback = await ben.returning(link)
        await _expire(production)
        refused(await ben.get(callback), title="This link is too old")

        page = await ben.asked(await production.link(BEN))
        await _expire(production)
        refused(await ben.decide(page, "link"), title="This link is too old")
        await production.stage.query("DELETE FROM sign_ins WHERE expires_at < now()")


async def test_a_link_that_somebody_else_opens(production: houses.House) -> None:
    # Ben sends his link to Ada, who is signed in to Databricks: her account must not become his.
    async with nothing_linked(production) as link:
        page = await production.browser(ADA).asked(link)

        refused(
            page,
            title="This Databricks account belongs to another e-mail address",
            remedy="Sign out of Databricks",
        )
        assert ADA.email not in page.text
        (deed, *_) = await production.deeds(BEN, "identity.link")
        assert (deed.outcome, deed.identity, deed.detail) == (
            "refused",
            ADA.email,
            {"reason": "other account"},
        )


async def test_a_link_that_somebody_else_opens_behind_the_proxy(production: houses.House) -> None:
    async with nothing_linked(production) as link:
        ada = production.browser(ADA, named=[ADA.email])
        refused(await ada.get(link), title="This link was made for somebody else", remedy="to get your own")
        (deed, *_) = await production.deeds(BEN, "identity.link")
        assert (deed.outcome, deed.identity, deed.detail) == (
            "refused",
            ADA.email,
            {"reason": "wrong person"},
        )

        # It was not Ben who opened it, so it still is his to open.
        ben = production.browser(BEN, named=[BEN.email.upper()])
        assert (await ben.get(link)).status == 302


async def test_another_person_of_the_proxy_at_the_end_than_at_the_beginning(production: houses.House) -> None:
    async with nothing_linked(production) as link:
        ben = production.browser(BEN, named=[BEN.email])
        callback = await ben.returning(link)
        ben.proxy = [("X-Forwarded-Email", ADA.email)]
        refused(await ben.get(callback), title="another e-mail address", remedy="/brick login")


async def test_a_forwarded_name_opens_nothing_by_itself(production: houses.House) -> None:
    # Whoever reaches us past the proxy may claim to be Ben; the account at Databricks still has to be Ben's.
    async with nothing_linked(production) as link:
        liar = production.browser(GUS, named=[BEN.email])
        refused(await liar.asked(link), title="another e-mail address", remedy="/brick login")


async def test_a_forwarded_name_before_the_proxys_own_does_not_count(production: houses.House) -> None:
    # A proxy that adds its header instead of setting it leaves the browser's own in front.
    async with nothing_linked(production) as link:
        for names in ([BEN.email, ADA.email], [ADA.email, BEN.email]):
            refused(
                await production.browser(BEN, named=names).get(link),
                title="This link was made for somebody else",
                remedy="to get your own",
            )


@pytest.mark.parametrize("state", ["", "x", "{}x", "x{}"])
async def test_a_state_that_was_changed(production: houses.House, state: str) -> None:
    async with nothing_linked(production) as link:
        ben = production.browser(BEN)
        callback = await ben.returning(link)
        changed = browser.with_query(callback, state=state.format(browser.query(callback)["state"]))
        refused(await ben.get(changed), title="This link is not whole")


async def test_a_token_of_one_step_in_another(production: houses.House) -> None:
    async with nothing_linked(production) as link:
        ben = production.browser(BEN)
        token = browser.query(link)["token"]
        callback = await ben.returning(link)
        state = browser.query(callback)["state"]

        swapped = f"{browser.without_query(link)}?token={state}"
        refused(await ben.get(swapped), title="This link is not whole")
        refused(await ben.get(browser.with_query(callback, state=token)), title="This link is not whole")
        for stolen in (token, state):
            form = {"token": stolen, "decision": "link"}
            refused(await ben.post(browser.without_query(callback), form), title="This link is not whole")


async def test_a_callback_in_another_browser(production: houses.House) -> None:
    # Login CSRF: Ben's finished address, opened by Ada, with no cookie and with the cookie of her own sign-in.
    async with nothing_linked(production) as link:
        callback = await production.browser(BEN).returning(link)
        ada = production.browser(ADA)
        refused(await ada.get(callback), title="This is not the browser that began")
        await ada.get(await production.link(ADA))
        refused(await ada.get(callback), title="This is not the browser that began")


async def test_a_code_that_belongs_to_another_sign_in(production: houses.House) -> None:
    # Ada's code put into Ben's callback: what Databricks was told of at the beginning (PKCE) does not fit it.
    async with nothing_linked(production) as link:
        ben = production.browser(BEN)
        callback = await ben.returning(link)
        adas = await production.browser(ADA).returning(await production.link(ADA))
        swapped = browser.with_query(callback, code=browser.query(adas)["code"])
        refused(await ben.get(swapped), title="This link is too old")


async def test_a_callback_that_is_sent_again(production: houses.House) -> None:
    async with nothing_linked(production) as link:
        ben = production.browser(BEN)
        callback = await ben.returning(link)
        page = await ben.get(callback)
        refused(await ben.get(callback), title="This link was used before")
        await ben.decide(page, "decline")


async def test_a_confirmation_from_another_browser(production: houses.House) -> None:
    async with nothing_linked(production) as link:
        ben, ada = production.browser(BEN), production.browser(ADA)
        page = await ben.asked(link)
        refused(await ada.decide(page, "link"), title="This is not the browser that began")
        await ada.get(await production.link(ADA))
        refused(await ada.decide(page, "decline"), title="This is not the browser that began")
        await ben.decide(page, "decline")


async def test_no_is_an_answer(production: houses.House) -> None:
    async with nothing_linked(production) as link:
        ben, since = production.browser(BEN), production.now
        page = await ben.asked(link)

        assert "Nothing was linked" in (await ben.decide(page, "decline")).words

        assert len(production.calls(since=since, path="/oidc/v1/revoke")) == 2
        refused(await ben.decide(page, "link"), title="This link was used before")
        (deed, *_) = await production.deeds(BEN, "identity.link")
        assert (deed.outcome, deed.identity) == ("declined", BEN.email)


async def test_a_confirmation_counts_once(production: houses.House) -> None:
    await production.sign_out(CLEO)
    cleo = production.browser(CLEO)
    page = await cleo.asked(await production.link(CLEO))
    both = await asyncio.gather(cleo.decide(page, "link"), cleo.decide(page, "link"))
    assert sorted(answer.status for answer in both) == [200, 403]
    refused(await cleo.decide(page, "link"), title="This is not the browser that began")
    assert (
        len([deed for deed in await production.deeds(CLEO, "identity.link") if deed.outcome == "done"]) >= 1
    )


async def test_access_that_databricks_does_not_give(production: houses.House) -> None:
    async with nothing_linked(production) as link:
        ben = production.browser(BEN)
        denied = await ben.agree(await ben.get(link), deny="1")
        assert browser.query(denied)["error"] == "access_denied"
        refused(await ben.get(denied), title="Databricks did not give access")
        # What Databricks, or whoever wrote the address, says besides is never shown.
        again = await ben.agree(await ben.get(await production.link(BEN)), deny="1")
        page = await ben.get(browser.with_query(again, error="<b>odd</b>", error_description="<i>odd</i>"))
        assert "odd" not in page.text


@pytest.mark.parametrize("path", ["/oidc/v1/token", "/api/2.0/preview/scim/v2/Me"])
async def test_a_databricks_that_is_away(production: houses.House, path: str) -> None:
    async with nothing_linked(production) as link:
        ben = production.browser(BEN)
        callback = await ben.returning(link)
        production.world.databricks.faults.fail_next(path, 500, times=1, body={})
        if path.startswith("/api/"):
            # The SDK asks again and again when it is told 503; 500 is an answer.
            production.world.databricks.faults.clear()
            production.world.databricks.faults.fail_next(path, 400, times=1, body={"message": "odd"})
        refused(
            await ben.get(callback), title="Databricks is not answering right now", remedy="wait a minute"
        )


async def test_a_slack_that_does_not_tell_the_address(production: houses.House) -> None:
    state = production.stage.slack.core.state
    async with nothing_linked(production) as link:
        ben = production.browser(BEN)
        callback = await ben.returning(link)
        state.people[BEN.id] = dataclasses.replace(BEN, email="")
        try:
            refused(
                await ben.get(callback), title="Slack does not tell your e-mail address", remedy="Ask whoever"
            )
        finally:
            state.people[BEN.id] = BEN


async def test_a_slack_that_is_away(production: houses.House) -> None:
    async with nothing_linked(production) as link:
        ben = production.browser(BEN)
        callback = await ben.returning(link)
        production.stage.slack.faults.fail_next("users.info", "fatal_error")
        page = await ben.get(callback)
        assert page.status == 503
        assert "That did not work" in page.words
        assert "/brick login" in page.words


async def test_names_are_text_and_never_markup(production: houses.House) -> None:
    state = production.stage.slack.core.state
    name = '"><script>alert(1)</script>{{ 7 * 7 }}'
    state.people[BEN.id] = dataclasses.replace(BEN, name=name)
    try:
        async with nothing_linked(production) as link:
            ben = production.browser(BEN)
            page = await ben.asked(link)
            assert "<script>" not in page.text
            assert f"Slack person {name} {BEN.email}" in page.words
            await ben.decide(page, "decline")
    finally:
        state.people[BEN.id] = BEN


async def test_a_page_that_is_not_there_and_methods_that_are_not_meant(production: houses.House) -> None:
    ben, url = production.browser(BEN), production.stage.bot.url
    assert (await ben.get(f"{url}/auth/")).status == 404
    assert (await ben.post(f"{url}/auth/start", {"token": "x"})).status == 405
    # Slack's events have a route in HTTP mode only, where they are signed.
    assert (await ben.post(f"{url}/slack/events", {"payload": "{}"})).status == 404
    refused(await ben.post(f"{url}/auth/callback", {}), title="This link is not whole")
    refused(await ben.get(f"{url}/auth/callback"), title="This link is not whole")


async def _expire(house: houses.House) -> None:
    await house.stage.query("UPDATE sign_ins SET expires_at = now() - interval '1 second'")
