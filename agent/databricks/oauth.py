"""The OAuth token client: authorize, exchange, refresh, revoke, as Databricks speaks it.

The SDK's own has no timeouts, flattens errors to text, forgets the refresh token when an answer brings none, and
keeps naive local times; authlib's keeps the last token it saw in itself, which one client for all people must not.
So the few forms are sent with httpx here: everything bounded, errors typed by what a caller can do about them,
expiry aware of its zone, and nothing remembered but the two endpoints.
"""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urlencode, urlsplit

import httpx
import structlog
from pydantic import BaseModel, ValidationError

from agent.databricks import errors

log = structlog.get_logger(__name__)

TIMEOUT = httpx.Timeout(15.0, connect=5.0)  # seconds
ENDPOINTS_LIVE = timedelta(hours=1)
DISCOVERY_PATH = "/.well-known/oauth-authorization-server"
# databricks/cli issues 667 and 709: a dead refresh token also comes back as invalid_request with this text.
_DEAD_REFRESH_TOKEN = "refresh token is invalid"
_OUR_FAULT = frozenset({"invalid_client", "unauthorized_client"})


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What the token endpoint gave; ``None`` for what it did not mention."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime
    scopes: tuple[str, ...] | None
    #: When the refresh token ends, where the server says so.
    ends_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """Where to send people and forms."""

    authorize: str
    token: str
    revoke: str


class _Discovery(BaseModel):
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str | None = None


class _HostMetadata(BaseModel):
    oidc_endpoint: str | None = None
    account_id: str | None = None


class _TokenAnswer(BaseModel):
    access_token: str
    token_type: str = "Bearer"
    expires_in: float = 3600
    refresh_token: str | None = None
    scope: str | None = None
    refresh_token_expires_in: float | None = None


class _ErrorAnswer(BaseModel):
    error: str = ""
    error_description: str = ""


def new_verifier() -> str:
    """A PKCE verifier: 43 characters of 256 random bits (RFC 7636, 4.1)."""
    return secrets.token_urlsafe(32)


