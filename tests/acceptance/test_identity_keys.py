"""Sign-ins are worth nothing without their keys, keys can be changed, and the model may run as the service."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from sandbox.databricks import accounts
from sandbox.people import ADA, BEN, Person
from storage import errors, identities, turns, vault
from tests.acceptance import bots, browser, houses
from tests.integration.conftest import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")

OLD, NEW = (vault.Vault.generate_key() for _ in "ab")
MODEL = "/serving-endpoints/anthropic/v1/messages"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[houses.House]:
    """A house in which Ada and Ben signed in when the old key was the only one; its bot is yet to be started."""
    async with houses.built(postgres, tmp_path_factory.mktemp("keys")) as house:
        house.key = OLD
        await _signed_in_before(house, ADA, BEN)
        yield house


async def test_stolen_rows_tell_nothing(house: houses.House) -> None:
    found = await house.identity(ADA)
    assert found is not None
    stored = await house.stage.query("SELECT string_agg(identities::text, '') FROM identities")

    for secret in (found.access_token, found.refresh_token or ""):
        assert secret not in stored
        assert secret.encode().hex() not in stored
    async with house.stage.database.transaction() as tx:
        with pytest.raises(errors.SealedWithUnknownKeyError):
            await identities.Identities(tx, vault.Vault([NEW])).get(team_id=houses.TEAM, user_id=ADA.id)


async def test_without_the_old_key_the_start_stops_with_one_line_and_nothing_is_lost(
    house: houses.House,
) -> None:
    before = await house.stage.query("SELECT string_agg(identities::text, '') FROM identities")

    bot = await bots.launch({**house.stage.environment, **_settings(NEW)}, cwd=house.stage.folder)
    code = await bot.ended()

    assert code == 2
    (said,) = [line for line in bot.raw if "BRICKLAYER_SECRET_KEYS" in line]
    assert "2 stored sign-in(s) were encrypted with a key that is no longer among them" in said
    assert "Add the old key behind the new one" in said
    assert "Traceback" not in "".join(bot.raw)
    assert NEW not in "".join(bot.raw)
    assert await house.stage.query("SELECT string_agg(identities::text, '') FROM identities") == before


async def test_with_both_keys_everybody_is_still_signed_in_and_the_model_is_the_services(
    house: houses.House,
) -> None:
    await house.stage.start(_settings(NEW, OLD))

    ts = await house.sql(ADA, "with both keys", apart=True)
    assert (await house.over(ts)).state is turns.TurnState.DONE

    assert house.users("with both keys") == {ADA.email}
    # The service pays for the model and does nothing else, and the sender does everything else.
    service = accounts.SERVICE_PRINCIPAL.user_name
    assert {call.user for call in house.calls(path=MODEL)} == {service}
    assert {call.user for call in house.calls(path="/api/")} == {ADA.email}
    (asked,) = house.calls(path="/oidc/v1/token")
    assert isinstance(asked.body, dict)
    assert (asked.body["grant_type"], asked.body["client_id"]) == ("client_credentials", service)


async def test_a_token_of_the_service_that_dies_before_its_time_is_replaced(house: houses.House) -> None:
    before = house.calls(path=MODEL)[-1].token
    house.world.databricks.expire_access_tokens()

    turn = await house.over(await house.stage.ask("!!say still here", user=BEN.id))

    assert turn.state is turns.TurnState.DONE
    assert house.calls(path=MODEL)[-1].token != before


async def test_over_https_the_cookie_never_travels_without_it(house: houses.House) -> None:
    link = await house.link(BEN)
    assert link.startswith("https://")

    page = await house.browser(BEN).get(browser.at(link, house.stage.bot.url).replace("https:", "http:"))

    assert "Secure" in page.headers["Set-Cookie"]


async def test_old_rows_are_encrypted_anew_so_that_the_old_key_can_go(house: houses.House) -> None:
    async with house.stage.database.transaction() as tx:
        await identities.Identities(tx, vault.Vault([NEW, OLD])).reseal(limit=100)

    house.key = NEW
    assert (await house.token(ADA)).startswith("eyJ")
    assert await house.identity(BEN) is not None
    async with house.stage.database.transaction() as tx:
        assert await identities.Identities(tx, vault.Vault([NEW])).unreadable() == 0
        assert await identities.Identities(tx, vault.Vault([OLD])).unreadable() == 2


def _settings(*keys: str) -> dict[str, str]:
    return {
        **houses.SERVICE,
        "PUBLIC_URL": "https://bricklayer.example",
        "ENV": "production",
        "BRICKLAYER_SECRET_KEYS": ",".join(keys),
        "BRICKLAYER_MODEL_PROVIDER": "databricks",
        "BRICKLAYER_MODEL_CREDENTIALS": "service",
    }


async def _signed_in_before(house: houses.House, *persons: Person) -> None:
    """Store accounts with tokens that Databricks knows."""
    scopes, now = ("all-apis", "offline_access"), datetime.now(UTC)
    async with house.stage.database.transaction() as tx:
        for person in persons:
            account = accounts.find(person.name)
            issued = house.world.databricks.tokens.issue(
                account=account, scopes=scopes, client_id="bricklayer", access_token=f"eyJ.{person.name}.old"
            )
            assert issued.refresh is not None
            identity = identities.Identity(
                team_id=houses.TEAM,
                user_id=person.id,
                host=house.world.databricks.url,
                user_name=account.user_name,
                databricks_id=account.id,
                scopes=scopes,
                access_token=issued.access.token,
                refresh_token=issued.refresh.token,
                expires_at=now + timedelta(hours=1),
                linked_at=now,
                ends_at=None,
            )
            await identities.Identities(tx, vault.Vault([house.key])).save(identity)
