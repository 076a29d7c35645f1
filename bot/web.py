"""Everything that browsers, probes and, in HTTP mode, Slack ask of us over HTTP.

``/healthz`` says that the process lives, ``/readyz`` that it can take work, ``/metrics`` what it counted. The sign-in
pages are in ``bot/sign_in_pages.py``.
"""

import asyncio
from collections.abc import Awaitable, Callable

import prometheus_client
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.app.async_app import AsyncApp

from bot import errors

Check = Callable[[], Awaitable[str | None]]

CHECK_TIMEOUT = 4.0  # seconds
MAX_BODY = 4 * 1024 * 1024


class Web:
    """The HTTP server; routes are added before ``start``."""

    def __init__(self, *, port: int) -> None:
        self._port = port
        self._checks: dict[str, Check] = {}
        self.app = web.Application(client_max_size=MAX_BODY)
        self.app.router.add_get("/healthz", _healthz)
        self.app.router.add_get("/readyz", self._readyz)
        self.app.router.add_get("/metrics", _metrics)
        self._runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=2.0)

    def add_check(self, name: str, check: Check) -> None:
        """``/readyz`` is green while every check returns ``None``; otherwise it shows the sentence returned."""
        self._checks[name] = check

    def add_slack(self, bolt: AsyncApp) -> None:
        """HTTP mode: events, commands and interactivity on one path."""

        async def events(request: web.Request) -> web.Response:
            response = await bolt.async_dispatch(await to_bolt_request(request))
            return await to_aiohttp_response(response)

        self.app.router.add_post("/slack/events", events)

    async def start(self) -> int:
        """Listen on all interfaces; returns the port."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, "0.0.0.0", self._port).start()
        except OSError as error:
            raise errors.StartError(
                f"PORT {self._port} cannot be used ({error.strerror}). Choose another."
            ) from error
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening; requests under way get two seconds."""
        await self._runner.cleanup()

    async def _readyz(self, request: web.Request) -> web.Response:
        found = await asyncio.gather(*(self._run(check) for check in self._checks.values()))
        states = dict(zip(self._checks, found, strict=True))
        ready = not any(states.values())
        body = {"ready": ready, "checks": {name: problem or "ok" for name, problem in states.items()}}
        return web.json_response(body, status=200 if ready else 503)

    async def _run(self, check: Check) -> str | None:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                return await check()
        except TimeoutError:
            return "no answer in time"


async def _healthz(request: web.Request) -> web.Response:
    return web.json_response({"alive": True})


async def _metrics(request: web.Request) -> web.Response:
    return web.Response(
        body=prometheus_client.generate_latest(),
        headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST},
    )
