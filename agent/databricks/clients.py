"""One isolated ``WorkspaceClient`` per identity.

The SDK's ``Config`` takes every ``DATABRICKS_*`` and ``ARM_*`` variable, profile and metadata service it can find for
whatever it was not given, so inside a Databricks App a client with a missing token quietly becomes the service. Here
that discovery is switched off, the only credential is a token asked for on each request, and no token means no
request. The names overridden are private to the SDK: its minor version is pinned, and a test with every hostile
variable set asserts whose token is on the wire.

Two habits of the SDK are mended below it, in the transport: it repeats POST requests whose connection broke, which
can run things twice; and it knows nothing of a token that Databricks stopped accepting before its time.
"""

import re
from importlib import metadata
from typing import Protocol

import requests
from databricks.sdk import WorkspaceClient, core
from databricks.sdk.credentials_provider import CredentialsProvider, CredentialsStrategy
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, NewConnectionError

from agent.databricks import errors

HTTP_TIMEOUT = 60.0  # seconds for one request
RETRY_TIMEOUT = 60  # seconds that the SDK may spend on repeating one call
CONNECTIONS = 8  # per client
VERSION = metadata.version("bricklayer")

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
# A dead token is often answered 403 instead of 401; a missing permission is a 403 too and must not cost a refresh.
_DEAD_TOKEN = re.compile(
    r"invalid (?:access )?token|token (?:is |has )?(?:expired|invalid|revoked)", re.IGNORECASE
)

# A subclass that is asked first would cache an empty list of attributes for good.
core.Config.attributes()


class TokenSource(Protocol):
    """Where a client's token comes from. Called in worker threads, never on the event loop."""

    def token(self) -> str:
        """A token that lives; raises ``SignInNeededError`` or ``OAuthUnavailableError``."""
        ...

    def renew(self, refused: str) -> str:
        """The token to use instead of one that Databricks has just refused; the same one when there is no other."""
        ...


class FixedToken:
    """A token that cannot be renewed: a personal access token, or one that was issued a moment ago."""

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        return self._token

    def renew(self, refused: str) -> str:
        return self._token


class _IsolatedConfig(core.Config):
    """A configuration that is what it was given, and nothing more."""

    def _load_from_env(self) -> None:
        """No variable of this process speaks for a person."""

    def _known_file_config_loader(self) -> None:
        """No profile either."""

    def _resolve_host_metadata(self) -> None:
        """Saves a request per client; nothing in the answer is needed here."""


class _TokenStrategy(CredentialsStrategy):
    """Puts the source's present token on each request."""

    def __init__(self, tokens: TokenSource) -> None:
        self._tokens = tokens

    def auth_type(self) -> str:
        return "bricklayer"

    def __call__(self, cfg: core.Config) -> CredentialsProvider:
        return self._headers

    def _headers(self) -> dict[str, str]:
        return {"Authorization": bearer(self._tokens.token())}


class _Transport(HTTPAdapter):
    """Sends a request once, twice only where Databricks refused the first for its token."""

    def __init__(self, tokens: TokenSource) -> None:
        super().__init__(pool_connections=2, pool_maxsize=CONNECTIONS, pool_block=True)
        self._tokens = tokens

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: dict[str, str] | None = None,
    ) -> requests.Response:
        def once() -> requests.Response:
            return super(_Transport, self).send(request, stream, timeout, verify, cert, proxies)

        try:
            response = once()
            return once() if self._has_new_token(request, response) else response
        except (requests.ConnectionError, requests.Timeout) as error:
            if request.method in _REPEATABLE or _never_sent(error):
                raise
            raise errors.OutcomeUnknownError from error

    def _has_new_token(self, request: requests.PreparedRequest, response: requests.Response) -> bool:
        # Only a 403 has to be read to know.
        text = response.text if response.status_code == 403 else ""
        if not token_was_refused(response.status_code, text) or not isinstance(
            request.body, str | bytes | None
        ):
            return False
        refused = str(request.headers.get("Authorization", "")).removeprefix("Bearer ")
        if not refused:
            # A redirect to another host takes the header off; a new token must not follow it there.
            return False
        fresh = self._tokens.renew(refused)
        request.headers["Authorization"] = bearer(fresh)
        return fresh != refused


def bearer(token: str | None) -> str:
    """The header's value; an empty token raises ``SignInNeededError`` instead of asking as nobody."""
    if not token:
        raise errors.SignInNeededError
    return f"Bearer {token}"


def workspace_client(*, host: str, tokens: TokenSource) -> WorkspaceClient:
    """A client that acts with these tokens only. Makes no request; its calls block and belong in a ``CallPool``."""
    config = _IsolatedConfig(
        host=host,
        credentials_strategy=_TokenStrategy(tokens),
        product="bricklayer",
        product_version=VERSION,
        http_timeout_seconds=HTTP_TIMEOUT,
        retry_timeout_seconds=RETRY_TIMEOUT,
    )
    client = WorkspaceClient(config=config)
    session = client.api_client._api_client._session
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Transport(tokens))
    return client


def token_was_refused(status: int, text: str) -> bool:
    """Whether an answer of Databricks says that the token itself is no longer good."""
    match status:
        case 401:
            return True
        case 403:
            return _DEAD_TOKEN.search(text[:2000]) is not None
        case _:
            return False


def _never_sent(error: requests.RequestException) -> bool:
    """No connection was made, so nothing can have happened at the other end."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