def challenge(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636, 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class OAuthClient:
    """One OAuth app at one workspace. Every method raises ``OAuthUnavailableError`` for what time may mend."""

    def __init__(
        self,
        *,
        host: str,
        client_id: str,
        client_secret: str | None,
        scopes: tuple[str, ...] = (),
        redirect_uri: str = "",
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._host = host.rstrip("/")
        self._client_id = client_id
        self._client_secret = client_secret
        self._scopes = scopes
        self._redirect_uri = redirect_uri
        self._now = now
        self._http = httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False)
        self._endpoints: tuple[Endpoints, datetime] | None = None
        self._discovering = asyncio.Lock()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def authorization_url(self, *, state: str, verifier: str) -> str:
        """Where to send the browser."""
        endpoints = await self.endpoints()
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "scope": " ".join(self._scopes),
            "state": state,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        joint = "&" if urlsplit(endpoints.authorize).query else "?"
        return f"{endpoints.authorize}{joint}{urlencode(query)}"

    async def exchange(self, *, code: str, verifier: str) -> Grant:
        """The grant for an authorization code; ``SignInNeededError`` when the code is spent, old or not ours."""
        return await self._grant(
            grant_type="authorization_code",
            code=code,
            code_verifier=verifier,
            redirect_uri=self._redirect_uri,
        )

    async def refresh(self, refresh_token: str) -> Grant:
        """A new grant; ``SignInNeededError`` when Databricks says that this refresh token is dead for good."""
        return await self._grant(grant_type="refresh_token", refresh_token=refresh_token)

    async def client_credentials(self) -> Grant:
        """A grant for the app itself (the service, never a person)."""
        return await self._grant(grant_type="client_credentials", scope=" ".join(self._scopes) or "all-apis")

    async def revoke(self, token: str, *, kind: Literal["access_token", "refresh_token"]) -> bool:
        """Ask Databricks to forget a token; ``False`` when it would not. No vendor page promises this endpoint."""
        try:
            endpoints = await self.endpoints()
            answer = await self._post(endpoints.revoke, {"token": token, "token_type_hint": kind})
        except errors.OAuthUnavailableError:
            return False
        return answer.is_success

    async def endpoints(self) -> Endpoints:
        """The endpoints by discovery: the workspace's own, or those of its account where the host names them."""
        async with self._discovering:
            if self._endpoints is None or self._endpoints[1] < self._now():
                self._endpoints = (await self._discover(), self._now() + ENDPOINTS_LIVE)
            return self._endpoints[0]

    async def _discover(self) -> Endpoints:
        answer = await self._get(await self._discovery_url())
        try:
            found = _Discovery.model_validate_json(answer.content)
        except ValidationError as error:
            raise errors.OAuthUnavailableError from error
        revoke = found.revocation_endpoint or found.token_endpoint.removesuffix("/token") + "/revoke"
        for url in (found.authorization_endpoint, found.token_endpoint, revoke):
            self._require_safe(url)
        return Endpoints(authorize=found.authorization_endpoint, token=found.token_endpoint, revoke=revoke)

    async def _discovery_url(self) -> str:
        """A unified or account host says where its sign-in is (``/.well-known/databricks-config``)."""
        metadata = await self._get(f"{self._host}/.well-known/databricks-config", may_be_absent=True)
        try:
            known = (
                _HostMetadata.model_validate_json(metadata.content)
                if metadata.is_success
                else _HostMetadata()
            )
        except ValidationError:
            known = _HostMetadata()
        root = known.oidc_endpoint or ""
        if "{account_id}" in root and not known.account_id:
            root = ""
        root = root.replace("{account_id}", known.account_id or "").rstrip("/")
        return f"{root or self._host + '/oidc'}{DISCOVERY_PATH}"

    def _require_safe(self, url: str) -> None:
        """Secrets travel encrypted, except to a host that was itself given without encryption (loopback)."""
        if urlsplit(url).scheme == "https" or url.startswith(f"{self._host}/"):
            return
        log.error("sign-in endpoint is not encrypted", endpoint=urlsplit(url).netloc)
        raise errors.OAuthUnavailableError

    async def _get(self, url: str, *, may_be_absent: bool = False) -> httpx.Response:
        try:
            answer = await self._http.get(url)
        except httpx.HTTPError as error:
            raise errors.OAuthUnavailableError from error
        if not answer.is_success and not may_be_absent:
            log.warning("sign-in discovery failed", url=url, status=answer.status_code)
            raise errors.OAuthUnavailableError
        return answer

    async def _grant(self, **form: str) -> Grant:
        endpoints = await self.endpoints()
        answer = await self._post(endpoints.token, form)
        if not answer.is_success:
            raise _failure(answer)
        try:
            granted = _TokenAnswer.model_validate_json(answer.content)
        except ValidationError:
            # Its text would quote the answer, and the answer may hold a token.
            raise errors.OAuthUnavailableError from None
        return self._from_answer(granted)

    def _from_answer(self, granted: _TokenAnswer) -> Grant:
        if not granted.access_token or granted.token_type.casefold() != "bearer":
            raise errors.OAuthUnavailableError
        now = self._now()
        ends_in = granted.refresh_token_expires_in
        return Grant(
            access_token=granted.access_token,
            refresh_token=granted.refresh_token or None,
            expires_at=now + timedelta(seconds=granted.expires_in),
            scopes=tuple(granted.scope.split()) if granted.scope else None,
            ends_at=now + timedelta(seconds=ends_in) if ends_in else None,
        )

    async def _post(self, url: str, form: dict[str, str]) -> httpx.Response:
        body = {**form, "client_id": self._client_id}
        if self._client_secret:
            body["client_secret"] = self._client_secret
        try:
            return await self._http.post(url, data=body, headers={"Accept": "application/json"})
        except httpx.HTTPError as error:
            raise errors.OAuthUnavailableError from error


def _failure(answer: httpx.Response) -> errors.DatabricksError:
    """What a refusal of the token endpoint means: ask the person again, call the operator, or wait."""
    try:
        said = _ErrorAnswer.model_validate_json(answer.content)
    except ValidationError:
        said = _ErrorAnswer()
    if answer.status_code < 500 and answer.status_code != 429:
        dead = said.error == "invalid_request" and _DEAD_REFRESH_TOKEN in said.error_description.casefold()
        if said.error == "invalid_grant" or dead:
            return errors.SignInNeededError()
        if said.error in _OUR_FAULT:
            log.error("databricks refuses the oauth app", status=answer.status_code, code=said.error)
            return errors.OAuthMisconfiguredError()
    log.warning(
        "databricks sign-in service failed",
        status=answer.status_code,
        code=errors.scrub(said.error, limit=60),
    )
    return errors.OAuthUnavailableError()
