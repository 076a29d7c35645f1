"""Socket Mode: two connections to Slack, so that one can be replaced without a gap.

The SDK reconnects by itself, but a connection can stay silent after a network change (bolt-python 1529), and it closes
the old one before it opens a new one. ``watch`` renews what is not connected; Slack spreads events over both.
"""

import asyncio
import contextlib
import logging

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot import errors, slack

log = structlog.get_logger(__name__)

CONNECTIONS = 2
CONNECT_TIMEOUT = 20.0  # seconds
CLOSE_TIMEOUT = 2.0  # seconds


class Connections:
    """The app's sockets."""

    def __init__(self, *, bolt: AsyncApp, app_token: str, client: AsyncWebClient) -> None:
        self._handlers = [
            AsyncSocketModeHandler(
                bolt, app_token, web_client=client, logger=logging.getLogger("slack_bolt.socket")
            )
            for _ in range(CONNECTIONS)
        ]

    async def open(self) -> None:
        """Connect all; what does not connect now is tried again by ``watch``.

        Raises errors.StartError for a token that Slack refuses, because time does not mend that.
        """
        for error in await asyncio.gather(*(self._connect(number) for number in range(CONNECTIONS))):
            if isinstance(error, SlackApiError) and error.response["error"] in slack.REFUSALS:
                raise errors.StartError(
                    f"SLACK_APP_TOKEN is refused by Slack ({error.response['error']}). Make an app-level token with the "
                    "scope connections:write."
                ) from error

    async def watch(self) -> None:
        """Reconnect what is not connected; for the schedule."""
        for number, handler in enumerate(self._handlers):
            if not await handler.client.is_connected():
                await self._connect(number)

    async def problem(self) -> str | None:
        """Why nothing can arrive, or ``None``."""
        states = [await handler.client.is_connected() for handler in self._handlers]
        return None if any(states) else "no connection to Slack"

    async def close(self) -> None:
        """Hang up; events not yet acknowledged are delivered again to others."""
        for handler in self._handlers:
            with contextlib.suppress(TimeoutError, SlackClientError, OSError):
                async with asyncio.timeout(CLOSE_TIMEOUT):
                    await handler.client.close()

    async def _connect(self, number: int) -> Exception | None:
        """Why it could not be done, or ``None``."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await self._handlers[number].client.connect_to_new_endpoint()
        except (SlackClientError, OSError, TimeoutError) as error:
            log.warning(
                "Slack connection not made", number=number, error=f"{type(error).__name__}: {error}"[:200]
            )
            return error
        return None
