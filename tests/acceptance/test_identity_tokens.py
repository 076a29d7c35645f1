"""A sign-in lasts until Databricks or the person ends it, and then it is over everywhere."""

import asyncio

import pytest

from agent.databricks import errors
from agent.databricks.settings import DatabricksSettings
from sandbox.people import ADA, BEN, CLEO
from storage import turns
from tests.acceptance import houses, stages
from tests.integration.databricks.stage import Replica

pytest_plugins = ["tests.acceptance.house_fixtures"]
pytestmark = pytest.mark.asyncio(loop_scope="session")

TOKEN = "/oidc/v1/token"
REVOKE = "/oidc/v1/revoke"


@pytest.mark.parametrize("refusal", ["invalid_grant", "invalid_request"])
async def test_who_is_signed_out_by_databricks_is_asked_again_and_nobody_else_is(
    production: houses.House, refusal: str
) -> None:
    databricks = production.world.databricks
    await production.sign_in(ADA, BEN)
    databricks.oauth.dead_refresh_error = (
        "invalid_request" if refusal == "invalid_request" else "invalid_grant"
    )
    databricks.revoke_refresh_tokens("ben")
    await _grow_old(production)

    bens = await production.sql(BEN, f"ben after {refusal}")
    adas = await production.sql(ADA, f"ada after {refusal}")

    await production.held(bens)
    assert (await production.over(adas)).state is turns.TurnState.DONE
    assert await production.identity(BEN) is None
    (deed, *_) = await production.deeds(BEN, "identity.end")
    assert deed.identity == BEN.email
    await production.sign_in(BEN)
    assert (await production.over(bens)).state is turns.TurnState.DONE
    assert production.users(f"ben after {refusal}") == {BEN.email}


async def test_a_turn_whose_sign_in_ends_under_it_says_what_to_do(production: houses.House) -> None:
    databricks = production.world.databricks
    await production.sign_in(BEN)
    databricks.revoke_refresh_tokens("ben")
    databricks.expire_access_tokens()

    ts = await production.sql(BEN, "too late for ben")
    said = await production.answer(await production.over(ts))

    assert "You are not signed in to Databricks. Use /brick login" in said
    assert await production.identity(BEN) is None
    await production.held(await production.sql(BEN, "asked again"))
    await production.brick(BEN, "stop")


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, {}), (429, {"error": "invalid_grant"}), (401, {"error": "invalid_client"}), (200, {"odd": 1})],
)
async def test_a_sign_in_service_that_fails_ends_no_sign_in(
    production: houses.House, status: int, body: dict[str, object]
) -> None:
    faults = production.world.databricks.faults
    await production.sign_in(ADA)
    await _grow_old(production)
    faults.fail_next(TOKEN, status, times=50, body=body)
    reason = "refuses the OAuth app" if status == 401 else "sign-in service is not answering right now"

    said = await production.answer(await production.over(await production.sql(ADA, f"during {status}")))

    assert reason in said
    assert await production.identity(ADA) is not None
    assert production.users(f"during {status}") == set()
    faults.clear()
    assert (await production.over(await production.sql(ADA, f"after {status}"))).error is None
    assert production.users(f"after {status}") == {ADA.email}


async def test_a_network_that_is_down_ends_no_sign_in(production: houses.House) -> None:
    await production.sign_in(ADA)
    await _grow_old(production)
    # Nobody listens there; the rest of it is a replica like the others.
    settings = DatabricksSettings(host="http://127.0.0.1:9", client_id="bricklayer", public_url="http://x")
    cut_off = Replica(database=production.stage.database, settings=settings, keys=(houses.KEY,))

    with pytest.raises(errors.OAuthUnavailableError, match="not answering right now"):
        await cut_off.service.token(houses.TEAM, ADA.id)

    await cut_off.close()
    assert await production.identity(ADA) is not None
    assert (await production.over(await production.sql(ADA, "the network is back"))).error is None
    assert production.users("the network is back") == {ADA.email}


