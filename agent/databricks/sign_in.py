"""The way of a sign-in: offered in Slack, started and returned in a browser, confirmed by a person.

What must not happen is that somebody ends up acting as somebody else, so four things have to agree:

- *The person.* The link carries a signed name of a row that says for which Slack person it is. The Databricks account
  that comes back must be the one that belongs to that person's Slack e-mail: a forwarded link that a colleague opens
  ends in a refusal, not in the colleague's account being handed over.
- *The browser.* The browser that opens the link gets a cookie, and the callback and the confirmation must bring it:
  a finished callback address sent to somebody else is worth nothing (login CSRF).
- *The proxy.* On Databricks Apps the forwarded e-mail must be the same account again.
- *The will.* Nothing is linked before the page has said which account is about to be linked to whom.

Each step counts once. The callback first marks the row refused and opens it again only when everything agrees, so a
crash or an error in between leaves nothing that could be used.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import itsdangerous
import structlog
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from databricks.sdk import WorkspaceClient
from pydantic import BaseModel, ValidationError

from agent.databricks import clients, errors, oauth, threads
from agent.databricks import settings as settings_
from agent.databricks.refusals import Refusal, SignInRefusedError
from storage import audit, database, identities, sign_ins, vault

log = structlog.get_logger(__name__)

LINK_LIVES = timedelta(minutes=10)
COOKIE = "bricklayer_sign_in"
ME_PATIENCE = 30.0  # seconds
LONGEST_NAME = 254  # characters of an e-mail address (RFC 5321)

#: The e-mail of a Slack person by team and user id; ``None`` when it is not known.
EmailLookup = Callable[[str, str], Awaitable[str | None]]


@dataclass(frozen=True, kw_only=True)
class Started:
    """Where to send the browser, and the cookie (``COOKIE``) it must keep for ``cookie_lives`` seconds.

    The cookie is to be HttpOnly and Secure, for the path ``/auth``, and SameSite=Lax: Strict would keep it from the
    callback, which comes from Databricks' site.
    """

    url: str
    cookie: str = field(repr=False)
    cookie_lives: int


@dataclass(frozen=True, kw_only=True)
class PendingLink:
    """What the confirmation page shows; ``token`` is what its form sends back."""

    team_id: str
    user_id: str
    slack_email: str
    user_name: str
    host: str
    scopes: tuple[str, ...]
    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Linked:
    """Whom a confirmation linked to which account."""

    team_id: str
    user_id: str
    user_name: str
    host: str


class _Held(BaseModel):
    """The tokens between callback and confirmation, as they lie sealed in the row."""

    access_token: str
    refresh_token: str
    expires_at: datetime
    ends_at: datetime | None
    scopes: str
    user_name: str
    databricks_id: str


class Signer:
    """Signs what travels through the browser. Keys are derived from the vault's, newest first."""

    def __init__(self, keys: Sequence[str]) -> None:
        # itsdangerous signs with the last of its keys and accepts all.
        self._keys = [_derived(key) for key in reversed(keys)]

    def sign(self, purpose: str, sign_in_id: UUID) -> str:
        """A token that says which sign-in it belongs to, good for this purpose only."""
        return self._serializer(purpose).dumps(str(sign_in_id))

    def read(self, purpose: str, token: str) -> UUID:
        """The sign-in's id; refuses with ``EXPIRED`` or ``CHANGED``."""
        try:
            return UUID(self._serializer(purpose).loads(token, max_age=int(LINK_LIVES.total_seconds())))
        except itsdangerous.SignatureExpired:
            raise SignInRefusedError(Refusal.EXPIRED) from None
        except (itsdangerous.BadData, ValueError, TypeError, AttributeError):
            raise SignInRefusedError(Refusal.CHANGED) from None

    def _serializer(self, purpose: str) -> itsdangerous.URLSafeTimedSerializer:
        return itsdangerous.URLSafeTimedSerializer(self._keys, salt=f"bricklayer sign-in {purpose}")


