"""Who may see a project: its owner, and whoever can read one of its channels.

A project holds what was said and made in its channels, so one that belongs to a private channel is shown, picked and
worked in by that channel's members alone. What Slack says about channels is kept for a minute; a channel that it does
not answer for counts as one that the person cannot read.
"""

import time
from collections.abc import Sequence

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import people
from storage import projects

log = structlog.get_logger(__name__)

KEPT_SECONDS = 60.0
PAGE = 200
MOST_PAGES = 10


class Visibility:
    """Answers for one team, from Slack's word on its channels."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._public: dict[str, tuple[float, bool]] = {}
        self._joined: dict[str, tuple[float, frozenset[str]]] = {}

    async def may_see(
        self, project: projects.Project, channels: Sequence[str], person: people.Person
    ) -> bool:
        """Whether this person may see and pick a project that is bound to ``channels``."""
        if project.team_id != person.team_id:
            return False
        if project.owner_id == person.id or not (await self._channels_of(person)).isdisjoint(channels):
            return True
        # A guest reads only the channels that they were invited to.
        return not person.is_guest and any([await self._is_public(channel) for channel in channels])

    async def _channels_of(self, person: people.Person) -> frozenset[str]:
        kept = self._joined.get(person.id)
        if kept is None or kept[0] < time.monotonic():
            kept = (time.monotonic() + KEPT_SECONDS, await self._list_channels(person.id))
            self._joined[person.id] = kept
        return kept[1]

    async def _list_channels(self, user_id: str) -> frozenset[str]:
        found: set[str] = set()
        cursor = ""
        for _ in range(MOST_PAGES):
            answer = await self._client.users_conversations(
                user=user_id, types="public_channel,private_channel", limit=PAGE, cursor=cursor
            )
            found.update(str(channel["id"]) for channel in answer.get("channels") or [])
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return frozenset(found)

    async def _is_public(self, channel_id: str) -> bool:
        kept = self._public.get(channel_id)
        if kept is None or kept[0] < time.monotonic():
            kept = (time.monotonic() + KEPT_SECONDS, await self._ask_public(channel_id))
            self._public[channel_id] = kept
        return kept[1]

    async def _ask_public(self, channel_id: str) -> bool:
        try:
            channel = (await self._client.conversations_info(channel=channel_id))["channel"]
        except SlackApiError as error:
            log.info("channel not readable", channel=channel_id, error=error.response.get("error"))
            return False
        return bool(channel.get("is_channel")) and not channel.get("is_private") and not channel.get("is_im")
