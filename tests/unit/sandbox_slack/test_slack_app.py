"""The app as its manifest declares it."""

from pathlib import Path

import pytest
import yaml
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.people import ADA
from sandbox.slack import SlackSandbox
from sandbox.slack.app import App
from tests.unit.sandbox_slack.conftest import refusal

MANIFEST = Path(__file__).parents[3] / "manifest.yml"


async def test_a_manifest_grants_what_it_names_and_nothing_else() -> None:
    app = App.from_manifest(
        {
            "features": {"slash_commands": [{"command": "/dig"}]},
            "oauth_config": {"scopes": {"bot": ["chat:write"], "bot_optional": ["users:read"]}},
            "settings": {"event_subscriptions": {"bot_events": ["app_mention"]}},
        }
    )
    assert app.owns("/dig")
    assert app.scopes == {"chat:write", "users:read"}
    assert app.events == {"app_mention"}
    assert (app.home_tab_enabled, app.is_agent) == (False, False)


async def test_the_projects_own_manifest_is_understood() -> None:
    app = App.from_manifest(yaml.safe_load(MANIFEST.read_text()))
    assert app.owns("/brick")
    assert "chat:write" in app.scopes
    assert "message.channels" in app.events


@pytest.mark.parametrize("granted", [True, False])
async def test_a_home_tab_must_be_enabled(granted: bool) -> None:
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    async with SlackSandbox(app=App(home_tab_enabled=granted)) as slack:
        client = AsyncWebClient(token="xoxb-sandbox-bot", base_url=f"{slack.url}/api/")
        if granted:
            await client.views_publish(user_id=ADA.id, view=home)
        else:
            assert await refusal(client.views_publish(user_id=ADA.id, view=home)) == "not_enabled"
