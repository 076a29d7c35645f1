"""The credential cache: one renewal at a time, in time, and an old credential rather than none."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from storage.errors import DatabaseUnavailableError
from storage.lakebase import Credential, CredentialCache, Endpoint, source

HOUR = timedelta(hours=1)


class Mint:
    """Gives numbered credentials that live an hour, by a clock that the test moves."""

    def __init__(self) -> None:
        self.now = datetime(2030, 1, 1, tzinfo=UTC)
        self.calls = 0
        self.fails = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.cache = CredentialCache(self, now=lambda: self.now)

    async def __call__(self) -> Credential:
        self.calls += 1
        await self.gate.wait()
        if self.fails:
            raise ConnectionError("the workspace is away")
        return Credential(token=f"token-{self.calls}", expires_at=self.now + HOUR)


@pytest.fixture
async def mint() -> Mint:
    return Mint()


async def _let_it_renew() -> None:
    await asyncio.sleep(0.01)


async def test_a_credential_is_used_for_most_of_its_life(mint: Mint) -> None:
    assert await mint.cache.password() == "token-1"
    mint.now += 0.7 * HOUR
    assert await mint.cache.password() == "token-1"
    assert mint.calls == 1


async def test_many_log_ins_at_once_mint_one_credential(mint: Mint) -> None:
    assert set(await asyncio.gather(*(mint.cache.password() for _ in range(10)))) == {"token-1"}
    assert mint.calls == 1


async def test_a_credential_is_renewed_before_it_ends_while_the_old_one_serves(mint: Mint) -> None:
    await mint.cache.password()
    mint.now += 0.8 * HOUR
    assert await mint.cache.password() == "token-1"
    await _let_it_renew()
    assert await mint.cache.password() == "token-2"


async def test_an_expired_credential_is_never_served(mint: Mint) -> None:
    await mint.cache.password()
    mint.now += HOUR
    assert await mint.cache.password() == "token-2"


async def test_a_failed_renewal_keeps_the_old_credential_until_its_end(mint: Mint) -> None:
    await mint.cache.password()
    mint.fails = True
    mint.now += 0.8 * HOUR
    for _ in range(3):
        assert await mint.cache.password() == "token-1"
        await _let_it_renew()
    assert mint.calls == 2, "the next try waits a little"
    mint.now += HOUR
    with pytest.raises(DatabaseUnavailableError, match="the workspace is away"):
        await mint.cache.password()


async def test_a_failed_renewal_is_tried_again(mint: Mint) -> None:
    await mint.cache.password()
    mint.fails = True
    mint.now += 0.8 * HOUR
    await mint.cache.password()
    await _let_it_renew()
    mint.fails = False
    mint.now += timedelta(minutes=1)
    await mint.cache.password()
    await _let_it_renew()
    assert await mint.cache.password() == "token-3"


async def test_a_log_in_that_gives_up_does_not_take_the_renewal_along(mint: Mint) -> None:
    mint.gate.clear()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(mint.cache.password(), 0.01)
    mint.gate.set()
    assert await mint.cache.password() == "token-1"
    assert mint.calls == 1


async def test_a_source_logs_in_over_tls_with_the_caches_password(mint: Mint) -> None:
    endpoint = Endpoint(host="instance.example", user="ada@brickfield.example", database="bricklayer")
    way = source(endpoint, mint.cache)
    assert way.url == "postgresql://ada%40brickfield.example@instance.example:5432/bricklayer?sslmode=require"
    assert way.password is not None
    assert await way.password() == "token-1"


def test_a_credential_does_not_show_its_token() -> None:
    assert "secret" not in repr(Credential(token="secret", expires_at=datetime(2030, 1, 1, tzinfo=UTC)))
