"""The manifest is one that Slack takes, and grants what the code needs."""

import json
from pathlib import Path

import jsonschema
import pytest

from bot import manifest
from bot.listeners import commands
from bot.views import help

SCHEMA = Path(__file__).parent / "manifest.schema.json"


def test_slacks_own_schema_accepts_it() -> None:
    jsonschema.validate(manifest.load(), json.loads(SCHEMA.read_text()))


def test_the_command_is_the_one_that_is_listened_to() -> None:
    (command,) = manifest.load()["features"]["slash_commands"]

    assert command["command"] == commands.COMMAND
    for word in help.WORDS:
        assert word.name in command["usage_hint"]


@pytest.mark.parametrize(
    ("event", "scope"),
    [
        ("app_mention", "app_mentions:read"),
        ("message.channels", "channels:history"),
        ("message.groups", "groups:history"),
        ("message.im", "im:history"),
    ],
)
def test_every_subscribed_event_has_its_scope(event: str, scope: str) -> None:
    loaded = manifest.load()

    assert event in loaded["settings"]["event_subscriptions"]["bot_events"]
    assert scope in loaded["oauth_config"]["scopes"]["bot"]
