"""What the listeners have at hand."""

from dataclasses import dataclass

from bot import commands, home, inbox, stopping
from bot import people as people_
from bot.views import content, notices


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The parts of the service that Slack's deliveries are handed to."""

    inbox: inbox.Inbox
    commands: commands.Commands
    stopping: stopping.Stopping
    home: home.Home
    people: people_.People
    team_id: str

    async def admitted(self, user_id: str) -> people_.Person | content.Content:
        """The person who acts, or what to tell somebody who may not."""
        person = await self.people.get(user_id)
        return person if self.people.may_use(person) else notices.not_a_member()
