"""The first leg of a sign-in: what an authorize request asks for, and the code that it ends with.

A request that names no known client or a wrong redirect URI is refused on the spot; any other fault goes back to the
client's redirect URI as ``error`` (RFC 6749, section 4.1.2.1). Codes work once, for 60 s, for one client, one redirect
URI and one PKCE challenge (RFC 7636).
"""

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from sandbox.databricks import accounts, errors, tokens

CLIENT_ID = "bricklayer"
CLIENT_SECRET = "bricklayer-secret"

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class RedirectError(errors.SandboxError):
    """A fault that the client is told of through its redirect URI; ``location`` leads there."""

    def __init__(self, request: "Request", error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.location = request.answer(error=error, error_description=description)


@dataclass(frozen=True, kw_only=True)
class Request:
    """A checked authorize request."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    nonce: str | None
    challenge: str | None

    def answer(self, **parameters: str) -> str:
        """The redirect URI with these parameters and the state."""
        if self.state is not None:
            parameters["state"] = self.state
        parts = urlsplit(self.redirect_uri)
        query = "&".join(filter(None, (parts.query, urlencode(parameters))))
        return urlunsplit(parts._replace(query=query))


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a code stands for."""

    request: Request
    account: accounts.Account
    expires_at: float


def read(query: Mapping[str, str], *, settings: tokens.OAuthSettings) -> Request:
    """The request of this query; ``OAuthError`` or ``RedirectError`` when it is not acceptable."""
    if query.get("client_id") != CLIENT_ID:
        raise errors.OAuthError(
            "invalid_client", f"OAuth application with client_id {query.get('client_id')!r} not found"
        )
    redirect_uri = query.get("redirect_uri", "")
    if not _allowed(redirect_uri, settings):
        raise errors.OAuthError(
            "invalid_request", f"The redirect_uri {redirect_uri!r} is not registered for this application"
        )
    request = Request(
        client_id=CLIENT_ID,
        redirect_uri=redirect_uri,
        scopes=tuple(dict.fromkeys(query.get("scope", "all-apis").split())),
        state=query.get("state"),
        nonce=query.get("nonce"),
        challenge=query.get("code_challenge"),
    )
    _check(request, query, settings)
    return request


def _check(request: Request, query: Mapping[str, str], settings: tokens.OAuthSettings) -> None:
    if query.get("response_type") != "code":
        raise RedirectError(request, "unsupported_response_type", "Only response_type=code is supported")
    unknown = [scope for scope in request.scopes if scope not in settings.allowed_scopes]
    if unknown:
        raise RedirectError(request, "invalid_scope", f"Scopes not allowed: {' '.join(unknown)}")
    if request.challenge is not None and query.get("code_challenge_method", "plain") != "S256":
        raise RedirectError(request, "invalid_request", "code_challenge_method must be S256")
    if request.challenge is None and settings.public_client:
        raise RedirectError(request, "invalid_request", "Public clients must send a code_challenge")


def _allowed(redirect_uri: str, settings: tokens.OAuthSettings) -> bool:
    parts = urlsplit(redirect_uri)
    loopback = parts.scheme == "http" and parts.hostname in _LOOPBACK
    return (loopback and not parts.fragment) or redirect_uri in settings.redirect_uris


class Codes:
    """Authorization codes that wait to be exchanged."""

    def __init__(self, *, clock: Callable[[], float], settings: tokens.OAuthSettings) -> None:
        self._clock = clock
        self._settings = settings
        self._grants: dict[str, Grant] = {}

    def issue(self, request: Request, account: accounts.Account) -> str:
        """A new code for this person."""
        code = f"dcod{secrets.token_hex(16)}"
        expires_at = self._clock() + self._settings.code_seconds
        self._grants[code] = Grant(request=request, account=account, expires_at=expires_at)
        return code

    def redeem(self, code: str, *, client_id: str, redirect_uri: str, verifier: str | None) -> Grant:
        """What the code stands for; it is spent by asking, whatever the answer."""
        grant = self._grants.pop(code, None)
        if grant is None or grant.expires_at <= self._clock():
            raise errors.OAuthError(
                "invalid_grant", "The authorization code is invalid, expired or was used already."
            )
        if (grant.request.client_id, grant.request.redirect_uri) != (client_id, redirect_uri):
            raise errors.OAuthError(
                "invalid_grant", "The code was issued for another client or redirect_uri."
            )
        _check_verifier(grant.request.challenge, verifier)
        return grant


def _check_verifier(challenge: str | None, verifier: str | None) -> None:
    if challenge is None and verifier is None:
        return
    digest = hashlib.sha256((verifier or "").encode()).digest()
    expected = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if challenge is None or verifier is None or not secrets.compare_digest(challenge, expected):
        raise errors.OAuthError("invalid_grant", "The code_verifier does not match the code_challenge.")
