"""The commands of ``bricklayer``. Whatever stops one is said in one line on standard error; wrong settings exit with 2."""

import asyncio
import sys
from contextlib import AsyncExitStack

import click

from agent import errors as agent_errors
from bot import errors, logs, settings
from bot import manifest as manifest_
from storage import vault


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bricklayer")
def cli() -> None:
    """Build on Databricks from Slack, as yourself."""


@cli.command()
def run() -> None:
    """Run the bot until it is stopped."""
    chosen = _load()
    logs.configure(chosen.bricklayer_log_level)
    # After the settings are known to be right: what the service is made of takes seconds to import.
    from bot import service

    sys.exit(asyncio.run(service.run(chosen)))


@cli.command()
@click.option("--port", default=3200, show_default=True, help="Port of the page to chat in.")
def demo(port: int) -> None:
    """Run the bot against the sandbox, with a page to chat in."""
    # The sandbox is not installed where only the bot runs.
    from bot import demo as demo_module

    demo_module.run(port=port)


@cli.command()
def migrate() -> None:
    """Bring the database up to date; `run` does it too."""
    chosen = _load()
    logs.configure(chosen.bricklayer_log_level)
    from bot import foundations

    async def work() -> None:
        async with AsyncExitStack() as stack:
            await foundations.open_database(chosen, stack, replica="migrate")

    asyncio.run(work())
    click.echo("The database is up to date.")


@cli.command()
def manifest() -> None:
    """Print the Slack app manifest, to paste at api.slack.com/apps."""
    click.echo(manifest_.text(), nl=False)


@cli.command(name="generate-key")
def generate_key() -> None:
    """Print a new key for BRICKLAYER_SECRET_KEYS."""
    click.echo(vault.Vault.generate_key())


def _load() -> settings.Settings:
    try:
        return settings.load()
    except settings.SettingsError as error:
        click.echo(f"bricklayer: {error}", err=True)
        sys.exit(settings.EXIT_CODE)


def main() -> None:
    """The console script."""
    try:
        cli()
    except (errors.StartError, agent_errors.AgentError) as error:
        click.echo(f"bricklayer: {error}", err=True)
        sys.exit(settings.EXIT_CODE)
