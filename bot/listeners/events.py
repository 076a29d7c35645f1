"""Events: messages go to the inbox, an opened Home is published, the rest is known and needs nothing."""

import re
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp

from bot.listeners.desk import Desk

log = structlog.get_logger(__name__)


def register(bolt: AsyncApp, desk: Desk) -> None:
    """Messages and the App Home."""

    async def said(body: dict[str, Any]) -> None:
        await desk.inbox.handle(str(body["event_id"]), body)

    async def home_opened(event: dict[str, Any]) -> None:
        if event.get("tab") == "home":
            await desk.home.publish(str(event["user"]))

    async def uninstalled(event: dict[str, Any]) -> None:
        log.error("the app was removed from its team, or its tokens were revoked", type=event.get("type"))

    bolt.event("message")(said)
    bolt.event("app_mention")(said)
    bolt.event("app_home_opened")(home_opened)
    bolt.event(re.compile("app_uninstalled|tokens_revoked"))(uninstalled)


def register_rest(bolt: AsyncApp) -> None:
    """Whatever else Slack may be told to send is taken and dropped, so that it does not come again."""

    async def unknown(event: dict[str, Any]) -> None:
        log.debug("event not used", type=event.get("type"))

    bolt.event(re.compile(".*"))(unknown)
