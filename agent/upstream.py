"""Where the model is and whose credential opens it: Anthropic's key, or a Databricks token put on for each request."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from agent import model_proxy
from agent.databricks import errors, identities, oauth

EARLY = timedelta(minutes=5)  # before its end a token is replaced


@dataclass(frozen=True, kw_only=True)
class AnthropicUpstream:
    """Anthropic's own API, or whatever stands in for it at ``base_url``."""

    base_url: str
    api_key: str = field(repr=False)

    async def credentials(self, caller: model_proxy.Caller) -> Mapping[str, str]:
        """The service's key, whoever calls."""
        return {"x-api-key": self.api_key}


@dataclass(frozen=True, kw_only=True)
class DatabricksUpstream:
    """Claude through Databricks model serving; the token is asked for anew with every request, so it never expires.

    Databricks documents a bearer token for this path (docs.databricks.com, foundation model APIs).
    """

    base_url: str
    token: Callable[[model_proxy.Caller], Awaitable[str]]

    async def credentials(self, caller: model_proxy.Caller) -> Mapping[str, str]:
        """The bearer token of the sender or of the service."""
        return {"authorization": f"Bearer {await self.token(caller)}"}


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
