"""The Slack app's manifest: the one place that says which scopes, events and commands the bot has."""

from pathlib import Path
from typing import Any

import yaml

PATH = Path(__file__).resolve().parent.parent / "manifest.yml"


def text() -> str:
    """The manifest as it is pasted at api.slack.com/apps."""
    return PATH.read_text()


def load() -> dict[str, Any]:
    """The manifest as a mapping."""
    parsed: dict[str, Any] = yaml.safe_load(text())
    return parsed