class SignInFlow:
    """Every step of a sign-in, on whichever replica the browser reaches."""

    def __init__(
        self,
        *,
        database: database.Database,
        vault: vault.Vault,
        signing_keys: Sequence[str],
        settings: settings_.DatabricksSettings,
        client: oauth.OAuthClient,
        pool: threads.CallPool,
        email_of: EmailLookup,
        now: Callable[[], datetime] = oauth.utc_now,
    ) -> None:
        self._database = database
        self._vault = vault
        self._signer = Signer(signing_keys)
        self._settings = settings
        self._client = client
        self._pool = pool
        self._email_of = email_of
        self._now = now

    async def offer(self, team_id: str, user_id: str) -> str:
        """The address of a new link for this Slack person, to be shown to nobody else."""
        async with self._database.transaction() as tx:
            made = await sign_ins.SignIns(tx, self._vault).create(
                team_id=team_id,
                user_id=user_id,
                host=self._settings.host,
                verifier=oauth.new_verifier(),
                ttl=LINK_LIVES,
            )
        return (
            f"{self._settings.public_url.rstrip('/')}/auth/start?token={self._signer.sign('link', made.id)}"
        )

    async def start(self, token: str, *, forwarded_email: str | None = None) -> Started:
        """The link was opened. Counts once; a stranger whom the proxy names is refused without using it up."""
        sign_in_id = self._signer.read("link", token)
        row = await self._get(sign_in_id)
        if row.state != "offered":
            raise SignInRefusedError(Refusal.USED)
        if forwarded_email:
            async with self._on_record(row, errors.scrub(forwarded_email, limit=LONGEST_NAME)):
                await self._expect(row, forwarded_email, Refusal.WRONG_PERSON)
        url = await self._authorization_url(row)
        async with self._database.transaction() as tx:
            if not await sign_ins.SignIns(tx, self._vault).start(sign_in_id):
                raise SignInRefusedError(Refusal.USED)
        cookie = self._signer.sign("browser", sign_in_id)
        return Started(url=url, cookie=cookie, cookie_lives=int(LINK_LIVES.total_seconds()))

    async def callback(
        self, params: Mapping[str, str], *, cookie: str | None, forwarded_email: str | None = None
    ) -> PendingLink:
        """Databricks sent the browser back; either everything agrees, or nothing is stored."""
        sign_in_id = self._signer.read("state", params.get("state", ""))
        self._require_browser(sign_in_id, cookie)
        row = await self._claim(sign_in_id)
        if "error" in params or not params.get("code"):
            log.info("sign-in declined at databricks", code=errors.scrub(params.get("error", ""), limit=60))
            raise SignInRefusedError(
                Refusal.DENIED if params.get("error") == "access_denied" else Refusal.CHANGED
            )
        grant = await self._exchange(params["code"], row)
        kept = False
        try:
            pending = await self._hold_if_it_fits(row, grant, forwarded_email)
            kept = True
        finally:
            if not kept:
                await self.revoke(grant.access_token, grant.refresh_token)
        return pending

    async def confirm(self, token: str, *, cookie: str | None) -> Linked:
        """The person said yes: link, in one transaction with its audit entry."""
        sign_in_id = self._signer.read("confirm", token)
        self._require_browser(sign_in_id, cookie)
        async with self._database.transaction() as tx:
            attempts = sign_ins.SignIns(tx, self._vault)
            row, held = _held(await attempts.lock(sign_in_id), self._now())
            rows = identities.Identities(tx, self._vault)
            before = await rows.lock(team_id=row.team_id, user_id=row.user_id)
            identity = _identity(row, held, linked_at=self._now())
            await rows.save(identity)
            await attempts.finish(sign_in_id, "linked")
            await _record(audit.Audit(tx), row, outcome="done", user_name=held.user_name)
        if before is not None:
            await self.revoke(before.access_token, before.refresh_token)
        return Linked(team_id=row.team_id, user_id=row.user_id, user_name=held.user_name, host=row.host)

    async def decline(self, token: str, *, cookie: str | None) -> None:
        """The person said no on the confirmation page: forget the tokens and revoke them."""
        sign_in_id = self._signer.read("confirm", token)
        self._require_browser(sign_in_id, cookie)
        async with self._database.transaction() as tx:
            attempts = sign_ins.SignIns(tx, self._vault)
            row, held = _held(await attempts.lock(sign_in_id), self._now())
            await attempts.finish(sign_in_id, "refused")
            await _record(audit.Audit(tx), row, outcome="declined", user_name=held.user_name)
        await self.revoke(held.access_token, held.refresh_token or None)

    async def revoke(self, access_token: str, refresh_token: str | None) -> None:
        """Ask Databricks to forget these; that it does is a kindness, not a promise."""
        done = await self._client.revoke(refresh_token, kind="refresh_token") if refresh_token else True
        done = await self._client.revoke(access_token, kind="access_token") and done
        if not done:
            log.info("databricks did not revoke a token; it ends by itself")

    async def _authorization_url(self, row: sign_ins.SignIn) -> str:
        try:
            return await self._client.authorization_url(
                state=self._signer.sign("state", row.id), verifier=row.verifier
            )
        except errors.OAuthUnavailableError as error:
            raise SignInRefusedError(Refusal.UNAVAILABLE) from error

    async def _get(self, sign_in_id: UUID) -> sign_ins.SignIn:
        async with self._database.transaction() as tx:
            row = await sign_ins.SignIns(tx, self._vault).get(sign_in_id)
        return _in_time(row, self._now())

    async def _claim(self, sign_in_id: UUID) -> sign_ins.SignIn:
        """Take the one chance of this sign-in: it is refused from here on, unless ``_hold_if_it_fits`` reopens it."""
        async with self._database.transaction() as tx:
            attempts = sign_ins.SignIns(tx, self._vault)
            row = _in_time(await attempts.lock(sign_in_id), self._now())
            if row.state != "started":
                raise SignInRefusedError(Refusal.USED)
            await attempts.finish(sign_in_id, "refused")
        return row

    def _require_browser(self, sign_in_id: UUID, cookie: str | None) -> None:
        try:
            same = bool(cookie) and self._signer.read("browser", cookie or "") == sign_in_id
        except SignInRefusedError:
            same = False
        if not same:
            raise SignInRefusedError(Refusal.WRONG_BROWSER)

    async def _exchange(self, code: str, row: sign_ins.SignIn) -> oauth.Grant:
        try:
            return await self._client.exchange(code=code, verifier=row.verifier)
        except errors.SignInNeededError as error:
            raise SignInRefusedError(Refusal.EXPIRED) from error
        except errors.OAuthUnavailableError as error:
            raise SignInRefusedError(Refusal.UNAVAILABLE) from error

    async def _hold_if_it_fits(
        self, row: sign_ins.SignIn, grant: oauth.Grant, forwarded_email: str | None
    ) -> PendingLink:
        user_name, databricks_id = await self._account(row.host, grant.access_token)
        async with self._on_record(row, user_name):
            slack_email = await self._expect(row, user_name, Refusal.OTHER_ACCOUNT)
            if forwarded_email and forwarded_email.strip().casefold() != user_name.strip().casefold():
                raise SignInRefusedError(Refusal.OTHER_ACCOUNT)
        scopes = grant.scopes or self._settings.scopes
        held = _Held(
            access_token=grant.access_token,
            refresh_token=grant.refresh_token or "",
            expires_at=grant.expires_at,
            ends_at=grant.ends_at,
            scopes=" ".join(scopes),
            user_name=user_name,
            databricks_id=databricks_id,
        )
        async with self._database.transaction() as tx:
            await sign_ins.SignIns(tx, self._vault).hold_tokens(row.id, {"held": held.model_dump_json()})
        return PendingLink(
            team_id=row.team_id,
            user_id=row.user_id,
            slack_email=slack_email,
            user_name=user_name,
            host=row.host,
            scopes=scopes,
            token=self._signer.sign("confirm", row.id),
        )

    async def _account(self, host: str, access_token: str) -> tuple[str, str]:
        """User name and id of the account that a fresh token belongs to."""
        client = clients.workspace_client(host=host, tokens=clients.FixedToken(access_token))
        try:
            return await self._pool.call(("sign-in",), who, client, timeout=ME_PATIENCE)
        except (OSError, errors.DatabricksError) as error:
            log.warning("account of a sign-in not readable", reason=str(errors.from_sdk(error)))
            raise SignInRefusedError(Refusal.UNAVAILABLE) from error

    async def _expect(self, row: sign_ins.SignIn, account: str, otherwise: Refusal) -> str:
        """The Slack e-mail of the person this is for, provided that ``account`` is what belongs to it."""
        email = await self._email_of(row.team_id, row.user_id)
        if not email:
            raise SignInRefusedError(Refusal.NO_EMAIL)
        if account.strip().casefold() != self._settings.expected_user_name(email):
            raise SignInRefusedError(otherwise)
        return email

    @asynccontextmanager
    async def _on_record(self, row: sign_ins.SignIn, user_name: str) -> AsyncIterator[None]:
        """A refusal within is written into the audit, with the account that tried."""
        try:
            yield
        except SignInRefusedError as error:
            reason = error.refusal.value
            log.info("sign-in refused", team=row.team_id, user=row.user_id, refusal=reason)
            async with self._database.transaction() as tx:
                await _record(audit.Audit(tx), row, outcome="refused", user_name=user_name, reason=reason)
            raise


