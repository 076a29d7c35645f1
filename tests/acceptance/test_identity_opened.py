"""Signing in through a public client, the shared account of development, and the model as the sender."""

import asyncio

import pytest

from sandbox.people import ADA, BEN, CLEO, GUS
from storage import turns
from tests.acceptance import browser, houses, stages

pytest_plugins = ["tests.acceptance.house_fixtures"]
pytestmark = pytest.mark.asyncio(loop_scope="session")

MODEL = "/serving-endpoints/anthropic/v1/messages"


async def test_a_public_client_signs_people_in_with_pkce_alone(opened: houses.House) -> None:
    await opened.sign_out(BEN)
    since = opened.now

    ben = opened.browser(BEN)
    started = await ben.get(await opened.link(BEN))
    done = await ben.decide(await ben.get(await ben.agree(started)), "link")

    assert "You are signed in" in done.words
    assert browser.query(started.location)["scope"] == "all-apis sql offline_access"
    (exchange,) = opened.calls(since=since, path="/oidc/v1/token")
    assert isinstance(exchange.body, dict)
    assert len(exchange.body["code_verifier"]) >= 43
    assert "client_secret" not in exchange.body
    assert "Scopes: all-apis sql offline_access" in await opened.brick(BEN, "whoami")


async def test_a_public_client_refreshes_too(opened: houses.House) -> None:
    await opened.sign_in(BEN)
    before = await opened.token(BEN)
    await opened.stage.query("UPDATE identities SET expires_at = now()")

    await opened.over(await opened.sql(BEN, "refreshed in public"))

    assert opened.users("refreshed in public") == {BEN.email}
    assert await opened.token(BEN) != before


async def test_in_development_the_shared_account_serves_and_says_so(opened: houses.House) -> None:
    await opened.sign_out(ADA)

    ts = await opened.sql(ADA, "shared")
    await opened.over(ts)

    assert opened.users("shared") == {"shared@brickfield.example"}
    await opened.reply(ts, "as shared@brickfield.example")
    assert "shared account of a development set-up" in await opened.brick(ADA, "whoami")


async def test_who_signs_in_is_no_longer_served_by_the_shared_account(opened: houses.House) -> None:
    await opened.sign_out(ADA)
    await opened.over(await opened.sql(ADA, "shared before"))

    await opened.sign_in(ADA)
    await opened.over(await opened.sql(ADA, "own after"))
    await opened.sign_out(ADA)

    assert opened.users("shared before") == {"shared@brickfield.example"}
    assert opened.users("own after") == {ADA.email}


async def test_a_mapping_says_whose_addresses_differ(opened: houses.House) -> None:
    # Cleo's Databricks name is Gus's here, and then her Slack address is not hers any more.
    await opened.sign_out(CLEO)
    refused = await opened.browser(CLEO).asked(await opened.link(CLEO))
    assert refused.status == 403
    assert "ask whoever runs Bricklayer to add them to its mapping" in refused.words

    page = await opened.browser(GUS).asked(await opened.link(CLEO))

    assert f"Databricks account {GUS.email}" in page.words
    assert f"Slack person {CLEO.name} {CLEO.email}" in page.words


async def test_the_model_is_asked_as_the_sender(opened: houses.House) -> None:
    await opened.sign_in(BEN)
    await opened.sign_out(ADA)

    since = opened.now
    thread = opened.threads[stages.SALES]
    await opened.over(await opened.stage.ask("!!say as ben", user=BEN.id, thread=thread))
    assert {call.user for call in opened.calls(since=since, path=MODEL)} == {BEN.email}

    since = opened.now
    await opened.over(await opened.stage.ask("!!say as nobody of her own", user=ADA.id, thread=thread))
    assert {call.user for call in opened.calls(since=since, path=MODEL)} == {"shared@brickfield.example"}


async def test_a_token_that_ends_in_the_middle_of_a_turn_is_replaced(opened: houses.House) -> None:
    await opened.sign_in(BEN)
    before, since = await opened.token(BEN), opened.now

    ts = await opened.sql(BEN, "outlived its token", seconds=1.5)
    await opened.stage.until(lambda: opened.users("outlived its token"))
    await opened.stage.query("UPDATE identities SET expires_at = now()")
    opened.world.databricks.expire_access_tokens()

    assert (await opened.over(ts)).state is turns.TurnState.DONE
    tokens = [call.token for call in opened.calls(since=since, path=MODEL)]
    assert tokens[0] == before
    assert tokens[-1] == await opened.token(BEN) != before
    assert {call.user for call in opened.calls(since=since, path=MODEL)} == {BEN.email}


async def test_a_token_that_dies_before_its_time_is_replaced_where_the_model_refuses_it(
    opened: houses.House,
) -> None:
    await opened.sign_in(BEN)
    before, spent = await opened.token(BEN), len(opened.world.databricks.refreshes)
    opened.world.databricks.expire_access_tokens()

    both = [await opened.stage.ask(f"!!say {word}", user=BEN.id) for word in ("one", "two")]

    done = await asyncio.gather(*(opened.over(ts) for ts in both))
    assert {turn.state for turn in done} == {turns.TurnState.DONE}
    assert await opened.token(BEN) != before
    assert len(opened.world.databricks.refreshes) == spent + 1


async def test_a_model_that_is_forbidden_costs_no_refresh(opened: houses.House) -> None:
    await opened.sign_in(BEN)
    spent = len(opened.world.databricks.refreshes)
    body = {"error_code": "PERMISSION_DENIED", "message": "You may not query the endpoint anthropic."}
    opened.world.databricks.faults.fail_next(MODEL, 403, times=20, body=body)

    turn = await opened.over(await opened.stage.ask("!!say never", user=BEN.id))

    opened.world.databricks.faults.clear()
    assert turn.state is turns.TurnState.FAILED
    assert len(opened.world.databricks.refreshes) == spent
