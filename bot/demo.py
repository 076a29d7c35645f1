"""The demo: the sandbox's Slack, Databricks and Claude, and the real bot beside them, from one command.

The bot runs as a process of its own, started like in production but for the addresses it is given, so what one
sees is what one gets. With ``ANTHROPIC_API_KEY`` set a real Claude answers instead of the scripted one.
"""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import aiohttp
import click

from bot import errors, logs, manifest
from sandbox import world

BOT_PORT_OFFSET = 10  # from the page's port to the bot's
DATA_DIR = Path(".data") / "demo"
STOP_TIMEOUT = 12.0  # seconds
WORD_SECONDS = 0.025  # how long the scripted model takes for a word
WELCOME = """
Bricklayer is running. Open {page} and write in #sales, for example:

    @bricklayer which region sold most last month?

Ctrl+C ends it."""


def run(*, port: int) -> None:
    """Run the demo until Ctrl+C."""
    logs.configure("warning")
    asyncio.run(_run(port))


async def _run(port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    sandbox = world.World.create(manifest=manifest.load(), chunk_delay=WORD_SECONDS)
    try:
        await sandbox.start(ports=world.Ports(slack=port))
    except OSError as error:
        raise errors.StartError(
            f"--port {port} cannot be used ({error.strerror}). Choose another."
        ) from error
    try:
        click.echo("Starting Bricklayer …")
        bot_port = port + BOT_PORT_OFFSET
        bot = await _start_bot(sandbox.environment(DATA_DIR.absolute()), port=bot_port)
        await _accompany(bot, stop, port=bot_port, page=sandbox.slack.url)
    finally:
        await sandbox.stop()


async def _accompany(bot: asyncio.subprocess.Process, stop: asyncio.Event, *, port: int, page: str) -> None:
    """Say when the bot is ready, and stay until it ends or somebody ends it."""
    gone = asyncio.create_task(bot.wait(), name="wait for the bot")
    asked = asyncio.create_task(stop.wait(), name="wait for a signal")
    ready = asyncio.create_task(_ready(port), name="wait until the bot is ready")
    await asyncio.wait({gone, asked, ready}, return_when=asyncio.FIRST_COMPLETED)
    if ready.done() and not gone.done():
        click.echo(WELCOME.format(page=page))
        await asyncio.wait({gone, asked}, return_when=asyncio.FIRST_COMPLETED)
    for task in (asked, ready):
        task.cancel()
    await _end(bot, gone)


async def _ready(port: int) -> None:
    async with aiohttp.ClientSession() as http:
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.2)


async def _start_bot(sandboxed: dict[str, str], *, port: int) -> asyncio.subprocess.Process:
    # Nothing of the operator's own Slack or workspace may leak into the demo.
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SLACK_", "DATABRICKS_", "LAKEBASE_", "BRICKLAYER_", "ANTHROPIC_"))
    }
    # A folder without an .env of the operator's.
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    address = f"http://127.0.0.1:{port}"
    environment = {
        "BRICKLAYER_LOG_LEVEL": "warning",
        **kept,
        **sandboxed,
        "PORT": str(port),
        "PUBLIC_URL": address,
    }
    if os.environ.get("ANTHROPIC_API_KEY"):
        own = {name: value for name, value in os.environ.items() if name.startswith("ANTHROPIC_") and value}
        environment |= {"ANTHROPIC_BASE_URL": "https://api.anthropic.com", **own}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", env=environment, cwd=DATA_DIR, start_new_session=True
    )


async def _end(bot: asyncio.subprocess.Process, gone: asyncio.Task[int]) -> None:
    if not gone.done():
        bot.terminate()
        await asyncio.wait({gone}, timeout=STOP_TIMEOUT)
    if not gone.done():
        bot.kill()
    if await gone not in (0, -signal.SIGTERM):
        click.echo("bricklayer: the bot ended by itself; its last lines above say why.", err=True)
