"""Linked accounts and sign-ins: usable with the keys, useless without, spent once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from storage.database import Database
from storage.errors import SealedWithUnknownKeyError
from storage.identities import Identities, Identity
from storage.sign_ins import SignIn, SignIns
from storage.vault import Vault

OLD, NEW = Vault.generate_key(), Vault.generate_key()
VAULT = Vault([OLD])
ROTATED = Vault([NEW, OLD])
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
TEN_MINUTES = timedelta(minutes=10)

ADA = Identity(
    team_id="T1",
    user_id="U1",
    host="https://brickfield.example",
    user_name="ada@brickfield.example",
    databricks_id="17",
    scopes=("all-apis", "offline_access"),
    access_token="access-1",
    refresh_token="refresh-1",
    expires_at=NOON,
    linked_at=NOON,
    ends_at=None,
)


async def _sign_in(tx: AsyncSession, *, ttl: timedelta = TEN_MINUTES) -> SignIn:
    return await SignIns(tx, VAULT).create(
        team_id="T1", user_id="U1", host=ADA.host, verifier="verifier-1", ttl=ttl
    )


async def test_a_linked_account_comes_back_as_it_was(tx: AsyncSession) -> None:
    identities = Identities(tx, VAULT)
    await identities.save(ADA)
    assert await identities.get(team_id="T1", user_id="U1") == ADA
    assert await identities.get(team_id="T1", user_id="U2") is None


async def test_tokens_are_neither_in_the_table_nor_in_a_records_repr(tx: AsyncSession) -> None:
    await Identities(tx, VAULT).save(ADA)
    sign_in = await _sign_in(tx)
    await SignIns(tx, VAULT).hold_tokens(sign_in.id, {"access_token": "access-2"})
    rows = (await tx.execute(text("SELECT i::text || s::text FROM identities i, sign_ins s"))).scalars().all()
    for secret in ("access-1", "refresh-1", "access-2", "verifier-1"):
        assert secret not in repr(ADA) + repr(sign_in)
        assert secret.encode().hex() not in rows[0]


async def test_renewed_tokens_replace_the_old_ones(tx: AsyncSession) -> None:
    identities = Identities(tx, VAULT)
    await identities.save(ADA)
    await identities.update_tokens(
        team_id="T1", user_id="U1", access_token="access-2", refresh_token=None, expires_at=NOON + TEN_MINUTES
    )
    found = await identities.lock(team_id="T1", user_id="U1")
    assert found is not None
    assert (found.access_token, found.refresh_token, found.scopes) == ("access-2", None, ADA.scopes)


async def test_a_locked_account_is_renewed_by_one_at_a_time(database: Database) -> None:
    async with database.transaction() as tx:
        await Identities(tx, VAULT).save(ADA)
    spent: list[str | None] = []

    async def renew() -> None:
        async with database.transaction() as tx:
            found = await Identities(tx, VAULT).lock(team_id="T1", user_id="U1")
            assert found is not None
            if found.access_token == "access-1":
                spent.append(found.refresh_token)
                await Identities(tx, VAULT).update_tokens(
                    team_id="T1",
                    user_id="U1",
                    access_token="access-2",
                    refresh_token="refresh-2",
                    expires_at=NOON,
                )

    await asyncio.gather(*(renew() for _ in range(5)))
    assert spent == ["refresh-1"]


async def test_unlinking_returns_what_is_to_be_revoked(tx: AsyncSession) -> None:
    await Identities(tx, VAULT).save(ADA)
    assert await Identities(tx, VAULT).delete(team_id="T1", user_id="U1") == ADA
    assert await Identities(tx, VAULT).delete(team_id="T1", user_id="U1") is None


async def test_rows_are_sealed_again_with_the_newest_key(database: Database) -> None:
    async with database.transaction() as tx:
        await Identities(tx, VAULT).save(ADA)
    async with database.transaction() as tx:
        assert await Identities(tx, ROTATED).reseal(10) == 1
        assert await Identities(tx, ROTATED).reseal(10) == 0
        assert await Identities(tx, Vault([NEW])).get(team_id="T1", user_id="U1") == ADA


async def test_rows_that_no_key_opens_are_counted_and_refused(tx: AsyncSession) -> None:
    await Identities(tx, VAULT).save(ADA)
    stranger = Identities(tx, Vault([NEW]))
    assert await stranger.unreadable() == 1
    assert await stranger.reseal(10) == 0
    assert await Identities(tx, ROTATED).unreadable() == 0
    with pytest.raises(SealedWithUnknownKeyError):
        await stranger.get(team_id="T1", user_id="U1")


async def test_a_link_opens_once(tx: AsyncSession) -> None:
    sign_in = await _sign_in(tx)
    assert sign_in.state == "offered"
    assert sign_in.verifier == "verifier-1"
    assert await SignIns(tx, VAULT).start(sign_in.id)
    assert not await SignIns(tx, VAULT).start(sign_in.id)


async def test_an_expired_link_does_not_open_and_is_forgotten(tx: AsyncSession) -> None:
    sign_in = await _sign_in(tx, ttl=timedelta(0))
    sign_ins = SignIns(tx, VAULT)
    assert not await sign_ins.start(sign_in.id)
    assert await sign_ins.delete_expired() == 1
    assert await sign_ins.get(sign_in.id) is None


async def test_tokens_wait_for_confirmation_and_are_erased_after_it(tx: AsyncSession) -> None:
    sign_ins = SignIns(tx, VAULT)
    sign_in = await _sign_in(tx)
    await sign_ins.hold_tokens(sign_in.id, {"access_token": "access-1"})
    returned = await sign_ins.lock(sign_in.id)
    assert returned is not None
    assert (returned.state, returned.tokens) == ("returned", {"access_token": "access-1"})
    await sign_ins.finish(sign_in.id, "linked")
    over = await sign_ins.get(sign_in.id)
    assert over is not None
    assert (over.state, over.tokens, over.verifier) == ("linked", None, "")
