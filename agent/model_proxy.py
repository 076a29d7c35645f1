"""The only way from an agent's process to the model.

The CLI holds a key that means something here alone: it opens while a turn of its session runs and nowhere else. The
proxy puts the real credential on, passes headers and bodies on untouched, streams the answer back, and counts. It
serves the Messages API and nothing else: the agent may hold the key itself, and the real credential may open more
(a Databricks token opens the whole workspace). It listens on loopback for confined CLIs and on a Unix socket for
those in a jail without a network.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

import aiohttp
import prometheus_client
import structlog
import yarl
from aiohttp import web

from agent import errors
from agent.databricks import errors as databricks_errors
from storage import errors as storage_errors

log = structlog.get_logger(__name__)

KEY_PREFIX = "sk-brick-"
# The Messages API as the CLI uses it (docs.claude.com/en/api); also all that Databricks serves of it.
ROUTES = (("POST", "/v1/messages"), ("POST", "/v1/messages/count_tokens"), ("GET", "/v1/models"))
MAX_REQUEST_BYTES = 64 * 1024 * 1024
CONNECT_TIMEOUT = 10.0  # seconds
# The model may think for minutes before its first byte and between two of them; the CLI has its own, shorter bounds.
SILENCE_TIMEOUT = 600.0  # seconds
HOP_BY_HOP = frozenset(
    "connection keep-alive proxy-authenticate proxy-authorization te trailers transfer-encoding upgrade host "
    "content-length".split()
)
REFUSALS = frozenset((401, 403))
CREDENTIAL_HEADERS = frozenset(("x-api-key", "authorization"))
# What time may mend, so that the CLI asks again.
UNREACHABLE = (
    aiohttp.ClientError,
    TimeoutError,
    databricks_errors.OAuthUnavailableError,
    storage_errors.DatabaseUnavailableError,
)

REQUESTS = prometheus_client.Counter("bricklayer_model_requests", "Requests to the model.", ["status"])
REQUEST_BYTES = prometheus_client.Histogram(
    "bricklayer_model_request_bytes", "Size of requests to the model.", buckets=[2**n for n in range(12, 26)]
)
FIRST_BYTE = prometheus_client.Histogram(
    "bricklayer_model_first_byte_seconds", "Time from a request until the model's first byte."
)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """On whose behalf a request is made: the turn that is running in the session that asks."""

    turn_id: UUID
    team_id: str
    sender_id: str


class Upstream(Protocol):
    """Where the model really is, and what opens it."""

    @property
    def base_url(self) -> str:
        """Address to which the request's path is appended."""

    async def credentials(self, caller: Caller) -> Mapping[str, str]:
        """The header that opens it for this caller, fresh enough for one request; raises an AgentError if none."""

    async def instead(
        self, caller: Caller, refused: Mapping[str, str], *, status: int, body: bytes
    ) -> Mapping[str, str] | None:
        """Another header after this one was answered with 401 or 403; ``None`` when that answer stands."""


class SessionKey:
    """A session's key to the proxy; it opens only between ``admit`` and ``dismiss``."""

    def __init__(self) -> None:
        self.value = KEY_PREFIX + secrets.token_urlsafe(32)
        self.caller: Caller | None = None

    def admit(self, caller: Caller) -> None:
        """Requests with this key are this caller's from now on."""
        self.caller = caller

    def dismiss(self) -> None:
        """Requests with this key are refused from now on."""
        self.caller = None


