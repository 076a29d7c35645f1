"""A replica without Slack: dispatcher, runner and sessions, and a front that keeps what it was shown."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from agent import events, pool
from agent import turn as agent_turn
from agent.databricks import identities as identity_service
from agent.databricks.settings import DatabricksSettings
from agent.dispatcher import Dispatcher
from sandbox import people
from storage import conversations, identities, leases, projects, turns, usage, vault
from storage.database import Database
from tests.integration.agent.scene import TEAM, Scene
from tests.integration.conftest import Server

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
PATIENCE = 20.0  # seconds

_seconds = itertools.count(1_700_000_000)


class Shown(agent_turn.Reply):
    """A reply that keeps what it was shown."""

    def __init__(self) -> None:
        self.saw: list[events.Event] = []
        self.closed = asyncio.Event()
        self.begun = asyncio.Event()

    def push(self, event: events.Event) -> None:
        self.saw.append(event)
        if isinstance(event, events.TextDelta):
            self.begun.set()

    async def close(self) -> None:
        self.closed.set()

    @property
    def text(self) -> str:
        """What was said."""
        return "".join(event.text for event in self.saw if isinstance(event, events.TextDelta))

    @property
    def finished(self) -> events.Finished:
        """How it ended."""
        (found,) = [event for event in self.saw if isinstance(event, events.Finished)]
        return found


class Porch(agent_turn.Front):
    """A front without people behind it."""

    def __init__(self) -> None:
        self.replies: dict[UUID, Shown] = {}
        #: the turns whose senders were asked to sign in
        self.asked: asyncio.Queue[turns.Turn] = asyncio.Queue()
        #: what the thread said before its first turn
        self.before = ""

    def shown(self, turn: turns.Turn) -> Shown:
        """The turn's reply."""
        return self.replies.setdefault(turn.id, Shown())

    async def reply(self, turn: turns.Turn) -> Shown:
        return self.shown(turn)

    def conclude(self, turn: turns.Turn, reply: agent_turn.Reply) -> None:
        self.replies[turn.id].closed.set()

    async def sender_name(self, turn: turns.Turn) -> str:
        return people.person(turn.sender_id).real_name

    async def earlier(self, turn: turns.Turn) -> str:
        return self.before

    async def ask_to_sign_in(self, turn: turns.Turn) -> None:
        self.asked.put_nowait(turn)


