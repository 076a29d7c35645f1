"""The stage of a module: a world, a database and a running bot that the module's tests share.

Everything runs in the session's event loop, so that the world goes on between tests. Modules say so with
``pytestmark = pytest.mark.asyncio(loop_scope="session")``.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.acceptance import stages
from tests.integration.conftest import Server, postgres

__all__ = ["postgres"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bare_stage(
    postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[stages.Stage]:
    """A stage whose bot the test starts."""
    async with (
        postgres.fresh() as url,
        stages.staged(database_url=url, folder=tmp_path_factory.mktemp("stage")) as stage,
    ):
        yield stage


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(bare_stage: stages.Stage) -> stages.Stage:
    """A stage with a running bot."""
    await bare_stage.start()
    return bare_stage
