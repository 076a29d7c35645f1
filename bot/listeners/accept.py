"""The durable accept: an event is in Postgres before Slack hears that we have it.

A Bolt middleware, because middleware runs before the acknowledgement and event listeners run after it. While Postgres
is away the answer is an error, nothing is acknowledged, and Slack delivers the event again (docs.slack.dev/apis/events-api).
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from slack_bolt import BoltResponse
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest

from storage import database, events
from storage import errors as storage_errors

log = structlog.get_logger(__name__)

# What people say must not be lost. Other events show the present state or are acted on at once.
KEPT = frozenset(("message", "app_mention"))
CHANGES = frozenset(("message_changed", "message_deleted"))


class Accept(AsyncMiddleware):
    """Stores message events; a delivery that was accepted before is acknowledged and goes no further."""

    def __init__(self, database: database.Database) -> None:
        self._database = database

    async def async_process(
        self, *, req: AsyncBoltRequest, resp: BoltResponse, next: Callable[[], Awaitable[BoltResponse]]
    ) -> BoltResponse | None:
        """Let through what is new and safe, and what needs no keeping."""
        body = req.body
        event = body.get("event") or {}
        if body.get("type") != "event_callback" or event.get("type") not in KEPT:
            return await next()
        try:
            is_new = await self._accept(body, event)
        except storage_errors.DatabaseUnavailableError as error:
            log.warning("event not accepted", id=body.get("event_id"), reason=str(error))
            return BoltResponse(status=503, body="try again")
        return await next() if is_new else BoltResponse(status=200, body="")

    async def _accept(self, body: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
        subtype = event.get("subtype")
        async with self._database.transaction() as tx:
            return await events.Events(tx).accept(
                event_id=str(body["event_id"]),
                team_id=str(body.get("team_id") or ""),
                channel_id=event.get("channel"),
                ts=event.get("ts"),
                kind=str(subtype) if subtype in CHANGES else events.SAID,
                payload=body,
            )
