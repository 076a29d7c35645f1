"""The App Home: collects what it shows, publishes it, and remembers the project that was picked there."""

import asyncio
from uuid import UUID

import structlog
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from agent.databricks import identities
from bot import people, visibility
from bot.views import content
from bot.views import home as home_view
from storage import audit, database, projects, turns

log = structlog.get_logger(__name__)


class Home:
    """Publishes the Home of each person, one publish of a person at a time."""

    def __init__(
        self,
        *,
        database: database.Database,
        client: AsyncWebClient,
        people: people.People,
        identities: identities.IdentityService,
        visibility: visibility.Visibility,
        team_id: str,
    ) -> None:
        self._database = database
        self._client = client
        self._people = people
        self._identities = identities
        self._visibility = visibility
        self._team_id = team_id
        self._publishing: dict[str, asyncio.Lock] = {}

    async def publish(self, user_id: str) -> None:
        """Show this person's Home as things stand."""
        async with self._publishing.setdefault(user_id, asyncio.Lock()):
            view = home_view.view(await self._home(user_id))
            try:
                await self._client.views_publish(user_id=user_id, view=view)
            except SlackClientError as error:
                log.warning("home not published", user=user_id, error=str(error)[:200])

    async def pick(self, person: people.Person, project_id: UUID) -> None:
        """Send the person's direct messages to this project; one of another team is nobody's."""
        async with self._database.transaction() as tx:
            project = await projects.Projects(tx).get(project_id)
            channels = await projects.Projects(tx).channels(project_id)
        if project is None or not await self._visibility.may_see(project, channels, person):
            log.warning("project not pickable", user=person.id, project=str(project_id))
            return
        async with self._database.transaction() as tx:
            await projects.Projects(tx).pick(team_id=self._team_id, user_id=person.id, project_id=project.id)
            await audit.Audit(tx).record(
                team_id=self._team_id,
                user_id=person.id,
                action="project.pick",
                outcome="done",
                project_id=project.id,
            )
        await self.publish(person.id)

    async def tell(self, user_id: str, text: content.Content) -> None:
        """Say something to one person alone, in their conversation with the app."""
        opened = await self._client.conversations_open(users=user_id)
        await self._client.chat_postMessage(
            channel=opened["channel"]["id"],
            text=text.text,
            blocks=list(text.blocks),
            unfurl_links=False,
            unfurl_media=False,
        )

    async def _home(self, user_id: str) -> home_view.Home:
        person = await self._people.get(user_id)
        account = await self._identities.whoami(self._team_id, user_id)
        visible = await self._visible(person) if self._people.may_use(person) else []
        async with self._database.transaction() as tx:
            picked = await projects.Projects(tx).picked(team_id=self._team_id, user_id=user_id)
            active = await turns.Turns(tx).active(team_id=self._team_id)
        names = {project.id: project.name for project, _ in visible}
        own = account is not None and not account.shared
        return home_view.Home(
            user_id=user_id,
            account=home_view.Account(user_name=account.user_name, host=account.host)
            if account and own
            else None,
            shared_as=account.user_name if account and not own else None,
            projects=tuple(
                home_view.Project(id=str(project.id), name=project.name, channel_ids=channels)
                for project, channels in visible
            ),
            picked_id=str(picked.id) if picked else None,
            turns=tuple(
                home_view.Turn(
                    project=names.get(turn.project_id, ""), prompt=turn.prompt, state=turn.state.value
                )
                for turn in active
                if turn.sender_id == user_id
            ),
        )

    async def _visible(self, person: people.Person) -> list[tuple[projects.Project, tuple[str, ...]]]:
        async with self._database.transaction() as tx:
            repository = projects.Projects(tx)
            every = [
                (project, tuple(await repository.channels(project.id)))
                for project in await repository.list_for_team(self._team_id)
            ]
        return [
            (project, _channels_only(channels))
            for project, channels in every
            if await self._visibility.may_see(project, channels, person)
        ]


def _channels_only(channels: tuple[str, ...]) -> tuple[str, ...]:
    """Without direct messages, whose ids mean nothing to people."""
    return tuple(channel for channel in channels if not channel.startswith("D"))
