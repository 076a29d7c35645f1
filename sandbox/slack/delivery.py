"""From Slack to the app, whichever way the app is connected.

Events are sent again until they are acknowledged or given up. Commands and interactions are sent once: a person waits
for them.
"""

import asyncio

import structlog

from sandbox.slack.faults import Faults
from sandbox.slack.http_mode import Poster
from sandbox.slack.socket_mode import SocketHub
from sandbox.slack.tasks import Tasks
from sandbox.slack.timing import Timing
from sandbox.slack.values import Answer, Envelope, Json

log = structlog.get_logger(__name__)


class Delivery:
    """Takes payloads to the app: to ``events_url`` when it is set, otherwise through Socket Mode."""

    def __init__(
        self, *, hub: SocketHub, poster: Poster, timing: Timing, faults: Faults, tasks: Tasks
    ) -> None:
        self.events_url: str | None = None
        self._hub, self._poster, self._timing, self._faults, self._tasks = hub, poster, timing, faults, tasks

    @property
    def connected(self) -> bool:
        """Whether the app can hear now."""
        return self.events_url is not None or bool(self._hub.connections)

    def ticket(self) -> str:
        """A new single-use ticket for a Socket Mode connection."""
        return self._hub.ticket()

    def event(self, payload: Json) -> None:
        """Deliver an event in the background, as often as it takes."""
        copies = 2 if self._faults.duplicate_events else 1
        for _ in range(copies):
            self._tasks.spawn(self._deliver(payload), name=f"deliver {payload['event_id']}")

    async def ask(self, type_: str, payload: Json, *, wants_payload: bool) -> Answer:
        """Deliver a command or an interaction, once, and return what the app answers."""
        envelope = Envelope(type=type_, payload=payload, accepts_response_payload=wants_payload)
        return await self._send(envelope)

    async def _deliver(self, payload: Json) -> None:
        reason = ""
        for attempt, pause in enumerate((0.0, *self._timing.retry_delays)):
            if pause:
                await asyncio.sleep(pause)
            if not await self._reachable():
                break
            envelope = Envelope(
                type="events_api", payload=payload, retry_attempt=attempt, retry_reason=reason
            )
            answer = await self._send(envelope)
            if answer.acked or answer.final:
                return
            reason = answer.reason
        log.warning("an event was given up", event_id=payload["event_id"], reason=reason)

    async def _reachable(self) -> bool:
        if self.events_url is not None:
            return True
        return await self._hub.wait_connected(within=self._timing.undelivered_seconds)

    async def _send(self, envelope: Envelope) -> Answer:
        if self.events_url is not None:
            return await self._poster.send(self.events_url, envelope)
        return await self._hub.send(envelope)
