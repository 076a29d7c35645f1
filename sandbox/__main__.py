"""``python -m sandbox``: the whole outside world as one process, until it is told to stop."""

import asyncio
import shlex
import signal
from pathlib import Path

import click

from sandbox import people, world

#: seconds that the model takes for a word, so that a person sees the answer grow
CHUNK_DELAY = 0.025


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--slack-port", default=3200, show_default=True, help="Slack and its page.")
@click.option("--databricks-port", default=3201, show_default=True, help="The Databricks workspace.")
@click.option("--claude-port", default=3202, show_default=True, help="The Claude model.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=Path(".data/sandbox"),
    show_default=True,
    help="Where a bot against this world keeps its files; only printed.",
)
@click.option("--events-url", help="Post Slack's events here (HTTP mode) instead of Socket Mode.")
def main(
    host: str,
    slack_port: int,
    databricks_port: int,
    claude_port: int,
    data_dir: Path,
    events_url: str | None,
) -> None:
    """Start a Slack, a Databricks workspace and a Claude model on loopback, until told to stop."""
    ports = world.Ports(slack=slack_port, databricks=databricks_port, claude=claude_port)
    created = world.World.create(events_url=events_url, chunk_delay=CHUNK_DELAY)
    try:
        asyncio.run(_run(created, host=host, ports=ports, data_dir=data_dir))
    except OSError as error:
        raise click.ClickException(f"{error.strerror}. Choose other ports.") from error


async def _run(created: world.World, *, host: str, ports: world.Ports, data_dir: Path) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopped.set)
    await created.start(host=host, ports=ports)
    try:
        _describe(created, data_dir=data_dir)
        await stopped.wait()
    finally:
        await created.stop()
    click.echo("The sandbox has stopped.")


def _describe(running: world.World, *, data_dir: Path) -> None:
    names = ", ".join(f"{person.real_name} ({person.role})" for person in people.PEOPLE)
    click.echo("The sandbox is running. Stop it with Ctrl-C.\n")
    click.echo(f"  Slack       {running.slack.url}   <- open this page to chat")
    click.echo(f"  Databricks  {running.databricks.url}")
    click.echo(f"  Claude      {running.claude.url}   (scripted)")
    click.echo(f"  People      {names}\n")
    click.echo("A bot reaches it with this environment:\n")
    for name, value in running.environment(data_dir.resolve()).items():
        click.echo(f"  export {name}={shlex.quote(value)}")


if __name__ == "__main__":
    main()
