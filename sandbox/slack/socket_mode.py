"""Socket Mode: the WebSocket side of the app (docs.slack.dev/apis/events-api/using-socket-mode).

A URL from ``apps.connections.open`` opens one connection, once. Up to ten connections live side by side and each payload
goes to one of them; the acknowledgement may come back through any, because the SDK answers through its newest one.
"""

import asyncio
import itertools
import json
import secrets
import uuid
from dataclasses import dataclass, field

import structlog
from aiohttp import WSMsgType, web

from sandbox import people
from sandbox.slack import limits
from sandbox.slack.changes import Changes
from sandbox.slack.faults import Faults
from sandbox.slack.tasks import Tasks
from sandbox.slack.timing import Timing
from sandbox.slack.values import Answer, Envelope, Json

log = structlog.get_logger(__name__)

_HEARTBEAT_SECONDS = 20.0


@dataclass(eq=False, kw_only=True)
class Connection:
    """One open WebSocket of the app."""

    socket: web.WebSocketResponse
    request: web.Request
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    #: The acknowledgements awaited for what was sent here: cancelled when the socket goes first.
    owed: set[asyncio.Future[Json]] = field(default_factory=set)


class SocketHub:
    """All connections of the app, and the acknowledgements they still owe."""

    def __init__(self, *, timing: Timing, faults: Faults, tasks: Tasks, changes: Changes) -> None:
        self.connections: list[Connection] = []
        self._timing, self._faults, self._tasks, self._changes = timing, faults, tasks, changes
        self._tickets: set[str] = set()
        self._owed: dict[str, asyncio.Future[Json]] = {}
        self._turn = itertools.count()
        self._arrived = asyncio.Event()
        faults.attach(self)

    def ticket(self) -> str:
        """A new single-use ticket for one connection."""
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        return ticket

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One connection, from its opening to its end."""
        ticket = request.query.get("ticket", "")
        if self._faults.refuse_connections or ticket not in self._tickets:
            return web.Response(status=404, text="no such link")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_SECONDS, max_msg_size=16 * 1024 * 1024)
        await socket.prepare(request)
        connection = Connection(socket=socket, request=request)
        if len(self.connections) >= limits.SOCKET_CONNECTIONS:
            await self._goodbye(connection, "too_many_websockets")
            return socket
        await self._converse(connection)
        return socket

    async def _converse(self, connection: Connection) -> None:
        self._join(connection)
        try:
            await connection.socket.send_json(self._hello())
            async for message in connection.socket:
                if message.type is WSMsgType.TEXT:
                    self._acknowledge(message.data)
        except ConnectionError:
            log.info("a socket broke")
        finally:
            self._leave(connection)

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": {
                "host": "applink-sandbox",
                "build_number": 1,
                "approximate_connection_time": 18_060,
            },
            "connection_info": {"app_id": people.BOT.app_id},
        }

    def _join(self, connection: Connection) -> None:
        self.connections.append(connection)
        self._arrived.set()
        self._changes.publish({"type": "bot", "connected": True})

    def _leave(self, connection: Connection) -> None:
        connection.gone.set()
        for owed in connection.owed:
            owed.cancel()
        self.connections.remove(connection)
        if not self.connections:
            self._arrived.clear()
            self._changes.publish({"type": "bot", "connected": False})

    def _acknowledge(self, data: str) -> None:
        try:
            message = json.loads(data)
        except ValueError:
            log.warning("the app sent something that is not JSON")
            return
        owed = self._owed.get(message.get("envelope_id", ""))
        if owed is not None and not owed.done():
            payload = message.get("payload")
            owed.set_result(payload if isinstance(payload, dict) else {})

    async def wait_connected(self, *, within: float) -> bool:
        """Whether the app is connected, or connects ``within`` so many seconds."""
        try:
            async with asyncio.timeout(within):
                await self._arrived.wait()
        except TimeoutError:
            return False
        return True

    async def send(self, envelope: Envelope) -> Answer:
        """Give one payload to one connection and wait for its acknowledgement."""
        if not self.connections:
            return Answer(acked=False, error="dispatch_failed", reason="connection_failed")
        connection = self.connections[next(self._turn) % len(self.connections)]
        envelope_id = str(uuid.uuid4())
        self._owed[envelope_id] = asyncio.get_running_loop().create_future()
        try:
            await connection.socket.send_json(_frame(envelope, envelope_id))
            return await self._acknowledgement(envelope_id, connection)
        except ConnectionError:
            return Answer(acked=False, error="dispatch_failed", reason="connection_failed")
        finally:
            del self._owed[envelope_id]

    async def _acknowledgement(self, envelope_id: str, connection: Connection) -> Answer:
        owed = self._owed[envelope_id]
        connection.owed.add(owed)
        try:
            await asyncio.wait({owed}, timeout=self._timing.ack_seconds)
        finally:
            connection.owed.discard(owed)
        if owed.done() and not owed.cancelled():
            return Answer(acked=True, payload=owed.result())
        reason = "connection_failed" if owed.cancelled() else "timeout"
        return Answer(acked=False, error="operation_timeout", reason=reason)

    def drop(self) -> asyncio.Task[None]:
        """Break every connection without a closing handshake."""
        return self._tasks.spawn(self._drop_all(), name="drop sockets")

    async def _drop_all(self) -> None:
        for connection in list(self.connections):
            if connection.request.transport is not None:
                connection.request.transport.abort()
            await connection.gone.wait()

    def disconnect(self, reason: str) -> asyncio.Task[None]:
        """Send the ``disconnect`` message to every connection, and close those that must go."""
        return self._tasks.spawn(self._disconnect_all(reason), name=f"disconnect sockets: {reason}")

    async def _disconnect_all(self, reason: str) -> None:
        for connection in list(self.connections):
            await self._goodbye(connection, reason)

    async def _goodbye(self, connection: Connection, reason: str) -> None:
        message = {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-sandbox"}}
        try:
            await connection.socket.send_json(message)
            if reason != "warning":
                await connection.socket.close()
        except ConnectionError:
            log.info("a socket was gone before its goodbye")

    async def close(self) -> None:
        """Close every connection for good."""
        for connection in list(self.connections):
            await connection.socket.close(code=1001)


def _frame(envelope: Envelope, envelope_id: str) -> Json:
    frame: Json = {
        "envelope_id": envelope_id,
        "payload": envelope.payload,
        "type": envelope.type,
        "accepts_response_payload": envelope.accepts_response_payload,
    }
    if envelope.type == "events_api":
        frame |= {"retry_attempt": envelope.retry_attempt, "retry_reason": envelope.retry_reason}
    return frame
