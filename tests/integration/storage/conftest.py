"""One transaction for a whole test, or a stage for those that are about several."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

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


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Where a server of this test's own may live.

    It is not below pytest's directory: each run of root's closes that to all others, and Postgres' user is another.
    """
    with tempfile.TemporaryDirectory(prefix="bricklayer-test-") as folder:
        yield Path(folder)
