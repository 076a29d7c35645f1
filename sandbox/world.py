"""Slack, Databricks and Claude together, wired as a bot finds them."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sandbox.claude import ClaudeSandbox
from sandbox.databricks import DatabricksSandbox
from sandbox.slack import SlackSandbox
from sandbox.slack.app import App

#: the workspace's token that belongs to nobody, for people without a linked account during development
SHARED_TOKEN = "dapi-shared"
OAUTH_CLIENT_ID = "bricklayer"
OAUTH_CLIENT_SECRET = "bricklayer-secret"


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Where each stand-in listens; 0 takes a free port."""

    slack: int = 0
    databricks: int = 0
    claude: int = 0


class World:
    """The three stand-ins, started and stopped as one."""

    def __init__(self, *, slack: SlackSandbox, databricks: DatabricksSandbox, claude: ClaudeSandbox) -> None:
        self.slack = slack
        self.databricks = databricks
        self.claude = claude
        self._running = AsyncExitStack()

    @classmethod
    def create(
        cls,
        *,
        manifest: Mapping[str, Any] | None = None,
        events_url: str | None = None,
        chunk_delay: float = 0.0,
    ) -> Self:
        """A new world, not yet started.

        With a Slack app's ``manifest`` Slack grants and sends what that says, and no more. With ``events_url`` Slack posts its events there (HTTP mode) instead of sending them through Socket Mode.
        ``chunk_delay`` is how long the model takes for a word, in seconds.
        """
        return cls(
            slack=SlackSandbox(events_url=events_url, app=App.from_manifest(manifest) if manifest else None),
            databricks=DatabricksSandbox(),
            claude=ClaudeSandbox(chunk_delay=chunk_delay),
        )

    async def start(self, *, host: str = "127.0.0.1", ports: Ports | None = None) -> None:
        """Start all three; when one cannot, those already started are stopped again."""
        chosen = ports or Ports()
        async with AsyncExitStack() as starting:
            await self.claude.start(host=host, port=chosen.claude)
            starting.push_async_callback(self.claude.stop)
            # Databricks serves models as well: the workspace passes such requests on.
            self.databricks.model_url = self.claude.url
            await self.databricks.start(host=host, port=chosen.databricks)
            starting.push_async_callback(self.databricks.stop)
            await self.slack.start(host=host, port=chosen.slack)
            starting.push_async_callback(self.slack.stop)
            self._running = starting.pop_all()

    async def stop(self) -> None:
        """Stop all three, the last started first."""
        await self._running.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def environment(self, data_dir: Path) -> dict[str, str]:
        """The variables that a bot needs to run against this world, with its own files under ``data_dir``."""
        return {
            "ENV": "development",
            "BRICKLAYER_DATA_DIR": str(data_dir),
            "PROJECTS_BASE_DIR": str(data_dir / "projects"),
            **self._slack_environment(),
            **self._databricks_environment(),
            "ANTHROPIC_BASE_URL": self.claude.url,
            "ANTHROPIC_API_KEY": self.claude.api_keys[0],
        }

    def _slack_environment(self) -> dict[str, str]:
        keys = self.slack.core.keys
        common = {"SLACK_API_URL": f"{self.slack.url}/api/", "SLACK_BOT_TOKEN": keys.bot_token}
        if self.slack.events_url is not None:
            return {**common, "SLACK_SIGNING_SECRET": keys.signing_secret}
        return {**common, "SLACK_APP_TOKEN": keys.app_token}

    def _databricks_environment(self) -> dict[str, str]:
        common = {
            "DATABRICKS_HOST": self.databricks.url,
            "DATABRICKS_TOKEN": SHARED_TOKEN,
            "DATABRICKS_OAUTH_CLIENT_ID": OAUTH_CLIENT_ID,
        }
        if self.databricks.oauth.public_client:
            return common
        return {**common, "DATABRICKS_OAUTH_CLIENT_SECRET": OAUTH_CLIENT_SECRET}
