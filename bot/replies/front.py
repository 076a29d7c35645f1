"""The side of a turn that talks to people: opens its reply, names its sender, reads the thread it was called into.

Replies are opened when a message is accepted and found again when its turn is claimed, usually in this process a few
milliseconds later. A turn claimed by another replica goes on in the messages that the first one posted.
"""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

import structlog
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from agent import errors as agent_errors
from agent import events
from agent import turn as agent_turn
from agent.databricks import identities
from bot import people, said
from bot.replies import errors
from bot.replies import outbox as outboxes
from bot.replies import reply as replies
from bot.views import content, messages, notices
from storage import database, turns

log = structlog.get_logger(__name__)

EARLIER_MESSAGES = 50
LINK_MINUTES = 10
FOREIGN_REPLY_PATIENCE = 2.0  # seconds to wait for another replica's first message


class SlackFront(agent_turn.Front):
    """Implements what turns need from Slack; one per team."""

    def __init__(
        self,
        *,
        database: database.Database,
        client: AsyncWebClient,
        outbox: outboxes.Outbox,
        people: people.People,
        identities: identities.IdentityService,
        bot_user_id: str,
    ) -> None:
        self._database = database
        self._client = client
        self._outbox = outbox
        self._people = people
        self._identities = identities
        self._bot_user_id = bot_user_id
        self._replies: dict[UUID, replies.Reply] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self, turn: turns.Turn, *, ahead: int = 0) -> None:
        """Show that the message was taken."""
        shown = self._new(turn)
        state = messages.Queued(ahead=ahead) if ahead else messages.Working()
        self._start(shown.open(state=state), name=f"open reply {turn.id}")

    async def reply(self, turn: turns.Turn) -> replies.Reply:
        """The open reply of a turn; taken over or begun anew when this process has none."""
        shown = self._replies.get(turn.id)
        if shown is None:
            shown = self._new(turn, reply_ts=await self._posted_elsewhere(turn))
            self._start(shown.open(state=messages.Working()), name=f"take over reply {turn.id}")
        shown.is_at_work = True
        return shown

    def conclude(self, turn: turns.Turn, reply: agent_turn.Reply) -> None:
        """See that the final state is shown, in its own time; ``close`` waits for it."""
        self._start(reply.close(), name=f"conclude reply {turn.id}")

    async def forget(self) -> None:
        """Let go of replies whose turns another replica has taken over or ended; for the schedule."""
        for turn_id, shown in list(self._replies.items()):
            if shown.is_at_work:
                continue
            async with self._database.transaction() as tx:
                turn = await turns.Turns(tx).get(turn_id)
            if (turn is None or turn.state is not turns.TurnState.QUEUED) and not shown.is_at_work:
                self._replies.pop(turn_id, None)
                shown.leave()

    async def sender_name(self, turn: turns.Turn) -> str:
        """The sender's display name, or the bare id when Slack does not tell it now."""
        return await self._name(turn.sender_id)

    async def earlier(self, turn: turns.Turn) -> str:
        """What was said in the thread before the bot was called into it, one line a message."""
        if turn.thread_ts == turn.message_ts:
            return ""
        try:
            answer = await self._client.conversations_replies(
                channel=turn.channel_id, ts=turn.thread_ts, latest=turn.message_ts, limit=EARLIER_MESSAGES
            )
        except (SlackClientError, TimeoutError, OSError) as error:
            log.warning("thread not read", turn=str(turn.id), error=str(error)[:200])
            return ""
        lines = []
        for message in answer.get("messages") or []:
            author = message.get("user") or message.get("username") or "an app"
            if message.get("ts") == turn.message_ts or author == self._bot_user_id:
                continue
            name = await self._name(author) if message.get("user") else str(author)
            lines.append(f"{name}: {said.plain(str(message.get('text') or ''))}")
        return "\n".join(lines)

    async def ask_to_sign_in(self, turn: turns.Turn) -> None:
        """Ask the sender alone, and show in the thread what the turn waits for."""
        shown = await self.reply(turn)
        shown.show(messages.Queued(needs_sign_in=True))
        try:
            url = await self._identities.offer(turn.team_id, turn.sender_id)
            prompt = notices.sign_in_link(url=url, minutes=LINK_MINUTES)
        except agent_errors.AgentError as error:
            prompt = notices.failure(str(error))
        await self._whisper(turn.channel_id, turn.sender_id, turn.thread_ts, prompt)

    def withdrawn(self, turn: turns.Turn) -> None:
        """Show that a turn ended before it began."""
        finished = events.Finished(outcome="stopped", duration=0.0)
        self._start(self._end(turn, finished), name=f"show withdrawn {turn.id}")

    def lost(self, turn: turns.Turn) -> None:
        """Show that a turn ended with its replica."""
        finished = events.Finished(outcome="interrupted", duration=0.0)
        self._start(self._end(turn, finished), name=f"end lost reply {turn.id}")

    async def whisper(self, message: said.Said, text: content.Content) -> None:
        """Answer the author of a message in private, where it was said."""
        thread_ts = message.thread_ts if message.is_reply else None
        await self._whisper(message.channel_id, message.user_id, thread_ts, text)

    async def _whisper(self, channel: str, user: str, thread_ts: str | None, text: content.Content) -> None:
        try:
            await self._outbox.ephemeral(channel=channel, user=user, thread_ts=thread_ts, content=text)
        except errors.ReplyError as error:
            # Nobody else may read it, so there is no other place to say it.
            log.warning("private answer not shown", channel=channel, user=user, reason=error.reason)

    async def close(self, *, grace: float) -> None:
        """Wait for what is being posted."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)

    async def _end(self, turn: turns.Turn, finished: events.Finished) -> None:
        shown = await self.reply(turn)
        shown.push(finished)
        await shown.close()

    async def _name(self, user_id: str) -> str:
        try:
            return (await self._people.get(user_id)).name
        except (SlackClientError, TimeoutError, OSError):
            return user_id

    async def _posted_elsewhere(self, turn: turns.Turn) -> tuple[str, ...]:
        deadline = time.monotonic() + FOREIGN_REPLY_PATIENCE
        while not turn.reply_ts and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
            async with self._database.transaction() as tx:
                turn = await turns.Turns(tx).get(turn.id) or turn
        return turn.reply_ts

    def _new(self, turn: turns.Turn, *, reply_ts: tuple[str, ...] = ()) -> replies.Reply:
        async def posted(ts: tuple[str, ...]) -> None:
            async with self._database.transaction() as tx:
                await turns.Turns(tx).set_reply(turn.id, reply_ts=ts)

        shown = replies.Reply(
            outbox=self._outbox,
            channel=turn.channel_id,
            thread_ts=turn.thread_ts,
            turn_id=str(turn.id),
            clock=time.monotonic,
            on_posted=posted,
            on_closed=lambda: self._replies.pop(turn.id, None),
            reply_ts=reply_ts,
        )
        self._replies[turn.id] = shown
        return shown

    def _start(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("reply not shown", task=task.get_name(), error=repr(task.exception())[:300])
