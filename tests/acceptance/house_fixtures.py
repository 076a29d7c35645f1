"""The two houses that the tests of identity share; modules load this as a plugin.

``production`` is as strict as can be: two replicas on one database, at debug level, in an environment full of other
people's credentials. ``opened`` is a development set-up with every door opened that a setting can open. Both live as
long as the run, so each test brings its people into the state that it needs.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sandbox import people
from sandbox.claude import ClaudeSandbox
from sandbox.databricks import DatabricksSandbox
from sandbox.slack import SlackSandbox
from sandbox.world import World
from tests.acceptance import bots, houses
from tests.integration.conftest import Server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def production(
    postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[houses.House]:
    """Two replicas with production settings."""
    folder = tmp_path_factory.mktemp("production")
    # Slack's limits are another matter, and two replicas that say much meet them.
    world = World(
        slack=SlackSandbox(rate_limits=False), databricks=DatabricksSandbox(), claude=ClaudeSandbox()
    )
    async with houses.built(postgres, folder, world=world) as house:
        settings = {
            **houses.hostile(folder, house.world),
            **houses.at_port(),
            "ENV": "production",
            "BRICKLAYER_SECRET_KEYS": houses.KEY,
            "BRICKLAYER_LOG_LEVEL": "debug",
            "BRICKLAYER_MAX_SESSIONS": "12",
        }
        apart = {"PORT": "0", "BRICKLAYER_DATA_DIR": str(folder / "other")}
        apart["PROJECTS_BASE_DIR"] = str(folder / "other" / "projects")
        other = await bots.launch({**house.stage.environment, **settings, **apart}, cwd=folder)
        try:
            await house.stage.start(settings)
            await other.ready()
            house.replicas = (house.stage.bot, other)
            await house.sign_in(people.ADA)
            await house.begin()
            yield house
        finally:
            await other.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def opened(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[houses.House]:
    """One bot in development that lets everybody in, with a public OAuth client and the model on Databricks."""
    world = World.create()
    world.databricks.oauth.public_client = True
    async with houses.built(postgres, tmp_path_factory.mktemp("opened"), world=world) as house:
        settings = {
            **houses.at_port(),
            "BRICKLAYER_SECRET_KEYS": houses.KEY,
            "DATABRICKS_OAUTH_SCOPES": "all-apis sql offline_access",
            "BRICKLAYER_MODEL_PROVIDER": "databricks",
            "BRICKLAYER_MODEL_CREDENTIALS": "sender",
            "BRICKLAYER_ALLOW_GUESTS": "true",
            "BRICKLAYER_ALLOW_SHARED_CHANNELS": "true",
            "BRICKLAYER_ADMINS": people.CLEO.id,
            "BRICKLAYER_EMAIL_MAPPING": f"{people.CLEO.email}={people.GUS.email}",
        }
        await house.stage.start(settings)
        house.replicas = (house.stage.bot,)
        await house.begin()
        yield house
