"""Whose message is this: project, conversation, person, allowed or not."""

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot import people, said, visibility
from bot.views import content, notices
from storage import conversations, database, projects

log = structlog.get_logger(__name__)


class Router:
    """Finds the place of a message and says who may not have one."""

    def __init__(
        self,
        *,
        database: database.Database,
        people: people.People,
        client: AsyncWebClient,
        visibility: visibility.Visibility,
        team_id: str,
        allow_shared_channels: bool,
    ) -> None:
        self._database = database
        self._people = people
        self._client = client
        self._visibility = visibility
        self._team_id = team_id
        self._allow_shared_channels = allow_shared_channels

    async def find(self, message: said.Said) -> conversations.Conversation | None:
        """The conversation that this message belongs to, if one was begun in its thread."""
        async with self._database.transaction() as tx:
            return await conversations.Conversations(tx).find(
                team_id=self._team_id, channel_id=message.channel_id, thread_ts=message.thread_ts
            )

    async def refusal(self, message: said.Said, person: people.Person) -> content.Content | None:
        """What to tell a person who may not use the bot here, or ``None`` when they may."""
        if not self._people.may_use(person):
            return notices.not_a_member()
        if message.is_shared and not self._allow_shared_channels:
            return notices.shared_channel()
        return None

    async def begin(self, message: said.Said, person: people.Person) -> conversations.Conversation:
        """Begin a conversation with this message, and make its project when it is the first of its channel."""
        project = await self.project(channel_id=message.channel_id, is_dm=message.is_dm, person=person)
        async with self._database.transaction() as tx:
            return await conversations.Conversations(tx).ensure(
                project_id=project.id,
                team_id=self._team_id,
                channel_id=message.channel_id,
                thread_ts=message.thread_ts,
            )

    async def project(self, *, channel_id: str, is_dm: bool, person: people.Person) -> projects.Project:
        """A channel's project, named after it; in a DM the one that the person picked, or one of their own."""
        found = await self._picked(person) if is_dm else None
        if found is None:
            async with self._database.transaction() as tx:
                found = await projects.Projects(tx).for_channel(team_id=self._team_id, channel_id=channel_id)
        if found is not None:
            return found
        name = person.name if is_dm else await self._channel_name(channel_id)
        async with self._database.transaction() as tx:
            # In a DM nobody has picked anything yet: the DM itself is the place of a first, personal project.
            return await projects.Projects(tx).ensure_for_channel(
                team_id=self._team_id, channel_id=channel_id, name=name, owner_id=person.id
            )

    async def _picked(self, person: people.Person) -> projects.Project | None:
        async with self._database.transaction() as tx:
            picked = await projects.Projects(tx).picked(team_id=self._team_id, user_id=person.id)
            channels = await projects.Projects(tx).channels(picked.id) if picked else []
        # Who has left a private channel since picking its project may no longer work in it.
        if picked is None or not await self._visibility.may_see(picked, channels, person):
            return None
        return picked

    async def _channel_name(self, channel_id: str) -> str:
        answer = await self._client.conversations_info(channel=channel_id)
        return str(answer["channel"].get("name") or channel_id)
