"""``make bench``: how fast a message is answered, beside a baseline that starts a CLI for each message.

The whole bot runs as a process against the sandbox, whose Slack and model answer at once, so what is measured is ours:
from the moment in which a person's message is in Slack until the bot's text stands in the thread. Figures depend on the
machine; the ratio between bot and baseline, taken in turn within one run, travels better.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import claude_agent_sdk as sdk
import click

from agent import jail
from bench.series import Series
from sandbox import people
from sandbox.world import World

ROUNDS = 20
CHANNEL = "C0SALES01"
PORT = 3299
START_TIMEOUT = 90.0  # seconds
HIDDEN = ("SLACK_", "DATABRICKS_", "LAKEBASE_", "BRICKLAYER_", "ANTHROPIC_", "CLAUDE_")


@asynccontextmanager
async def running_bot(world: World, folder: Path) -> AsyncIterator[None]:
    """The bot as a process, ready."""
    shell = {name: value for name, value in os.environ.items() if not name.startswith(HIDDEN)}
    environment = {**shell, **world.environment(folder), "BRICKLAYER_LOG_LEVEL": "warning", "PORT": str(PORT)}
    bot = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", env=environment, cwd=folder
    )
    try:
        async with asyncio.timeout(START_TIMEOUT), aiohttp.ClientSession() as http:
            while True:
                if await _is_ready(http):
                    break
                await asyncio.sleep(0.2)
        yield
    finally:
        bot.terminate()
        await bot.wait()


async def _is_ready(http: aiohttp.ClientSession) -> bool:
    try:
        async with http.get(f"http://127.0.0.1:{PORT}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def until(world: World, thread: str, holds: Callable[[list[dict[str, Any]]], bool]) -> None:
    """Wait until the bot's messages in a thread are such that ``holds``."""

    def mine() -> bool:
        said = [
            message
            for message in world.slack.thread(CHANNEL, thread)
            if message["user"] == people.BOT.user_id
        ]
        return holds(said)

    await world.slack.wait_for(mine, timeout=30)


async def ask(world: World, word: str, *, thread: str | None, shown: Series | None, text: Series) -> str:
    """One message and its answer; returns the thread. ``shown`` takes the time until the reply's first message."""
    mention = "" if thread else "@bricklayer "
    before = 0 if thread is None else len(world.slack.thread(CHANNEL, thread))
    began = time.perf_counter()
    ts = await world.slack.say(people.ADA.id, CHANNEL, f"{mention}!!say {word}", thread_ts=thread)
    root = thread or ts
    await until(world, root, lambda said: len(world.slack.thread(CHANNEL, root)) >= before + 2)
    if shown is not None:
        shown.add(time.perf_counter() - began)
    await until(world, root, lambda said: any(word in str(message.get("blocks")) for message in said))
    text.add(time.perf_counter() - began)
    await until(world, root, lambda said: all("Done in" in str(message.get("blocks")) for message in said))
    return root


async def baseline(world: World, entry: Path, folder: Path, series: Series) -> None:
    """What a bot that starts a CLI for each message pays before the first text, without anything of its own."""
    environment = {
        "ANTHROPIC_BASE_URL": world.claude.url,
        "ANTHROPIC_API_KEY": world.claude.api_keys[0],
        "CLAUDE_CONFIG_DIR": str(folder),
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    options = sdk.ClaudeAgentOptions(
        cli_path=entry,
        cwd=folder,
        env=environment,
        tools=["Read"],
        setting_sources=[],
        include_partial_messages=True,
    )
    began = time.perf_counter()
    first: float | None = None
    async for message in sdk.query(prompt="!!say hello", options=options):
        if (
            first is None
            and isinstance(message, sdk.StreamEvent)
            and message.event["type"] == "content_block_delta"
        ):
            first = time.perf_counter() - began
    series.add(first or 0.0)


async def measure(rounds: int) -> list[Series]:
    """All series, their runs taken in turn."""
    shown = Series(name="message → reply shown (new thread)")
    cold = Series(name="message → first text, cold (new thread, CLI starts)")
    warm = Series(name="message → first text, warm follow-up")
    cli = Series(name="baseline: a CLI started for each message → first text")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with World.create() as world, running_bot(world, folder):
            # Slack's limits are its own time, not ours.
            world.slack.core.rates.enabled = False
            await ask(world, "warm-up", thread=None, shown=None, text=Series(name=""))
            for number in range(rounds):
                root = await ask(world, f"cold-{number}", thread=None, shown=shown, text=cold)
                await ask(world, f"warm-{number}", thread=root, shown=None, text=warm)
                await baseline(world, jail.bundled_cli(), folder, cli)
            sizes = [
                record.size
                for record in world.claude.asked
                if "mcp__databricks__execute_sql" in str(record.body)
            ]
    click.echo(f"first request of a conversation to the model: {min(sizes) / 1000:.1f} kB")
    return [shown, cold, warm, cli]


@click.command()
@click.option("--rounds", default=ROUNDS, show_default=True, help="Runs of each series.")
def main(rounds: int) -> None:
    """Measure and print a table, in milliseconds."""
    shown, cold, warm, cli = asyncio.run(measure(rounds))
    click.echo(f"{'milliseconds':<58}{'min':>9}{'median':>9}{'p95':>9}{'max':>9}")
    for series in (shown, cold, warm, cli):
        click.echo(series.row())
    click.echo(f"baseline / warm follow-up: {cli.median / warm.median:.1f} times")
    click.echo(f"cold / baseline: {cold.median / cli.median:.2f}")


main()
