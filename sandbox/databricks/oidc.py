"""OAuth sign-in (U2M and M2M) at workspace and at account level: discovery, authorize, token, revoke.

Endpoints as ``databricks.sdk.oauth`` finds them and docs.databricks.com/aws/en/dev-tools/auth describes them. For tests
``/authorize`` takes ``login_as=<name>`` or ``deny=1`` in place of a click on its page.
"""

import base64
import binascii
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from aiohttp import web

from sandbox.databricks import accounts, authorization, errors, parts, signin_page, signing, tokens

ACCOUNT_ID = "0b1c2d3e-4f50-4a6b-8c7d-9e0fa1b2c3d4"
WORKSPACE_ID = "7474650123456789"
SERVICE_PRINCIPAL_SECRET = "service-principal-secret"


@dataclass(frozen=True, kw_only=True)
class _Client:
    id: str
    secret: str | None
    account: accounts.Account | None = None


class Oidc:
    """The authorization server of one sandbox."""

    def __init__(
        self, *, store: tokens.TokenStore, settings: tokens.OAuthSettings, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._codes = authorization.Codes(clock=clock, settings=settings)
        self._signer = signing.Signer()
        self.base_url = ""

    def routes(self) -> list[web.RouteDef]:
        """The routes of this part; none wants a bearer token."""
        found = [web.get("/.well-known/databricks-config", self._host_metadata)]
        for base in ("/oidc", "/oidc/accounts/{account_id}"):
            found += [
                web.get(f"{base}/.well-known/oauth-authorization-server", self._discovery),
                web.get(f"{base}/.well-known/openid-configuration", self._discovery),
                web.get(f"{base}/jwks.json", self._keys),
                web.get(f"{base}/v1/authorize", self._authorize),
                web.post(f"{base}/v1/token", self._token),
                web.post(f"{base}/v1/revoke", self._revoke),
            ]
        return found

    async def _host_metadata(self, _request: web.Request) -> web.Response:
        metadata = {
            "oidc_endpoint": f"{self.base_url}/oidc",
            "account_id": ACCOUNT_ID,
            "workspace_id": WORKSPACE_ID,
            "cloud": "AWS",
        }
        return web.json_response(metadata)

    async def _discovery(self, request: web.Request) -> web.Response:
        issuer = self._issuer(request)
        return web.json_response(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/v1/authorize",
                "token_endpoint": f"{issuer}/v1/token",
                "revocation_endpoint": f"{issuer}/v1/revoke",
                "jwks_uri": f"{issuer}/jwks.json",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
                "code_challenge_methods_supported": ["S256"],
                "scopes_supported": list(self._settings.allowed_scopes),
                "token_endpoint_auth_methods_supported": [
                    "client_secret_basic",
                    "client_secret_post",
                    "none",
                ],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "claims_supported": ["iss", "sub", "aud", "iat", "exp", "name", "email", "nonce"],
            }
        )

    async def _keys(self, _request: web.Request) -> web.Response:
        return web.json_response(self._signer.key_set())

    async def _authorize(self, request: web.Request) -> web.Response:
        self._issuer(request)
        query = dict(request.query)
        try:
            asked = authorization.read(query, settings=self._settings)
            who = _signed_in(query)
        except errors.OAuthError as error:
            page = signin_page.refusal(error.error, error.description)
            return web.Response(status=400, text=page, content_type="text/html")
        except authorization.RedirectError as error:
            raise web.HTTPFound(error.location) from error
        if "deny" in query:
            raise web.HTTPFound(
                asked.answer(error="access_denied", error_description="The user denied access")
            )
        if who is None:
            page = signin_page.choose_person(query, scopes=asked.scopes)
            return web.Response(text=page, content_type="text/html")
        raise web.HTTPFound(asked.answer(code=self._codes.issue(asked, who)))

    async def _token(self, request: web.Request) -> web.Response:
        form = await _form(request)
        client = self._client(request, form)
        issuer = self._issuer(request)
        match form.get("grant_type"):
            case "authorization_code":
                body = self._exchange(form, client, issuer)
            case "refresh_token":
                body = self._refresh(form, client, issuer)
            case "client_credentials":
                body = self._machine(form, client, issuer)
            case other:
                raise errors.OAuthError(
                    "unsupported_grant_type", f"The grant type {other!r} is not supported."
                )
        return web.json_response(body, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})

    async def _revoke(self, request: web.Request) -> web.Response:
        form = await _form(request)
        self._client(request, form)
        self._store.revoke(form.get("token", ""))
        return web.json_response({})

    def _exchange(self, form: Mapping[str, str], client: _Client, issuer: str) -> parts.JsonObject:
        grant = self._codes.redeem(
            form.get("code", ""),
            client_id=client.id,
            redirect_uri=form.get("redirect_uri", ""),
            verifier=form.get("code_verifier"),
        )
        scopes = grant.request.scopes
        access_token = self._access_token(grant.account, scopes, client, issuer)
        issued = self._store.issue(
            account=grant.account, scopes=scopes, client_id=client.id, access_token=access_token
        )
        return self._answer(issued, client=client, issuer=issuer, nonce=grant.request.nonce)

    def _refresh(self, form: Mapping[str, str], client: _Client, issuer: str) -> parts.JsonObject:
        spent = self._store.refreshable(form.get("refresh_token", ""), client_id=client.id)
        scopes = _narrowed(form.get("scope"), granted=spent.scopes)
        access_token = self._access_token(spent.account, scopes, client, issuer)
        issued = self._store.renew(spent, scopes=scopes, access_token=access_token)
        return self._answer(issued, client=client, issuer=issuer)

    def _machine(self, form: Mapping[str, str], client: _Client, issuer: str) -> parts.JsonObject:
        if client.account is None:
            raise errors.OAuthError("unauthorized_client", "This client may not use client_credentials.")
        scopes = _narrowed(form.get("scope"), granted=("all-apis",))
        access_token = self._access_token(client.account, scopes, client, issuer)
        issued = self._store.issue(
            account=client.account, scopes=scopes, client_id=client.id, access_token=access_token
        )
        return self._answer(issued, client=client, issuer=issuer)

    def _answer(
        self, issued: tokens.Issued, *, client: _Client, issuer: str, nonce: str | None = None
    ) -> parts.JsonObject:
        access = issued.access
        body: parts.JsonObject = {
            "access_token": access.token,
            "token_type": "Bearer",
            "expires_in": int(self._settings.access_token_seconds),
            "scope": " ".join(access.scopes),
        }
        if issued.refresh is not None:
            body["refresh_token"] = issued.refresh.token
        if "openid" in access.scopes:
            claims = {"email": access.account.user_name, "name": access.account.display_name}
            extra = {"nonce": nonce} if nonce else {}
            body["id_token"] = self._signed(access.account, issuer, client, claims | extra)
        return body

    def _access_token(
        self, account: accounts.Account, scopes: tuple[str, ...], client: _Client, issuer: str
    ) -> str:
        claims = {"client_id": client.id, "scope": " ".join(scopes), "jti": secrets.token_hex(8)}
        return self._signed(account, issuer, client, claims)

    def _signed(
        self, account: accounts.Account, issuer: str, client: _Client, claims: Mapping[str, str]
    ) -> str:
        now = int(self._clock())
        lifetime = int(self._settings.access_token_seconds)
        times = {"iat": now, "exp": now + lifetime}
        return self._signer.sign(
            {"iss": issuer, "sub": account.user_name, "aud": client.id, **times, **claims}
        )

    def _client(self, request: web.Request, form: Mapping[str, str]) -> _Client:
        """The client that sent this, by Basic authentication or by fields of the form (RFC 6749, section 2.3)."""
        client_id, secret = _basic(request) or (form.get("client_id"), form.get("client_secret") or None)
        for client in self._clients():
            if client.id == client_id and client.secret == secret:
                return client
        raise errors.OAuthError("invalid_client", "Client authentication failed", status=401)

    def _clients(self) -> tuple[_Client, ...]:
        secret = None if self._settings.public_client else authorization.CLIENT_SECRET
        machine = accounts.SERVICE_PRINCIPAL
        return (
            _Client(id=authorization.CLIENT_ID, secret=secret),
            _Client(id=machine.user_name, secret=SERVICE_PRINCIPAL_SECRET, account=machine),
        )

    def _issuer(self, request: web.Request) -> str:
        account_id = request.match_info.get("account_id")
        if account_id is None:
            return f"{self.base_url}/oidc"
        if account_id != ACCOUNT_ID:
            raise errors.not_found(f"Account {account_id} does not exist.")
        return f"{self.base_url}/oidc/accounts/{account_id}"


def _signed_in(query: Mapping[str, str]) -> accounts.Account | None:
    name = query.get("login_as")
    if name is None:
        return None
    for account in accounts.PEOPLE:
        if name in {account.name, account.user_name}:
            return account
    raise errors.OAuthError("access_denied", f"{name} has no account in this workspace.")


def _narrowed(scope: str | None, *, granted: tuple[str, ...]) -> tuple[str, ...]:
    if not scope:
        return granted
    wanted = tuple(dict.fromkeys(scope.split()))
    if not set(wanted) <= set(granted):
        raise errors.OAuthError("invalid_scope", "The requested scope exceeds the scope that was granted.")
    return wanted


async def _form(request: web.Request) -> dict[str, str]:
    return {key: str(value) for key, value in (await request.post()).items()}


def _basic(request: web.Request) -> tuple[str, str] | None:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote(client_id), unquote(secret)
