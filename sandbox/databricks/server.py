"""The Databricks workspace of the sandbox: one HTTP server that answers what the bot and its tests ask.

This module owns the parts and what every request passes through: the log, the faults, the bearer token. What a path
means is in the part's own module.
"""

import asyncio
import collections
import datetime
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl

from aiohttp import web

from sandbox.databricks import (
    errors,
    faults,
    lakebase,
    oidc,
    parts,
    results,
    scim,
    serving,
    statement_routes,
    tokens,
)
from sandbox.databricks.statements import Statement, Statements
from sandbox.databricks.warehouses import Warehouse, Warehouses

#: Paths that want a bearer token.
_GUARDED = ("/api/", "/serving-endpoints/", "/ai-gateway/")
_MAX_BODY_BYTES = 64 * 1024 * 1024

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it came in; ``user`` is the user name behind the bearer token, even if that has expired."""

    method: str
    path: str
    query: dict[str, str]
    #: Event loop time in seconds.
    at: float
    token: str | None
    user: str | None
    #: Parsed JSON, form fields as a dict, or the text.
    body: object


class DatabricksSandbox:
    """A workspace on loopback; ``async with DatabricksSandbox() as workspace`` starts and stops it.

    ``today`` freezes the day of the sample data and of ``current_date()``; without it both follow the clock (UTC).
    """

    def __init__(
        self, *, today: datetime.date | None = None, oauth: tokens.OAuthSettings | None = None
    ) -> None:
        self.requests: collections.deque[Request] = collections.deque(maxlen=10_000)
        self.faults = faults.Faults()
        self.oauth = oauth or tokens.OAuthSettings()
        self.tokens = tokens.TokenStore(clock=time.time, settings=self.oauth)
        self._today = today
        self._warehouses = Warehouses()
        self._statements = Statements(warehouses=self._warehouses, clock=self._now)
        self.results = results.Results()
        self.lakebase = lakebase.Lakebase()
        self.serving = serving.Serving()
        self._oidc = oidc.Oidc(store=self.tokens, settings=self.oauth, clock=time.time)
        self._runner: web.AppRunner | None = None
        self._url = ""

    @property
    def url(self) -> str:
        """DATABRICKS_HOST."""
        return self._url

    @property
    def model_url(self) -> str | None:
        """Where requests to the model go on to; set it at any time. None: no model is served."""
        return self.serving.model_url

    @model_url.setter
    def model_url(self, url: str | None) -> None:
        self.serving.model_url = url

    @property
    def default_warehouse_id(self) -> str | None:
        """The workspace's default warehouse, a setting; None at first."""
        return self._warehouses.default_id

    @default_warehouse_id.setter
    def default_warehouse_id(self, warehouse_id: str | None) -> None:
        self._warehouses.default_id = warehouse_id

    @property
    def warehouse_overrides(self) -> dict[str, str]:
        """Each user's own default warehouse, by user name."""
        return self._warehouses.overrides

    @property
    def warehouses(self) -> dict[str, Warehouse]:
        """Every warehouse by id."""
        return self._warehouses.all

    @property
    def statements(self) -> list[Statement]:
        """Every statement, oldest first."""
        return list(self._statements.all.values())

    @property
    def inline_bytes(self) -> int:
        """Result size over which an INLINE statement fails; a test may lower it."""
        return self._statements.inline_bytes

    @inline_bytes.setter
    def inline_bytes(self, size: int) -> None:
        self._statements.inline_bytes = size

    @property
    def refreshes(self) -> list[tuple[str, str]]:
        """(user name, refresh token) of each successful refresh, oldest first."""
        return self.tokens.refreshes

    def add_warehouse(
        self,
        name: str,
        *,
        id: str | None = None,
        state: str = "RUNNING",
        serverless: bool = True,
        denied: frozenset[str] = frozenset(),
        start_seconds: float = 0.5,
    ) -> Warehouse:
        """One more warehouse; ``denied`` are user names that may not use it."""
        return self._warehouses.add(
            Warehouse(
                id=id or uuid.uuid4().hex[:16],
                name=name,
                state=state,
                serverless=serverless,
                denied=denied,
                start_seconds=start_seconds,
            )
        )

    def expire_access_tokens(self) -> None:
        """Every OAuth access token given out so far is refused from now on."""
        self.tokens.expire_access_tokens()

    def revoke_refresh_tokens(self, user: str) -> None:
        """Kill the refresh tokens of a user, named by short name, e-mail or id."""
        self.tokens.revoke_refresh_tokens(user)

    async def start(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Make the data and listen; ``port`` 0 takes a free one."""
        await self._statements.start()
        await self.serving.start()
        application = web.Application(
            client_max_size=_MAX_BODY_BYTES, middlewares=[self._observed, self._answered, self._guarded]
        )
        application.add_routes(self._routes())
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self._url = f"http://{host}:{self._runner.addresses[0][1]}"
        self._warehouses.base_url = self.results.base_url = self._oidc.base_url = self._url

    async def stop(self) -> None:
        """Stop listening, cancel what runs, forget the data."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        await self.serving.stop()
        self._warehouses.stop_all()
        await self._statements.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _routes(self) -> list[web.RouteDef]:
        statement_part = statement_routes.StatementRoutes(statements=self._statements, results=self.results)
        return [
            *scim.routes(),
            *self._warehouses.routes(),
            *statement_part.routes(),
            *self.results.routes(),
            *self._oidc.routes(),
            *self.serving.routes(),
            *self.lakebase.routes(),
        ]

    def _now(self) -> datetime.datetime:
        now = datetime.datetime.now(datetime.UTC)
        return now if self._today is None else datetime.datetime.combine(self._today, now.timetz())

    @web.middleware
    async def _observed(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Write the request down, then let the faults have it."""
        token = _bearer(request)
        self.requests.append(
            Request(
                method=request.method,
                path=request.path,
                query=dict(request.query),
                at=asyncio.get_running_loop().time(),
                token=token,
                user=self.tokens.owner(token),
                body=_parsed(await request.read(), request.content_type),
            )
        )
        await self.faults.delay(request.path)
        return self.faults.failure(request.path) or await handler(request)

    @web.middleware
    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn refusals into the bodies that the real services send."""
        try:
            return await handler(request)
        except errors.ApiError as error:
            body = {"error_code": error.code, "message": error.message}
            return web.json_response(body, status=error.status)
        except errors.OAuthError as error:
            oauth_body = {"error": error.error, "error_description": error.description}
            return web.json_response(oauth_body, status=error.status)
        except web.HTTPNotFound:
            message = f"No API found for '{request.method} {request.path.removeprefix('/api')}'"
            return web.json_response({"error_code": "ENDPOINT_NOT_FOUND", "message": message}, status=404)

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Find the caller of an API path."""
        if request.path.startswith(_GUARDED):
            token = _bearer(request)
            if token is None:
                raise errors.ApiError(
                    401, 401, "Credential was not sent or was of an unsupported type for this API."
                )
            request[parts.ACCOUNT] = self.tokens.account_of(token)
        return await handler(request)


def _bearer(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _parsed(content: bytes, content_type: str) -> object:
    text = content.decode(errors="replace")
    if content_type == "application/x-www-form-urlencoded":
        return dict(parse_qsl(text))
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
