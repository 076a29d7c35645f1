"""One world and one proxy for all tests here; what takes time is starting a Claude process, half a second each."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.world import World
from storage.database import Database, Source
from tests.integration.agent import scene as scenes
from tests.integration.conftest import Server


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder with a short name: the path of a Unix socket has about a hundred characters."""
    with tempfile.TemporaryDirectory(prefix="bl-") as made:
        yield Path(made)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world() -> AsyncIterator[World]:
    async with World.create() as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def scene(world: World, postgres: Server, folder: Path) -> AsyncIterator[scenes.Scene]:
    async with postgres.fresh() as url:
        database = Database(Source(url=url))
        async with scenes.build(
            world=world, database=database, folder=folder, upstream=scenes.anthropic(world.claude)
        ) as built:
            yield built
        await database.close()


@pytest.fixture
def jailed(scene: scenes.Scene) -> scenes.Scene:
    """The scene, if this machine allows a jail."""
    if not scene.harness.confinement.jailed:
        pytest.skip("bubblewrap cannot make a jail on this machine")
    return scene


@pytest.fixture(params=["jailed", "restricted"])
def confined(request: pytest.FixtureRequest, scene: scenes.Scene) -> scenes.Scene:
    """The scene in each way in which the CLI can be confined."""
    if request.param == "restricted":
        return scene.restricted()
    jailed: scenes.Scene = request.getfixturevalue("jailed")
    return jailed