async def test_signing_out_ends_what_runs_forgets_and_revokes(production: houses.House) -> None:
    await production.sign_in(ADA, BEN)
    token = await production.token(ADA)
    adas = [
        await production.sql(ADA, f"long of ada {place}", channel=place, seconds=60)
        for place in (stages.SALES, stages.ENGINEERING)
    ]
    bens = await production.sql(BEN, "long of ben", apart=True, seconds=2)
    marks = ("long of ada C0SALES01", "long of ada C0ENG0001", "long of ben")
    await production.stage.until(lambda: all(production.users(mark) for mark in marks))
    since = production.now

    assert "sign-in is forgotten" in await production.brick(ADA, "logout")

    assert await production.identity(ADA) is None
    cancels = [call for call in production.calls(since=since) if call.path.endswith("/cancel")]
    assert {call.user for call in cancels} == {ADA.email}
    ended = [
        statement.state
        for statement in production.world.databricks.statements
        if "long of ada" in statement.text
    ]
    assert set(ended) == {"CANCELED"}
    revoked = [call.body for call in production.calls(since=since, path=REVOKE)]
    assert [body["token_type_hint"] for body in revoked if isinstance(body, dict)] == [
        "refresh_token",
        "access_token",
    ]
    assert token in str(revoked)
    assert (await production.over(adas[0])).state is turns.TurnState.STOPPED
    assert (await production.over(adas[1], channel=stages.ENGINEERING)).state is turns.TurnState.STOPPED
    assert (await production.over(bens)).state is turns.TurnState.DONE
    (deed, *_) = await production.deeds(ADA, "identity.unlink")
    assert (deed.outcome, deed.identity) == ("done", ADA.email)


async def test_after_signing_out_the_next_message_asks_to_sign_in(production: houses.House) -> None:
    await production.sign_in(ADA)
    await production.over(await production.sql(ADA, "signed in still"))
    await production.sign_out(ADA)

    # The agent of the thread is warm, and its client knew Ada's token.
    ts = await production.sql(ADA, "signed out")

    await production.held(ts)
    assert production.users("signed out") == set()
    # Signing out takes back what waits for a sign-in, too.
    await production.brick(ADA, "logout")
    assert (await production.over(ts)).state is turns.TurnState.STOPPED


async def test_a_refresh_that_races_with_a_sign_out_brings_nothing_back(production: houses.House) -> None:
    databricks = production.world.databricks
    await production.sign_in(CLEO)
    await _grow_old(production)
    since = production.now
    databricks.faults.latency[TOKEN] = 1.0

    await production.sql(CLEO, "raced")
    await production.stage.until(lambda: production.calls(since=since, path=TOKEN))
    await production.brick(CLEO, "logout")
    databricks.faults.clear()

    # The refresh was under way, so what it brought is what has to be revoked.
    spent = [token for user, token in databricks.refreshes if user == CLEO.email]
    revoked = [str(call.body) for call in production.calls(since=since, path=REVOKE)]
    assert len(revoked) == 2
    assert not any(spent[-1] in body for body in revoked)
    await asyncio.sleep(0.5)
    assert await production.identity(CLEO) is None
    assert "nobody yet" in await production.brick(CLEO, "whoami")


async def test_signing_in_anew_revokes_what_was_before(production: houses.House) -> None:
    await production.sign_in(CLEO)
    before, since = await production.token(CLEO), production.now

    await production.browser(CLEO).sign_in(await production.link(CLEO))

    assert await production.token(CLEO) != before
    revoked = [call.body for call in production.calls(since=since, path=REVOKE)]
    assert len(revoked) == 2
    assert before in str(revoked)


async def _grow_old(house: houses.House) -> None:
    """An hour has passed for every access token."""
    house.world.databricks.expire_access_tokens()
    await house.stage.query("UPDATE identities SET expires_at = now()")
