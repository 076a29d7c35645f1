"""Slack to us: thin functions that parse, call and answer. Every surface checks who is acting.

Whatever Slack may send has a listener; the catch-alls at the end answer what nothing else did, because an event without
a listener is not acknowledged and comes again, and a button without one shows people a warning sign.
"""

import asyncio
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.respond.async_respond import AsyncRespond

from agent import errors
from bot.listeners import actions, commands, events
from bot.listeners.desk import Desk
from bot.views import notices
from storage import errors as storage_errors

__all__ = ["Desk", "register"]

log = structlog.get_logger(__name__)

ACK_NOTICED = 0.05  # seconds


def register(bolt: AsyncApp, desk: Desk) -> None:
    """Add all listeners; the order decides, and the catch-alls come last."""
    events.register(bolt, desk)
    commands.register(bolt, desk)
    actions.register(bolt, desk)
    events.register_rest(bolt)
    commands.register_rest(bolt)
    actions.register_rest(bolt)
    bolt.error(_failed)


async def _failed(error: Exception, body: dict[str, Any], respond: AsyncRespond) -> None:
    """A listener failed after its acknowledgement: whoever waits for an answer is told."""
    # Bolt withdraws the acknowledgement of a listener that fails before it looked for one, which it does every 10 ms.
    await asyncio.sleep(ACK_NOTICED)
    is_away = isinstance(error, storage_errors.DatabaseUnavailableError)
    log.error(
        "listener failed", kind=body.get("type"), error=repr(error)[:300], exc_info=None if is_away else error
    )
    if body.get("response_url"):
        answer = notices.unavailable() if is_away else notices.failure(errors.AgentError.sentence)
        await respond(
            text=answer.text, blocks=list(answer.blocks), response_type="ephemeral", replace_original=False
        )
