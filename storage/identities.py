"""Senders' linked Databricks accounts. Tokens are sealed by the vault and are never in a row in the clear.

A token is renewed by whoever holds the row lock (``lock``), and is stored before it is used, so that a refresh
token that can be spent once is spent once, however many replicas run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    RowMapping,
    Select,
    delete,
    func,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import identities
from storage.vault import KEY_ID_LENGTH, Vault


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A linked account. ``expires_at`` is the access token's, ``ends_at`` the sign-in's where it is known."""

    team_id: str
    user_id: str
    host: str
    user_name: str
    databricks_id: str
    scopes: tuple[str, ...]
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime
    linked_at: datetime
    ends_at: datetime | None


class Identities:
    """The linked accounts, within one transaction. Reading raises ``SealedWithUnknownKeyError`` without the key."""

    def __init__(self, tx: AsyncSession, vault: Vault) -> None:
        self._tx = tx
        self._vault = vault

    async def get(self, *, team_id: str, user_id: str) -> Identity | None:
        """The person's linked account."""
        return await self._one(select(identities).where(*_of(team_id, user_id)))

    async def lock(self, *, team_id: str, user_id: str) -> Identity | None:
        """The same, held until the transaction ends; others who want to change it wait."""
        return await self._one(select(identities).where(*_of(team_id, user_id)).with_for_update())

    async def save(self, identity: Identity) -> None:
        """Link an account, instead of the one that was linked."""
        values = {
            "host": identity.host,
            "user_name": identity.user_name,
            "databricks_id": identity.databricks_id,
            "expires_at": identity.expires_at,
            "linked_at": identity.linked_at,
            "ends_at": identity.ends_at,
            "scopes": list(identity.scopes),
            **self._sealed(identity.access_token, identity.refresh_token),
        }
        row = insert(identities).values(team_id=identity.team_id, user_id=identity.user_id, **values)
        await self._tx.execute(row.on_conflict_do_update(index_elements=["team_id", "user_id"], set_=values))

    async def update_tokens(
        self,
        *,
        team_id: str,
        user_id: str,
        access_token: str,
        refresh_token: str | None,
        expires_at: datetime,
        scopes: Sequence[str] | None = None,
    ) -> None:
        """Store renewed tokens; nothing happens when the account was unlinked meanwhile.

        ``refresh_token`` is what to keep: pass the old one when the server returned none.
        """
        values: dict[str, Any] = {"expires_at": expires_at, **self._sealed(access_token, refresh_token)}
        if scopes is not None:
            values["scopes"] = list(scopes)
        await self._tx.execute(update(identities).where(*_of(team_id, user_id)).values(**values))

    async def delete(self, *, team_id: str, user_id: str) -> Identity | None:
        """Unlink, and return what was linked, so that its tokens can be revoked."""
        gone = delete(identities).where(*_of(team_id, user_id)).returning(identities)
        row = (await self._tx.execute(gone)).mappings().one_or_none()
        return None if row is None else self._identity(row)

    async def reseal(self, limit: int) -> int:
        """Encrypt up to ``limit`` rows afresh with the newest key; the number done, 0 when all are current."""
        stale = ~_sealed_with([self._vault.current_key_id]) & _sealed_with(self._vault.key_ids)
        rows = await self._tx.execute(
            select(identities).where(stale).limit(limit).with_for_update(skip_locked=True)
        )
        found = [self._identity(row) for row in rows.mappings()]
        for identity in found:
            await self.update_tokens(
                team_id=identity.team_id,
                user_id=identity.user_id,
                access_token=identity.access_token,
                refresh_token=identity.refresh_token,
                expires_at=identity.expires_at,
            )
        return len(found)

    async def unreadable(self) -> int:
        """How many rows no configured key opens; checked at start, because going on would lose those sign-ins."""
        lost = select(func.count()).select_from(identities).where(~_sealed_with(self._vault.key_ids))
        return await self._tx.scalar(lost) or 0

    async def _one(self, statement: Select[Any]) -> Identity | None:
        row = (await self._tx.execute(statement)).mappings().one_or_none()
        return None if row is None else self._identity(row)

    def _sealed(self, access_token: str, refresh_token: str | None) -> dict[str, bytes | None]:
        return {
            "access_token": self._vault.seal(access_token),
            "refresh_token": None if refresh_token is None else self._vault.seal(refresh_token),
        }

    def _identity(self, row: RowMapping) -> Identity:
        refresh_token = row["refresh_token"]
        return Identity(
            **{
                **row,
                "scopes": tuple(row["scopes"]),
                "access_token": self._vault.open(row["access_token"]),
                "refresh_token": None if refresh_token is None else self._vault.open(refresh_token),
            }
        )


def _of(team_id: str, user_id: str) -> list[ColumnElement[bool]]:
    return [identities.c.team_id == team_id, identities.c.user_id == user_id]


def _sealed_with(key_ids: Sequence[str]) -> ColumnElement[bool]:
    """Both tokens are always sealed together, so one of them tells for both."""
    key_id = type_coerce(func.substring(identities.c.access_token, 1, KEY_ID_LENGTH), LargeBinary)
    return key_id.in_([known.encode() for known in key_ids])