@dataclass(kw_only=True)
class House:
    """The database of a team, and one replica on it."""

    scene: Scene
    database: Database
    server: Server
    url: str
    replica: str = "r1"
    front: Porch = field(default_factory=Porch)
    #: the turns that were found to be lost
    lost: list[turns.Turn] = field(default_factory=list)
    accounts: identity_service.IdentityService = field(init=False)
    sessions: pool.SessionPool = field(init=False)
    dispatcher: Dispatcher = field(init=False)

    def __post_init__(self) -> None:
        self.accounts = identity_service.IdentityService(
            database=self.database,
            vault=vault.Vault([KEY]),
            signing_keys=[KEY],
            settings=DatabricksSettings(host=self.scene.world.databricks.url),
            pool=self.scene.calls,
            email_of=_email_of,
        )
        self.sessions = self.scene.new_pool()
        self.dispatcher = self.new_dispatcher(self.database)

    def new_dispatcher(self, runners_database: Database) -> Dispatcher:
        """Claims on this house's database; its turns are stored through the one given."""
        runner = agent_turn.TurnRunner(
            database=runners_database,
            front=self.front,
            identities=self.accounts,
            workdirs=self.scene.workdirs,
            sessions=self.sessions,
            calls=self.scene.calls,
        )
        return Dispatcher(
            database=self.database,
            runner=runner,
            replica=self.replica,
            max_running=4,
            on_lost=self.lost.append,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The replica claims turns; at the end it is drained and closed as a service that stops."""
        await self.dispatcher.heartbeat()
        claiming = asyncio.create_task(self.dispatcher.run(), name=f"dispatcher {self.replica}")
        try:
            yield
        finally:
            await self.dispatcher.drain(grace=0.0)
            claiming.cancel()
            await asyncio.gather(claiming, return_exceptions=True)
            await self.sessions.close()
            await self.accounts.close()

    async def link(self, person: people.Person) -> None:
        """The person has signed in."""
        now = datetime.now(UTC)
        row = identities.Identity(
            team_id=TEAM,
            user_id=person.id,
            host=self.scene.world.databricks.url,
            user_name=person.email,
            databricks_id=person.id,
            scopes=("all-apis",),
            access_token=f"dapi-{person.name}",
            refresh_token=None,
            expires_at=now + timedelta(hours=1),
            linked_at=now,
            ends_at=None,
        )
        async with self.database.transaction() as tx:
            await identities.Identities(tx, vault.Vault([KEY])).save(row)

    async def conversation(self) -> conversations.Conversation:
        """A new thread in a new project."""
        async with self.database.transaction() as tx:
            project = await projects.Projects(tx).create(team_id=TEAM, name="sales", owner_id=people.ADA.id)
            return await conversations.Conversations(tx).ensure(
                project_id=project.id, team_id=TEAM, channel_id="C1", thread_ts=f"{next(_seconds)}.000100"
            )

    async def say(
        self,
        conversation: conversations.Conversation,
        text: str,
        *,
        person: people.Person = people.ADA,
    ) -> turns.Turn:
        """A message in the thread."""
        async with self.database.transaction() as tx:
            turn = await turns.Turns(tx).add(
                conversation=conversation,
                sender_id=person.id,
                message_ts=f"{next(_seconds)}.000200",
                prompt=text,
            )
        assert turn is not None
        self.dispatcher.wake()
        return turn

    async def answer(self, conversation: conversations.Conversation, text: str) -> Shown:
        """A message and its finished reply."""
        return await self.shown(await self.say(conversation, text))

    async def shown(self, turn: turns.Turn) -> Shown:
        """The turn's reply, when it is finished and stored."""
        shown = self.front.shown(turn)
        async with asyncio.timeout(PATIENCE):
            await shown.closed.wait()
        for _ in range(int(PATIENCE / 0.02)):
            if (await self.now(turn)).state.is_over:
                return shown
            await asyncio.sleep(0.02)
        raise TimeoutError

    async def begun(self, turn: turns.Turn) -> Shown:
        """The turn's reply, when it has said something."""
        shown = self.front.shown(turn)
        async with asyncio.timeout(PATIENCE):
            await shown.begun.wait()
        return shown

    async def now(self, turn: turns.Turn) -> turns.Turn:
        """The turn as it is stored now."""
        async with self.database.transaction() as tx:
            found = await turns.Turns(tx).get(turn.id)
        assert found is not None
        return found

    async def stop(self, turn: turns.Turn) -> None:
        """Somebody presses Stop."""
        async with self.database.transaction() as tx:
            await turns.Turns(tx).request_stop(turn.id, by=people.BEN.id)
        self.dispatcher.wake()

    async def messages(self, turn: turns.Turn) -> list[turns.Message]:
        """What was stored of a turn."""
        async with self.database.transaction() as tx:
            return await turns.Messages(tx).for_turn(turn.id)

    async def spent(self, conversation: conversations.Conversation) -> usage.UsageTotal:
        """What the ledger says of a conversation."""
        async with self.database.transaction() as tx:
            return await usage.UsageLedger(tx).total(conversation_id=conversation.id)

    async def vanish(self) -> None:
        """As if this replica had crashed a minute ago: its leases are over."""
        async with self.database.transaction() as tx:
            await leases.Leases(tx).release_all(self.replica)

    @asynccontextmanager
    async def database_away(self) -> AsyncIterator[None]:
        """Nobody can reach the database."""
        name = urlsplit(self.url).path.removeprefix("/")
        await self.server.command(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await self.server.command(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )
        try:
            yield
        finally:
            await self.server.command(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    def other(self, replica: str) -> "House":
        """Another replica on the same database."""
        return House(
            scene=replace(self.scene),
            database=self.database,
            server=self.server,
            url=self.url,
            replica=replica,
        )


async def _email_of(team_id: str, user_id: str) -> str | None:
    return people.person(user_id).email
