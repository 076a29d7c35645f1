"""Short ways to say what a test is about."""

import itertools
from datetime import timedelta

from storage.conversations import Conversation, Conversations
from storage.database import Database
from storage.leases import Leases, replica_lease
from storage.projects import Project, Projects
from storage.turns import Hold, Turn, Turns

TEAM = "T1"
LEASE = timedelta(seconds=30)

_seconds = itertools.count(1_700_000_000)


class Stage:
    """A team's database, each call a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def project(self, name: str = "sales") -> Project:
        """A new project."""
        async with self.database.transaction() as tx:
            return await Projects(tx).create(team_id=TEAM, name=name, owner_id="U1")

    async def conversation(self, project: Project | None = None) -> Conversation:
        """A new conversation, in a new project if none is given."""
        project = project or await self.project()
        async with self.database.transaction() as tx:
            return await Conversations(tx).ensure(
                project_id=project.id, team_id=TEAM, channel_id="C1", thread_ts=f"{next(_seconds)}.000100"
            )

    async def say(
        self, conversation: Conversation, *, sender_id: str = "U1", hold: Hold | None = None
    ) -> Turn:
        """A new turn at the end of the conversation."""
        async with self.database.transaction() as tx:
            turn = await Turns(tx).add(
                conversation=conversation,
                sender_id=sender_id,
                message_ts=f"{next(_seconds)}.000200",
                prompt="which region sold most?",
                hold=hold,
            )
        assert turn is not None
        return turn

    async def claim(self, replica: str = "r1", *, lease: timedelta = LEASE) -> Turn | None:
        """What the replica gets when it asks."""
        async with self.database.transaction() as tx:
            return await Turns(tx).claim_next(replica=replica, lease=lease)

    async def alive(self, replica: str, *, ttl: timedelta = LEASE) -> None:
        """The replica says that it lives."""
        async with self.database.transaction() as tx:
            assert await Leases(tx).acquire(replica_lease(replica), holder=replica, ttl=ttl)
