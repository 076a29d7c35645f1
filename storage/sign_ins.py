"""Sign-ins under way: from the link that one person was given to the account that this person confirms.

A row is spent once: ``start`` succeeds for the first who opens the link in time, and ``finish`` erases what was
held. Any replica can serve any step.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import RowMapping, Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.models import sign_ins
from storage.vault import Vault

State = Literal["offered", "started", "returned", "linked", "refused"]


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """One attempt. ``verifier`` is PKCE's; ``tokens`` are of the account that waits to be confirmed."""

    id: UUID
    team_id: str
    user_id: str
    host: str
    verifier: str = field(repr=False)
    state: State
    created_at: datetime
    expires_at: datetime
    tokens: dict[str, str] | None = field(repr=False)


class SignIns:
    """The sign-ins, within one transaction."""

    def __init__(self, tx: AsyncSession, vault: Vault) -> None:
        self._tx = tx
        self._vault = vault

    async def create(self, *, team_id: str, user_id: str, host: str, verifier: str, ttl: timedelta) -> SignIn:
        """Offer a sign-in to one person for as long as ``ttl``."""
        row = insert(sign_ins).values(
            team_id=team_id,
            user_id=user_id,
            host=host,
            verifier=self._vault.seal(verifier),
            expires_at=func.now() + ttl,
        )
        return self._sign_in((await self._tx.execute(row.returning(sign_ins))).mappings().one())

    async def get(self, sign_in_id: UUID) -> SignIn | None:
        """The sign-in, expired or not."""
        return await self._one(select(sign_ins).where(sign_ins.c.id == sign_in_id))

    async def lock(self, sign_in_id: UUID) -> SignIn | None:
        """The same, held until the transaction ends."""
        return await self._one(select(sign_ins).where(sign_ins.c.id == sign_in_id).with_for_update())

    async def start(self, sign_in_id: UUID) -> bool:
        """The link was opened; True for the first time, before it expired."""
        started = (
            update(sign_ins)
            .where(
                sign_ins.c.id == sign_in_id,
                sign_ins.c.state == "offered",
                sign_ins.c.expires_at > func.now(),
            )
            .values(state="started")
        )
        return await self._tx.scalar(started.returning(sign_ins.c.id)) is not None

    async def hold_tokens(self, sign_in_id: UUID, tokens: Mapping[str, str]) -> None:
        """The account came back; keep its tokens, sealed, until the person confirms that it is theirs."""
        sealed = self._vault.seal(json.dumps(dict(tokens)))
        await self._tx.execute(
            update(sign_ins).where(sign_ins.c.id == sign_in_id).values(state="returned", tokens=sealed)
        )

    async def finish(self, sign_in_id: UUID, state: Literal["linked", "refused"]) -> None:
        """The sign-in is over; nothing secret of it is kept."""
        ended = update(sign_ins).where(sign_ins.c.id == sign_in_id)
        await self._tx.execute(ended.values(state=state, tokens=None, verifier=self._vault.seal("")))

    async def delete_expired(self) -> int:
        """Forget the sign-ins whose time is over; how many there were."""
        gone = delete(sign_ins).where(sign_ins.c.expires_at <= func.now()).returning(sign_ins.c.id)
        return len((await self._tx.scalars(gone)).all())

    async def _one(self, statement: Select[Any]) -> SignIn | None:
        row = (await self._tx.execute(statement)).mappings().one_or_none()
        return None if row is None else self._sign_in(row)

    def _sign_in(self, row: RowMapping) -> SignIn:
        tokens = row["tokens"]
        return SignIn(
            **{
                **row,
                "verifier": self._vault.open(row["verifier"]),
                "tokens": None if tokens is None else json.loads(self._vault.open(tokens)),
            }
        )
