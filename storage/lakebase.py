"""Lakebase: Postgres whose passwords are credentials that live an hour and are checked at log-in only.

Who mints a credential is given from above, because only ``agent`` knows the Databricks SDK.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import structlog

from storage.database import Source
from storage.errors import DatabaseUnavailableError

RENEW_AT = 0.75  # of a credential's life
RETRY_AFTER = timedelta(seconds=15)  # after a failed renewal, while the old credential still serves

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A password with an end."""

    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where an instance is and who logs in: an e-mail address or a service principal's client id."""

    host: str
    user: str
    database: str


@dataclass(frozen=True, kw_only=True)
class _Held:
    credential: Credential
    renew_at: datetime


class CredentialCache:
    """One credential for every log-in, renewed by one call at a time.

    A log-in waits for a renewal only when there is nothing valid to serve. The renewal is a task of its own, so that
    a log-in that gives up does not take it along.
    """

    def __init__(
        self,
        mint: Callable[[], Awaitable[Credential]],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._mint = mint
        self._now = now
        self._held: _Held | None = None
        self._renewal: asyncio.Task[Credential] | None = None

    async def password(self) -> str:
        """A valid token; ``DatabaseUnavailableError`` when there is none to be had."""
        held, now = self._held, self._now()
        if held is not None and now < held.renew_at:
            return held.credential.token
        renewal = self._renew()
        if held is not None and now < held.credential.expires_at:
            return held.credential.token
        return (await asyncio.shield(renewal)).token

    def _renew(self) -> asyncio.Task[Credential]:
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._minted(), name="renew lakebase credential")
            self._renewal.add_done_callback(_log_failure)
        return self._renewal

    async def _minted(self) -> Credential:
        asked_at = self._now()
        try:
            credential = await self._mint()
        except Exception as error:
            if self._held is not None:
                self._held = _Held(credential=self._held.credential, renew_at=self._now() + RETRY_AFTER)
            raise DatabaseUnavailableError(f"no credential for Lakebase: {error}") from error
        life = credential.expires_at - asked_at
        self._held = _Held(credential=credential, renew_at=asked_at + life * RENEW_AT)
        return credential


def _log_failure(renewal: asyncio.Task[Credential]) -> None:
    """Also marks the failure as seen, where every log-in was served by the old credential."""
    if not renewal.cancelled() and (error := renewal.exception()) is not None:
        log.warning("lakebase credential not renewed", reason=str(error))


def source(endpoint: Endpoint, cache: CredentialCache, *, tls: ssl.SSLContext | None = None) -> Source:
    """The way to an instance. TLS is required; pass a context with the right authorities to verify the server too."""
    user, database = quote(endpoint.user, safe=""), quote(endpoint.database, safe="")
    url = f"postgresql://{user}@{endpoint.host}:5432/{database}?sslmode=require"
    return Source(url=url, password=cache.password, tls=tls)
