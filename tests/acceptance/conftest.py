"""The whole bot against the sandbox: a world and a database of its own for each test, and ways to read a thread."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import people
from sandbox.world import World
from tests.acceptance import bots
from tests.integration.conftest import database_url, postgres

__all__ = ["database_url", "postgres"]

SALES = "C0SALES01"
ENGINEERING = "C0ENG0001"


class Stage:
    """A world with a bot in it."""

    def __init__(self, world: World, environment: dict[str, str], cwd: Path) -> None:
        self.world = world
        self.environment = environment
        self.cwd = cwd

    async def ask(self, text: str, *, user: str = people.ADA.id, channel: str = SALES, thread: str | None = None) -> str:
        """Say something to the bot; returns the message's ts. In a channel's root it is mentioned."""
        said = text if thread or channel.startswith("D") else f"@bricklayer {text}"
        return await self.world.slack.say(user, channel, said, thread_ts=thread)

    def replies(self, thread: str, *, channel: str = SALES) -> list[dict[str, Any]]:
        """The bot's messages in a thread, oldest first."""
        return [
            message
            for message in self.world.slack.thread(channel, thread)
            if message.get("user") == people.BOT.user_id
        ]

    async def over(
        self, thread: str, *, channel: str = SALES, count: int = 1, timeout: float = 30
    ) -> list[dict[str, Any]]:
        """Wait until ``count`` replies of the thread are over, and return the bot's messages."""
        await self.world.slack.wait_for(
            lambda: sum(is_over(message) for message in self.replies(thread, channel=channel)) >= count,
            timeout=timeout,
        )
        return self.replies(thread, channel=channel)

    async def answer(self, text: str, **where: Any) -> str:
        """Ask at the root of a channel, wait for the end, and return everything the reply says."""
        thread = await self.ask(text, **where)
        return words((await self.over(thread, channel=where.get("channel", SALES)))[-1])


def words(message: dict[str, Any]) -> str:
    """All text of a message's blocks."""
    said: list[str] = []
    for block in message.get("blocks") or []:
        text = block.get("text")
        if text is not None:
            said.append(text if isinstance(text, str) else str(text.get("text")))
        said += [str(element["text"]) for element in block.get("elements") or [] if isinstance(element.get("text"), str)]
    return "\n".join(said)


def is_over(message: dict[str, Any]) -> bool:
    """Whether this message carries a reply's final line."""
    finals = ("Done in", "Stopped after", "Failed after", "Interrupted after")
    return any(line.startswith(finals) for line in words(message).splitlines())


@pytest.fixture
async def stage(database_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """A world and the environment of a bot in it; the test starts the bot."""
    async with World.create() as world:
        environment = {**world.environment(tmp_path / "data"), "LAKEBASE_PG_URL": database_url}
        yield Stage(world, environment, tmp_path)


@pytest.fixture
async def bot(stage: Stage) -> AsyncIterator[bots.Bot]:
    """A bot that runs in the stage's world."""
    async with bots.running(stage.environment, cwd=stage.cwd) as running:
        yield running
