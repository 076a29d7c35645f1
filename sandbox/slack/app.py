"""The app as its manifest declares it: what it may do, what it hears, and which commands it owns.

The sandbox never reads a file: whoever has a manifest passes its parsed mapping to ``App.from_manifest``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BOT_SCOPES = frozenset(
    "app_mentions:read assistant:write channels:history channels:join channels:read chat:write commands files:read "
    "files:write groups:history groups:read im:history im:read im:write reactions:read reactions:write "
    "team:read users:read users:read.email".split()
)
BOT_EVENTS = frozenset(
    "agent_session_stopped app_home_opened app_mention member_joined_channel member_left_channel "
    "message.channels message.groups message.im".split()
)


@dataclass(frozen=True, kw_only=True)
class Command:
    """One slash command of the app."""

    command: str
    description: str
    usage_hint: str = ""


BRICK = Command(
    command="/brick", description="Projects, sign-in, settings and help of Bricklayer", usage_hint="help"
)


@dataclass(frozen=True, kw_only=True)
class App:
    """What the manifest grants. The defaults are those of an agent with Home and Messages tabs."""

    commands: tuple[Command, ...] = (BRICK,)
    scopes: frozenset[str] = BOT_SCOPES
    events: frozenset[str] = BOT_EVENTS
    home_tab_enabled: bool = True
    messages_tab_enabled: bool = True
    is_agent: bool = True

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> "App":
        """The app of a parsed manifest (docs.slack.dev/reference/app-manifest); absent parts grant nothing."""
        features = manifest.get("features", {})
        home = features.get("app_home", {})
        settings = manifest.get("settings", {})
        scopes = manifest.get("oauth_config", {}).get("scopes", {})
        return cls(
            commands=tuple(_command(entry) for entry in features.get("slash_commands", ())),
            scopes=frozenset([*scopes.get("bot", ()), *scopes.get("bot_optional", ())]),
            events=frozenset(settings.get("event_subscriptions", {}).get("bot_events", ())),
            home_tab_enabled=bool(home.get("home_tab_enabled")),
            messages_tab_enabled=bool(home.get("messages_tab_enabled")),
            is_agent="agent_view" in features,
        )

    def owns(self, command: str) -> bool:
        """Whether the app declared this slash command."""
        return any(entry.command == command for entry in self.commands)


def _command(entry: Mapping[str, Any]) -> Command:
    return Command(
        command=entry["command"],
        description=entry.get("description", ""),
        usage_hint=entry.get("usage_hint", ""),
    )