class ModelProxy:
    """An aiohttp server on a free loopback port and on a Unix socket."""

    def __init__(self, *, upstream: Upstream, socket: Path) -> None:
        self._upstream = upstream
        self._keys: dict[str, SessionKey] = {}
        self._client: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self.socket = socket
        self.url = ""

    async def start(self) -> None:
        """Listen; afterwards ``url`` is the loopback address."""
        app = web.Application(client_max_size=MAX_REQUEST_BYTES)
        for method, path in ROUTES:
            app.router.add_route(method, path, self._forward)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=SILENCE_TIMEOUT)
        self._client = aiohttp.ClientSession(timeout=timeout, auto_decompress=False)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0)
        await self._runner.setup()
        await asyncio.to_thread(self.socket.unlink, missing_ok=True)
        await web.UnixSite(self._runner, str(self.socket)).start()
        await asyncio.to_thread(self.socket.chmod, 0o600)
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[-1][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Refuse everything and let go of both addresses."""
        self._keys.clear()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._client is not None:
            await self._client.close()

    def issue_key(self) -> SessionKey:
        """A new key, shut until somebody is admitted."""
        key = SessionKey()
        self._keys[key.value] = key
        return key

    def revoke_key(self, key: SessionKey) -> None:
        """Forget a key for good."""
        self._keys.pop(key.value, None)

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        key = self._keys.get(_presented_key(request))
        caller = key.caller if key else None
        if caller is None:
            return _error(403, "permission_error", "This key opens nothing now.")
        try:
            return await self._relay(request, caller)
        except UNREACHABLE as error:
            log.warning("model not reached", turn=str(caller.turn_id), error=type(error).__name__)
            REQUESTS.labels(status="unreachable").inc()
            return _error(529, "overloaded_error", "The model's service cannot be reached.")
        except errors.AgentError as error:
            REQUESTS.labels(status="refused").inc()
            return _error(403, "permission_error", str(error))

    async def _relay(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Ask, and once more where the credential was refused and there is a newer one."""
        body = await request.read()
        REQUEST_BYTES.observe(len(body))
        credentials = await self._upstream.credentials(caller)
        async with self._ask(request, credentials, body) as answer:
            if answer.status not in REFUSALS:
                return await _pass_on(answer, request)
            refusal = await answer.read()
            fresh = await self._upstream.instead(caller, credentials, status=answer.status, body=refusal)
            if fresh is None:
                REQUESTS.labels(status=str(answer.status)).inc()
                return web.Response(status=answer.status, headers=_passed_on(answer.headers), body=refusal)
        async with self._ask(request, fresh, body) as answer:
            return await _pass_on(answer, request)

    @contextlib.asynccontextmanager
    async def _ask(
        self, request: web.Request, credentials: Mapping[str, str], body: bytes
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        assert self._client is not None
        started = time.monotonic()
        # Put together from the route's own path: what a client wrote as its target must not choose another host.
        target = self._upstream.base_url.rstrip("/") + request.path
        query = f"?{request.rel_url.raw_query_string}" if request.rel_url.raw_query_string else ""
        url = yarl.URL(target + query, encoded=True)
        headers = _passed_on(request.headers) | dict(credentials)
        async with self._client.request(
            request.method, url, headers=headers, data=body, allow_redirects=False
        ) as answer:
            FIRST_BYTE.observe(time.monotonic() - started)
            yield answer


async def _pass_on(answer: aiohttp.ClientResponse, request: web.Request) -> web.StreamResponse:
    """Stream the answer back as it comes; one that breaks in the middle breaks off here too."""
    REQUESTS.labels(status=str(answer.status)).inc()
    response = web.StreamResponse(status=answer.status, headers=_passed_on(answer.headers))
    await response.prepare(request)
    try:
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
        await response.write_eof()
    except (aiohttp.ClientError, TimeoutError) as error:
        log.info("answer of the model broken off", error=type(error).__name__)
        response.force_close()
        if request.transport is not None:
            request.transport.abort()
    return response


def _presented_key(request: web.Request) -> str:
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return request.headers.get("x-api-key") or bearer


def _passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    dropped = HOP_BY_HOP | CREDENTIAL_HEADERS
    return {name: value for name, value in headers.items() if name.lower() not in dropped}


def _error(status: int, kind: str, message: str) -> web.Response:
    return web.json_response({"type": "error", "error": {"type": kind, "message": message}}, status=status)
