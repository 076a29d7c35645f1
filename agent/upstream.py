"""Where the model is and whose credential opens it: Anthropic's key, or a Databricks token put on for each request."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from agent import model_proxy
from agent.databricks import clients, errors, identities, oauth

EARLY = timedelta(minutes=5)  # before its end a token is replaced


@dataclass(frozen=True, kw_only=True)
class AnthropicUpstream:
    """Anthropic's own API, or whatever stands in for it at ``base_url``."""

    base_url: str
    api_key: str = field(repr=False)

    async def credentials(self, caller: model_proxy.Caller) -> Mapping[str, str]:
        """The service's key, whoever calls."""
        return {"x-api-key": self.api_key}

    async def instead(
        self, caller: model_proxy.Caller, refused: Mapping[str, str], *, status: int, body: bytes
    ) -> Mapping[str, str] | None:
        """There is no other key."""
        return None


class Tokens(Protocol):
    """Where bearer tokens come from."""

    async def __call__(self, caller: model_proxy.Caller) -> str:
        """A living token for this caller."""

    async def renewed(self, caller: model_proxy.Caller, *, refused: str) -> str:
        """The token to use instead of one that was refused before its time; the same one when there is no other."""


@dataclass(frozen=True, kw_only=True)
class DatabricksUpstream:
    """Claude through Databricks model serving; the token is asked for anew with every request, so it never expires.

    Databricks documents a bearer token for this path (docs.databricks.com, foundation model APIs).
    """

    base_url: str
    token: Tokens

    async def credentials(self, caller: model_proxy.Caller) -> Mapping[str, str]:
        """The bearer token of the sender or of the service."""
        return {"authorization": clients.bearer(await self.token(caller))}

    async def instead(
        self, caller: model_proxy.Caller, refused: Mapping[str, str], *, status: int, body: bytes
    ) -> Mapping[str, str] | None:
        """A new token where Databricks stopped accepting the old one before its time."""
        if not clients.token_was_refused(status, _text(body)):
            return None
        token = refused["authorization"].removeprefix("Bearer ")
        fresh = await self.token.renewed(caller, refused=token)
        return {"authorization": clients.bearer(fresh)} if fresh != token else None


class SenderTokens:
    """The model is used, and paid for, as the person who wrote the message."""

    def __init__(self, service: identities.IdentityService) -> None:
        self._service = service

    async def __call__(self, caller: model_proxy.Caller) -> str:
        """A living token of the sender; raises SignInNeededError without one."""
        identity = await self._service.identity_for(caller.team_id, caller.sender_id)
        if identity is None:
            raise errors.SignInNeededError
        if identity.shared:
            return identity.tokens.token()
        return await self._service.token(caller.team_id, caller.sender_id)

    async def renewed(self, caller: model_proxy.Caller, *, refused: str) -> str:
        """Another token of the sender; a shared one has no successor."""
        identity = await self._service.identity_for(caller.team_id, caller.sender_id)
        if identity is not None and identity.shared:
            return refused
        return await self._service.renewed(caller.team_id, caller.sender_id, refused=refused)


class ServiceTokens:
    """The model is used as the service principal that Bricklayer runs as; never anything else of it."""

    def __init__(self, client: oauth.OAuthClient) -> None:
        self._client = client
        self._grant: oauth.Grant | None = None

    async def __call__(self, caller: model_proxy.Caller) -> str:
        """A living token of the service, fetched again shortly before it ends."""
        if self._grant is None or self._grant.expires_at - oauth.utc_now() < EARLY:
            self._grant = await self._client.client_credentials()
        return self._grant.access_token

    async def renewed(self, caller: model_proxy.Caller, *, refused: str) -> str:
        """Another token of the service."""
        if self._grant is not None and self._grant.access_token == refused:
            self._grant = None
        return await self(caller)


def _text(body: bytes) -> str:
    """An answer's body as text; bodies pass through the proxy as they came, which may be compressed."""
    is_packed = body.startswith(b"\x1f\x8b")
    return (gzip.decompress(body) if is_packed else body).decode(errors="replace")
