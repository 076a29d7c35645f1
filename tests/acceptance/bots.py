"""The bot as a process, for tests that speak to it only through Slack's wire."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

START_TIMEOUT = 60.0  # seconds
STOP_TIMEOUT = 15.0  # seconds

# What a developer's shell may hold that would change what the bot does.
HIDDEN = (
    "SLACK_",
    "DATABRICKS_",
    "LAKEBASE_",
    "BRICKLAYER_",
    "ANTHROPIC_",
    "CLAUDE_",
    "PUBLIC_URL",
    "PORT",
    "ENV",
)


@dataclass(kw_only=True)
class Bot:
    """A running ``bricklayer run``; ``lines`` are its log lines, ``raw`` everything that it printed."""

    process: asyncio.subprocess.Process
    raw: list[str] = field(default_factory=list)
    reader: asyncio.Task[None] | None = None

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The structured log so far."""
        return [json.loads(line) for line in self.raw if line.startswith("{")]

    def said(self, event: str) -> bool:
        """Whether it has logged this event."""
        return any(line["event"] == event for line in self.lines)

    @property
    def complaints(self) -> list[str]:
        """What it printed besides its log: nothing, or why it does not start."""
        return [line.rstrip("\n") for line in self.raw if not line.startswith("{")]

    @property
    def port(self) -> int:
        """Where it listens; LookupError before it is ready."""
        for line in self.lines:
            if line["event"] == "ready":
                return int(line["port"])
        raise LookupError("the bot is not ready")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def ready(self) -> None:
        """Wait until it says that it is ready."""
        async with asyncio.timeout(START_TIMEOUT):
            while not self.said("ready"):
                if self.process.returncode is not None:
                    raise RuntimeError("the bot ended: " + "".join(self.raw)[-3000:])
                await asyncio.sleep(0.05)

    async def get(self, path: str) -> tuple[int, str]:
        """Status and body of one of its pages."""
        async with aiohttp.ClientSession() as http, http.get(self.url + path) as answer:
            return answer.status, await answer.text()

    async def ended(self) -> int:
        """Wait until it ends by itself, and return the exit code."""
        async with asyncio.timeout(START_TIMEOUT):
            code = await self.process.wait()
        if self.reader is not None:
            await self.reader
        return code

    async def kill(self) -> None:
        """As bad luck does: without a word."""
        self.process.kill()
        await self.ended()

    async def stop(self) -> int:
        """SIGTERM, and the exit code; killed when it does not end in time."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_TIMEOUT):
                await self.process.wait()
        if self.process.returncode is None:
            self.process.kill()
        if self.reader is not None:
            await self.reader
        return await self.process.wait()

    async def read(self) -> None:
        """Collect what it prints until it ends."""
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            self.raw.append(line.decode(errors="replace"))


async def launch(environment: Mapping[str, str], *, cwd: Path, arguments: tuple[str, ...] = ("run",)) -> Bot:
    """Start the bot with exactly this environment besides the shell's own."""
    shell = {name: value for name, value in os.environ.items() if not name.startswith(HIDDEN)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *arguments,
        env={**shell, "PORT": "0", **environment},
        cwd=cwd,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        limit=2**24,
        start_new_session=True,
    )
    bot = Bot(process=process)
    bot.reader = asyncio.create_task(bot.read(), name="read the bot's log")
    return bot
