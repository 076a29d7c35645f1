"""What becomes of an accepted event: a turn, an answer in private, or a deliberate silence.

An event is settled when this is done. Until then it stays accepted in the database, and the schedule hands it in again:
a crash, Slack being away or Postgres being away delay a message and never lose it. Handling one twice is harmless,
because a message has at most one turn.
"""

import asyncio
import weakref
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackClientError

from bot import commands, people, routing, said
from bot.replies import front
from bot.views import notices
from storage import audit, conversations, database, events, turns
from storage import errors as storage_errors

log = structlog.get_logger(__name__)

UNSETTLED_AFTER = timedelta(seconds=20)
RETRY_BATCH = 50
# What time may mend.
NOT_NOW = (storage_errors.StorageError, SlackClientError, aiohttp.ClientError, TimeoutError, OSError)


class Inbox:
    """Handles accepted events, one call each."""

    def __init__(
        self,
        *,
        database: database.Database,
        people: people.People,
        router: routing.Router,
        commands: commands.Commands,
        front: front.SlackFront,
        wake: Callable[[], None],
        bot_user_id: str,
    ) -> None:
        self._database = database
        self._people = people
        self._router = router
        self._commands = commands
        self._front = front
        self._wake = wake
        self._bot_user_id = bot_user_id
        self._threads: weakref.WeakValueDictionary[tuple[str, str], asyncio.Lock] = (
            weakref.WeakValueDictionary()
        )

    async def handle(self, event_id: str, body: Mapping[str, Any]) -> None:
        """Handle and settle one event; a failure is logged and leaves it for ``retry``."""
        try:
            await self._dispatch(body)
            async with self._database.transaction() as tx:
                await events.Events(tx).settle(event_id)
        except NOT_NOW as error:
            log.warning("event not handled yet", id=event_id, error=f"{type(error).__name__}: {error}"[:300])

    async def retry(self) -> None:
        """Hand in again what was accepted and not settled; for the schedule."""
        async with self._database.transaction() as tx:
            overdue = await events.Events(tx).claim_unsettled(older_than=UNSETTLED_AFTER, limit=RETRY_BATCH)
        for event in overdue:
            if event.attempts > events.MAX_ATTEMPTS:
                log.error("event given up", id=event.event_id, kind=event.kind)
            else:
                await self.handle(event.event_id, event.payload)

    async def _dispatch(self, body: Mapping[str, Any]) -> None:
        match said.read(body, bot_user_id=self._bot_user_id):
            case said.Said() as message:
                # What was said first in a thread is queued first, however long looking up its author takes.
                place = message.channel_id, message.thread_ts
                async with self._threads.setdefault(place, asyncio.Lock()):
                    await self._said(message)
            case said.Edited(said=message):
                await self._edited(message)
            case said.Deleted() as deleted:
                await self._deleted(deleted)
            case None:
                return

    async def _said(self, message: said.Said) -> None:
        if said.is_aside(message):
            return
        conversation = await self._router.find(message)
        if conversation is None and not said.is_addressed(message):
            return
        person = await self._people.get(message.user_id)
        refusal = await self._router.refusal(message, person)
        if refusal is not None:
            log.info("message refused", user=person.id, team=message.team_id, channel=message.channel_id)
            await self._front.whisper(message, refusal)
            return
        command = said.command(message)
        if command is not None:
            asker = commands.Asker(
                person=person,
                channel_id=message.channel_id,
                thread_ts=message.thread_ts if message.is_reply else None,
            )
            await self._front.whisper(message, await self._commands.answer(command, asker))
        elif said.is_empty(message.text):
            notice = (
                notices.only_files()
                if message.file_names
                else notices.empty_mention(bot_user_id=self._bot_user_id)
            )
            await self._front.whisper(message, notice)
        else:
            await self._queue(message, person, conversation or await self._router.begin(message, person))

    async def _queue(
        self, message: said.Said, person: people.Person, conversation: conversations.Conversation
    ) -> None:
        async with self._database.transaction() as tx:
            turn = await turns.Turns(tx).add(
                conversation=conversation, sender_id=person.id, message_ts=message.ts, prompt=_prompt(message)
            )
            if turn is None:
                return
            ahead = await turns.Turns(tx).ahead_of(turn.id)
            await audit.Audit(tx).record(
                team_id=turn.team_id,
                user_id=person.id,
                action="turn.ask",
                outcome="queued",
                project_id=turn.project_id,
                turn_id=turn.id,
            )
        log.info("turn queued", turn=str(turn.id), sender=person.id, channel=message.channel_id, ahead=ahead)
        self._front.open(turn, ahead=ahead)
        self._wake()

    async def _edited(self, message: said.Said) -> None:
        async with self._database.transaction() as tx:
            repository = turns.Turns(tx)
            turn = await repository.find_by_message(
                team_id=message.team_id, channel_id=message.channel_id, message_ts=message.ts
            )
            if turn is not None and turn.sender_id == message.user_id:
                await repository.edit_queued(turn.id, prompt=_prompt(message))

    async def _deleted(self, deleted: said.Deleted) -> None:
        async with self._database.transaction() as tx:
            repository = turns.Turns(tx)
            turn = await repository.find_by_message(
                team_id=deleted.team_id, channel_id=deleted.channel_id, message_ts=deleted.ts
            )
            withdrawn = turn is not None and await repository.withdraw_queued(turn.id)
        if turn is not None and withdrawn:
            self._front.withdrawn(turn)


def _prompt(message: said.Said) -> str:
    if not message.file_names:
        return message.text
    return f"{message.text}\n\n(Attached in Slack, not readable here: {', '.join(message.file_names)})"
