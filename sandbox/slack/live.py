"""The page's WebSocket: every change that a person may see, as it happens."""

import asyncio
import json

from aiohttp import web

from sandbox.slack.core import Core
from sandbox.slack.values import Json

_HEARTBEAT_SECONDS = 20.0


class Live:
    """Serves ``/page/live?user=U``."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._sockets: set[web.WebSocketResponse] = set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One open page, until it closes."""
        user = request.query.get("user", "")
        if user not in self._core.state.people:
            return web.json_response({"ok": False, "error": "user_not_found"}, status=400)
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_SECONDS)
        await socket.prepare(request)
        self._sockets.add(socket)
        with self._core.state.changes.page(user) as changes:
            changes.put_nowait({"type": "bot", "connected": self._core.delivery.connected})
            feeding = asyncio.create_task(_feed(socket, changes), name=f"page of {user}")
            try:
                # A page says nothing; reading is how its leaving is noticed.
                async for _ in socket:
                    pass
            finally:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)
                self._sockets.discard(socket)
        return socket

    async def close(self) -> None:
        """Close every page's socket."""
        for socket in list(self._sockets):
            await socket.close(code=1001)


async def _feed(socket: web.WebSocketResponse, changes: asyncio.Queue[Json]) -> None:
    while True:
        await socket.send_str(json.dumps(await changes.get()))
