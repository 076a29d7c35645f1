"""A world with a bot in it, and the ways in which a test talks to the bot and watches it: Slack's wire, its pages, its log.

A module's tests share one stage, because a bot takes seconds to start. So each test uses threads of its own and leaves
nothing running, and what needs a bot of its own kind says so in its module.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from bot.views import messages
from sandbox import people
from sandbox.claude import RequestRecord, request
from sandbox.slack import interactivity
from sandbox.world import World
from storage import database, turns
from tests.acceptance import bots, lines

SALES = "C0SALES01"
ENGINEERING = "C0ENG0001"
FINANCE = "C0FINANCE"
PARTNERS = "C0PARTNER"

PATIENCE = 30.0  # seconds until a test gives up
PROMPTLY = 1.0  # seconds, what a person is promised

FINALS = ("Done in", "Stopped after", "Failed after", "Interrupted after")

T = TypeVar("T")
Message = dict[str, Any]


class Stage:
    """The world, the database that only this stage uses, and the bot. ``line`` leads from the bot to the database."""

    def __init__(self, *, world: World, line: lines.Line, database_url: str, folder: Path) -> None:
        self.world = world
        self.slack = world.slack
        self.line = line
        self.folder = folder
        self.data = folder / "data"
        # Six sessions are enough for any test, and each is a process.
        self.environment = {
            **world.environment(self.data),
            "LAKEBASE_PG_URL": line.url,
            "BRICKLAYER_MAX_SESSIONS": "6",
        }
        self.database_url = database_url
        self.database = database.Database(database.Source(url=database_url))
        self._bot: bots.Bot | None = None
        self._chat = ""

    @property
    def bot(self) -> bots.Bot:
        """The bot that was started last; LookupError before."""
        if self._bot is None:
            raise LookupError("no bot was started yet")
        return self._bot

    @property
    def is_running(self) -> bool:
        """Whether a bot was started and has not ended."""
        return self._bot is not None and self._bot.process.returncode is None

    async def launch(self, environment: Mapping[str, str] | None = None) -> bots.Bot:
        """Start a bot instead of the one before, with these variables besides the stage's own."""
        if self._bot is not None:
            await self._bot.stop()
        self._bot = await bots.launch({**self.environment, **(environment or {})}, cwd=self.folder)
        return self._bot

    async def start(self, environment: Mapping[str, str] | None = None) -> None:
        """The same, and wait until it is ready."""
        bot = await self.launch(environment)
        await bot.ready()

    async def clear(self) -> None:
        """Stop the bot and let go of the database."""
        if self._bot is not None:
            await self._bot.stop()
        await self.database.close()

    # What people do

    async def ask(
        self, text: str, *, user: str = people.ADA.id, channel: str = SALES, thread: str | None = None
    ) -> str:
        """Say something to the bot; returns the message's ts. In a channel's root it is mentioned."""
        said = text if thread or channel.startswith("D") else f"@bricklayer {text}"
        return await self.slack.say(user, channel, said, thread_ts=thread)

    async def answer(self, text: str, **where: Any) -> str:
        """Ask at the root of a channel, wait for the end, and return everything the reply says."""
        thread = await self.ask(text, **where)
        return words((await self.over(thread, channel=where.get("channel", SALES)))[-1])

    async def chat(self, text: str) -> str:
        """The same in a thread that is kept for this, whose session is warm."""
        if not self._chat:
            self._chat = await self.ask("!!say ready")
            await self.over(self._chat)
        before = len(self.replies(self._chat))
        await self.ask(text, thread=self._chat)
        await self.until(
            lambda: len(self.replies(self._chat)) > before and is_over(self.replies(self._chat)[-1])
        )
        return words(self.replies(self._chat)[-1])

    async def hold(self, *, user: str = people.ADA.id, thread: str | None = None) -> str:
        """Begin a turn that runs until ``let_go``; returns its thread."""
        ts = await self.ask("!!say here I stay\n!!sleep 90", user=user, thread=thread)
        await self.saying("here I stay", thread or ts)
        return thread or ts

    async def let_go(self, thread: str) -> None:
        """Stop the turn that ``hold`` began."""
        await self.press_stop(people.ADA.id, self.replies(thread)[0])

    async def press_stop(self, user: str, reply: Message, *, channel: str = SALES) -> None:
        """Press the Stop button of a reply."""
        await self.slack.press(user, channel, reply["ts"], messages.STOP_ACTION)

    async def forge(self, user: str, action_id: str, value: str, *, channel: str = SALES) -> None:
        """A press as anybody can send it: of a button that stands nowhere."""
        core = self.slack.core
        secret = core.triggers.allow(user=user, channel=channel)
        action = {"type": "button", "action_id": action_id, "block_id": "b", "value": value, "action_ts": "1"}
        payload = interactivity.base(core, user, "block_actions") | {
            "container": {"type": "message", "message_ts": "1.0", "channel_id": channel},
            "trigger_id": core.triggers.issue(user),
            "channel": {"id": channel, "name": "anywhere"},
            "response_url": interactivity.response_url(core, "actions", secret),
            "actions": [action],
        }
        assert (await interactivity.ask(core, payload)).acked

    # What they see

    def replies(self, thread: str, *, channel: str = SALES) -> list[Message]:
        """The bot's messages in a thread, oldest first."""
        said = self.slack.thread(channel, thread)
        return [message for message in said if message.get("user") == people.BOT.user_id]

    def ended(self, thread: str, *, channel: str = SALES) -> list[Message]:
        """The bot's messages in a thread that end a reply."""
        return [message for message in self.replies(thread, channel=channel) if is_over(message)]

    async def over(
        self, thread: str, *, channel: str = SALES, count: int = 1, within: float = PATIENCE
    ) -> list[Message]:
        """Wait until ``count`` replies of the thread are over, and return the bot's messages."""
        await self.until(lambda: len(self.ended(thread, channel=channel)) >= count, within=within)
        return self.replies(thread, channel=channel)

    async def replied(self, thread: str, *, count: int) -> None:
        """Wait until ``count`` replies of the thread have begun."""
        await self.until(lambda: len(self.replies(thread)) >= count)

    async def saying(
        self, text: str, thread: str, *, channel: str = SALES, within: float = PATIENCE
    ) -> Message:
        """Wait until a message of the bot in the thread says ``text``, and return it."""

        def found() -> Message | None:
            said = self.replies(thread, channel=channel)
            return next((message for message in said if text in words(message)), None)

        message = await self.until(found, within=within)
        assert message is not None
        return message

    async def until(self, predicate: Callable[[], T | None], *, within: float = PATIENCE) -> T:
        """The first true value of ``predicate``; a failure that shows the bot's last lines when none comes."""
        try:
            return await self.slack.wait_for(predicate, timeout=within)
        except TimeoutError as error:
            raise AssertionError(f"it did not come; {self._latest()}") from error

    def _latest(self) -> str:
        said = [
            words(version.message) for kept in list(self.slack.history.values())[-5:] for version in kept[-1:]
        ]
        return "\n---\n".join(
            ["what was said last:", *said, "the bot's last lines:\n" + "".join(self.bot.raw[-25:])]
        )

    async def whisper(self, user: str, act: Awaitable[object]) -> str:
        """What the bot says to this person alone because of ``act``."""
        before = len(self.slack.ephemerals(user))
        await act
        await self.until(lambda: len(self.slack.ephemerals(user)) > before)
        return words(self.slack.ephemerals(user)[-1])

    def versions(self, message: Message, *, channel: str = SALES) -> list[str]:
        """Everything that a message said, one text for each of its edits."""
        return [words(version.message) for version in self.slack.history[(channel, message["ts"])]]

    # What becomes of it

    async def turn(self, ts: str, *, channel: str = SALES) -> turns.Turn | None:
        """The turn that a message began."""
        async with self.database.transaction() as tx:
            return await turns.Turns(tx).find_by_message(
                team_id=people.TEAM.id, channel_id=channel, message_ts=ts
            )

    async def state(self, ts: str, *, channel: str = SALES) -> turns.TurnState | None:
        """How that turn stands."""
        found = await self.turn(ts, channel=channel)
        return found.state if found else None

    async def query(self, statement: str) -> Any:
        """The first value of a statement on the bot's database."""
        connection = await asyncpg.connect(self.database_url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    async def age_events(self) -> None:
        """Let a minute pass for what was accepted and not handled."""
        await self.query("UPDATE events SET received_at = received_at - interval '1 minute'")

    async def turn_count(self) -> int:
        """How many turns there have been."""
        return int(await self.query("SELECT count(*) FROM turns"))

    async def quiet(self) -> None:
        """Wait until everything that Slack had to deliver is delivered and handled."""
        async with asyncio.timeout(PATIENCE):
            while True:
                if not on_the_way() and not await self.unhandled():
                    return
                await asyncio.sleep(0.05)

    async def unhandled(self) -> int:
        """How many events the bot has accepted and not handled."""
        return int(await self.query("SELECT count(*) FROM events WHERE settled_at IS NULL"))

    def prompt(self) -> str:
        """The newest message that the model was given."""
        return prompt_of(self.world.claude.asked[-1])


def words(message: Message) -> str:
    """All text of a message's blocks."""
    said: list[str] = []
    for block in message.get("blocks") or [{"text": message.get("text", "")}]:
        text = block.get("text")
        if text is not None:
            said.append(text if isinstance(text, str) else str(text.get("text")))
        said += [
            str(element["text"])
            for element in block.get("elements") or []
            if isinstance(element.get("text"), str)
        ]
    return "\n".join(said)


def is_over(message: Message) -> bool:
    """Whether this message carries a reply's final line."""
    return any(line.startswith(FINALS) for line in words(message).splitlines())


def has_button(message: Message, action_id: str) -> bool:
    """Whether a button with this action stands in the message."""
    elements = [element for block in message.get("blocks", ()) for element in block.get("elements", ())]
    return any(element.get("action_id") == action_id for element in elements)


def prompt_of(asked: RequestRecord) -> str:
    """The newest prompt in a request to the model."""
    return request.parse(asked.body).prompt


def on_the_way() -> bool:
    """Whether the sandbox's Slack has an event that was not acknowledged yet."""
    return any(task.get_name().startswith("deliver ") for task in asyncio.all_tasks())


@asynccontextmanager
async def staged(*, database_url: str, folder: Path, world: World | None = None) -> AsyncIterator[Stage]:
    """A stage whose bot is yet to be started; it is stopped afterwards."""
    line = lines.Line(database_url)
    await line.connect()
    async with world or World.create() as running:
        stage = Stage(world=running, line=line, database_url=database_url, folder=folder)
        try:
            yield stage
        finally:
            await stage.clear()
            await line.cut()