def who(client: WorkspaceClient) -> tuple[str, str]:
    """User name and id of the account that a client acts as. Blocks."""
    me = client.current_user.me()
    if not me.user_name or not me.id:
        raise errors.DatabricksError("Databricks did not say whose token this is.")
    return me.user_name, me.id


def _in_time(row: sign_ins.SignIn | None, now: datetime) -> sign_ins.SignIn:
    # Rows past their time are deleted, so a missing one was genuine once: its name was signed.
    if row is None or row.expires_at <= now:
        raise SignInRefusedError(Refusal.EXPIRED)
    return row


def _held(row: sign_ins.SignIn | None, now: datetime) -> tuple[sign_ins.SignIn, _Held]:
    row = _in_time(row, now)
    if row.state != "returned" or row.tokens is None:
        raise SignInRefusedError(Refusal.USED)
    try:
        return row, _Held.model_validate_json(row.tokens["held"])
    except (ValidationError, KeyError):
        raise SignInRefusedError(Refusal.EXPIRED) from None


def _identity(row: sign_ins.SignIn, held: _Held, *, linked_at: datetime) -> identities.Identity:
    return identities.Identity(
        team_id=row.team_id,
        user_id=row.user_id,
        host=row.host,
        user_name=held.user_name,
        databricks_id=held.databricks_id,
        scopes=tuple(held.scopes.split()),
        access_token=held.access_token,
        refresh_token=held.refresh_token or None,
        expires_at=held.expires_at,
        linked_at=linked_at,
        ends_at=held.ends_at if held.refresh_token else held.expires_at,
    )


async def _record(
    entries: audit.Audit, row: sign_ins.SignIn, *, outcome: str, user_name: str, reason: str | None = None
) -> None:
    await entries.record(
        team_id=row.team_id,
        user_id=row.user_id,
        action="identity.link",
        outcome=outcome,
        identity=user_name,
        detail={"reason": reason} if reason else None,
    )


def _derived(key: str) -> bytes:
    """A signing key of its own, so that a signature never uses the key that encrypts."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"bricklayer sign-in").derive(
        key.encode()
    )
