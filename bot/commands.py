"""The words that people can say instead of a request: in ``/brick``, after a mention, or as ``!word`` in a thread.

Each answers in private. What they do is the same wherever they were said; only ``stop`` and ``status`` look at the
place: the thread they were said in, or the channel.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never

from agent import errors
from agent.databricks import identities
from bot import people, said, stopping
from bot.views import content, notices
from bot.views import help as help_view
from bot.views import status as status_view
from storage import database, turns

LINK_MINUTES = 10


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Who said a word, and where; ``thread_ts`` is ``None`` outside of threads."""

    person: people.Person
    channel_id: str
    thread_ts: str | None


class Commands:
    """Answers command words."""

    def __init__(
        self,
        *,
        database: database.Database,
        identities: identities.IdentityService,
        stopping: stopping.Stopping,
        team_id: str,
        host: str,
    ) -> None:
        self._database = database
        self._identities = identities
        self._stopping = stopping
        self._team_id = team_id
        self._host = host

    async def answer(self, command: said.Command, asker: Asker) -> content.Content:
        """What to tell the asker, in private."""
        try:
            return await self._answer(command, asker)
        except errors.AgentError as error:
            return notices.failure(str(error))

    async def _answer(self, command: said.Command, asker: Asker) -> content.Content:
        match command.word:
            case None:
                return notices.unknown_word(command.written)
            case "help":
                return help_view.message()
            case "status":
                return await self._status(asker)
            case "stop":
                return await self._stop(asker)
            case "login":
                return await self.login(asker.person)
            case "logout":
                return await self._logout(asker.person)
            case "whoami":
                return await self._whoami(asker.person)
            case _:
                assert_never(command.word)

    async def login(self, person: people.Person) -> content.Content:
        """A sign-in link for this person alone."""
        return notices.sign_in_link(
            url=await self._identities.offer(self._team_id, person.id), minutes=LINK_MINUTES
        )

    async def _status(self, asker: Asker) -> content.Content:
        here = await self._turns(asker)
        now = datetime.now(UTC)
        return status_view.message(
            [
                status_view.Line(
                    state=_state(turn.state),
                    sender_id=turn.sender_id,
                    prompt=turn.prompt,
                    age=(now - turn.created_at).total_seconds(),
                )
                for turn in here
            ]
        )

    async def _stop(self, asker: Asker) -> content.Content:
        here = await self._turns(asker)
        if asker.thread_ts is None:
            here = [turn for turn in here if turn.sender_id == asker.person.id]
        if not here:
            return notices.nothing_to_stop()
        stopped = await self._stopping.stop_all(here, person=asker.person)
        return notices.stopping(count=stopped) if stopped else notices.may_not_stop()

    async def _logout(self, person: people.Person) -> content.Content:
        async with self._database.transaction() as tx:
            open_turns = await turns.Turns(tx).active(team_id=self._team_id)
        own = [turn for turn in open_turns if turn.sender_id == person.id]
        await self._stopping.stop_all(own, person=person)
        # Their tools end before the tokens do, while running statements can still be cancelled.
        await self._stopping.settled(own)
        was_linked = await self._identities.logout(self._team_id, person.id)
        return notices.signed_out() if was_linked else notices.not_signed_in()

    async def _whoami(self, person: people.Person) -> content.Content:
        account = await self._identities.whoami(self._team_id, person.id)
        if account is None:
            return notices.whoami(user_id=person.id, account=None, host=self._host)
        return notices.whoami(
            user_id=person.id, account=account.user_name, host=account.host, facts=_facts(person, account)
        )

    async def _turns(self, asker: Asker) -> list[turns.Turn]:
        async with self._database.transaction() as tx:
            return await turns.Turns(tx).active(
                team_id=self._team_id, channel_id=asker.channel_id, thread_ts=asker.thread_ts
            )


def _state(state: turns.TurnState) -> status_view.State:
    match state:
        case turns.TurnState.RUNNING:
            return "running"
        case turns.TurnState.WAITING:
            return "waiting"
        case _:
            return "queued"


def _facts(person: people.Person, account: identities.WhoAmI) -> list[str]:
    """What `whoami` says besides the two names."""
    facts = [f"Slack e-mail: {person.email}"] if person.email else []
    if account.shared:
        return [
            *facts,
            "This is the shared account of a development set-up. Use /brick login to act as yourself.",
        ]
    facts.append(f"Scopes: {' '.join(account.scopes)}")
    if account.linked_at is not None:
        facts.append(f"Signed in since {account.linked_at:%Y-%m-%d %H:%M} UTC")
    if account.ends_at is not None:
        facts.append(f"The sign-in ends {account.ends_at:%Y-%m-%d %H:%M} UTC, or when you say /brick logout")
    else:
        facts.append("The sign-in is renewed by itself until you say /brick logout or Databricks ends it")
    return facts
