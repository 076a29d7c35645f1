"""One transaction for a whole test, or a stage for those that are about several."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from storage.database import Database
from tests.integration.storage.stage import Stage


@pytest.fixture
async def tx(database: Database) -> AsyncIterator[AsyncSession]:
    """One transaction for the whole test."""
    async with database.transaction() as tx:
        yield tx


@pytest.fixture
def stage(database: Database) -> Stage:
    """The ways to fill this test's database."""
    return Stage(database)
