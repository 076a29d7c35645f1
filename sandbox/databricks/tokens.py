"""Bearer tokens and refresh chains: who a token belongs to, until when, and what a refresh does to the one before.

A sign-in starts a chain. Each refresh spends the chain's refresh token and, with single-use tokens, gives the next
one; a spent token that comes back means that somebody copied it, so the whole chain dies
(docs.databricks.com/aws/en/integrations/single-use-tokens). Access tokens live on until they expire.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from sandbox.databricks import accounts, errors

PERSONAL_TOKENS = {f"dapi-{account.name}": account for account in (*accounts.PEOPLE, accounts.SHARED)}


@dataclass(kw_only=True)
class OAuthSettings:
    """What an account admin could set, and what a test may vary between two requests."""

    #: Lifetime of an access token in seconds; the real default is an hour.
    access_token_seconds: float = 3600
    #: Lifetime of a refresh token in seconds; the real default is seven days.
    refresh_token_seconds: float = 7 * 24 * 3600
    #: Lifetime of an authorization code in seconds.
    code_seconds: float = 60
    #: Each refresh returns a new refresh token and spends the old one; otherwise none is returned and the old one stays.
    single_use_refresh_tokens: bool = True
    #: How a dead refresh token is refused: both have been seen (github.com/databricks/cli/issues/667 and /709).
    dead_refresh_error: Literal["invalid_grant", "invalid_request"] = "invalid_grant"
    #: Scopes the app may be granted; more in a request is ``invalid_scope``.
    allowed_scopes: tuple[str, ...] = (
        "all-apis",
        "sql",
        "openid",
        "profile",
        "email",
        "offline_access",
    )
    #: The client has no secret and must use PKCE.
    public_client: bool = False
    #: Redirect URIs beyond every loopback address.
    redirect_uris: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class AccessToken:
    """An OAuth access token; times are of the store's clock."""

    token: str
    account: accounts.Account
    scopes: tuple[str, ...]
    expires_at: float
    chain: str


@dataclass(frozen=True, kw_only=True)
class RefreshToken:
    """A refresh token of a chain, bound to the client that got it."""

    token: str
    account: accounts.Account
    scopes: tuple[str, ...]
    expires_at: float
    chain: str
    client_id: str


@dataclass(frozen=True, kw_only=True)
class Issued:
    """What the token endpoint gives out at once."""

    access: AccessToken
    refresh: RefreshToken | None


class TokenStore:
    """Every token of one workspace."""

    def __init__(self, *, clock: Callable[[], float], settings: OAuthSettings) -> None:
        self._clock = clock
        self._settings = settings
        self._access: dict[str, AccessToken] = {}
        self._refresh: dict[str, RefreshToken] = {}
        self._spent: dict[str, str] = {}
        #: (user name, refresh token) of each successful refresh, oldest first.
        self.refreshes: list[tuple[str, str]] = []

    def account_of(self, bearer: str) -> accounts.Account:
        """Whose token this is; expired ones are a 403 (github.com/n8n-io/n8n/issues/34147), unknown ones a 401."""
        if personal := PERSONAL_TOKENS.get(bearer):
            return personal
        found = self._access.get(bearer)
        if found is None:
            raise errors.ApiError(401, 401, "Invalid access token: it is unknown to this workspace.")
        if found.expires_at <= self._clock():
            raise errors.ApiError(403, 403, "Invalid access token.")
        return found.account

    def owner(self, bearer: str | None) -> str | None:
        """The user name behind a token, expired or not, for the request log."""
        if bearer is None:
            return None
        if personal := PERSONAL_TOKENS.get(bearer):
            return personal.user_name
        found = self._access.get(bearer)
        return found.account.user_name if found else None

    def issue(
        self,
        *,
        account: accounts.Account,
        scopes: tuple[str, ...],
        client_id: str,
        access_token: str,
    ) -> Issued:
        """The first tokens of a new chain; a refresh token only with ``offline_access``."""
        chain = secrets.token_hex(8)
        access = self._grant_access(access_token, account=account, scopes=scopes, chain=chain)
        if "offline_access" not in scopes:
            return Issued(access=access, refresh=None)
        refresh = self._grant_refresh(account=account, scopes=scopes, chain=chain, client_id=client_id)
        return Issued(access=access, refresh=refresh)

    def refreshable(self, token: str, *, client_id: str) -> RefreshToken:
        """The refresh token if it may still be used by this client; a spent one kills its chain."""
        if chain := self._spent.get(token):
            self._kill(chain)
            raise self._dead()
        found = self._refresh.get(token)
        if found is None or found.client_id != client_id or found.expires_at <= self._clock():
            raise self._dead()
        return found

    def renew(self, spent: RefreshToken, *, scopes: tuple[str, ...], access_token: str) -> Issued:
        """Use a refresh token that ``refreshable`` has just approved."""
        self.refreshes.append((spent.account.user_name, spent.token))
        access = self._grant_access(access_token, account=spent.account, scopes=scopes, chain=spent.chain)
        if not self._settings.single_use_refresh_tokens:
            return Issued(access=access, refresh=None)
        self._spent[spent.token] = spent.chain
        del self._refresh[spent.token]
        refresh = self._grant_refresh(
            account=spent.account, scopes=spent.scopes, chain=spent.chain, client_id=spent.client_id
        )
        return Issued(access=access, refresh=refresh)

    def revoke(self, token: str) -> None:
        """Forget this token; a refresh token takes its whole chain along (RFC 7009)."""
        if refresh := self._refresh.get(token):
            self._kill(refresh.chain)
            self._access = {t: a for t, a in self._access.items() if a.chain != refresh.chain}
        self._access.pop(token, None)

    def expire_access_tokens(self) -> None:
        """Every OAuth access token given out so far is expired from now on."""
        now = self._clock()
        self._access = {token: replace(found, expires_at=now) for token, found in self._access.items()}

    def revoke_refresh_tokens(self, user: str) -> None:
        """Kill every chain of this user, as an admin or a password change would."""
        account = accounts.find(user)
        for refresh in list(self._refresh.values()):
            if refresh.account == account:
                self._kill(refresh.chain)

    def _grant_access(
        self, token: str, *, account: accounts.Account, scopes: tuple[str, ...], chain: str
    ) -> AccessToken:
        expires_at = self._clock() + self._settings.access_token_seconds
        granted = AccessToken(token=token, account=account, scopes=scopes, expires_at=expires_at, chain=chain)
        self._access[token] = granted
        return granted

    def _grant_refresh(
        self, *, account: accounts.Account, scopes: tuple[str, ...], chain: str, client_id: str
    ) -> RefreshToken:
        granted = RefreshToken(
            token=f"doau-{secrets.token_urlsafe(24)}",
            account=account,
            scopes=scopes,
            expires_at=self._clock() + self._settings.refresh_token_seconds,
            chain=chain,
            client_id=client_id,
        )
        self._refresh[granted.token] = granted
        return granted

    def _kill(self, chain: str) -> None:
        self._refresh = {token: r for token, r in self._refresh.items() if r.chain != chain}

    def _dead(self) -> errors.OAuthError:
        if self._settings.dead_refresh_error == "invalid_request":
            return errors.OAuthError("invalid_request", "Refresh token is invalid")
        return errors.OAuthError("invalid_grant", "The refresh token is invalid, expired or revoked.")
