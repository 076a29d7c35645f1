"""A workspace, and replicas of the identity service on one database."""

from collections.abc import AsyncIterator

import pytest

from sandbox.databricks import DatabricksSandbox
from storage.database import Database, Source
from tests.integration.databricks.stage import Replica, settings_for


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """By its URL, so that a second replica can connect to the same."""
    database = Database(Source(url=database_url))
    yield database
    await database.close()


@pytest.fixture
async def workspace() -> AsyncIterator[DatabricksSandbox]:
    async with DatabricksSandbox() as standing:
        yield standing


@pytest.fixture
async def replica(database: Database, workspace: DatabricksSandbox) -> AsyncIterator[Replica]:
    replica = Replica(database=database, settings=settings_for(workspace))
    yield replica
    await replica.close()


@pytest.fixture
async def other_replica(database_url: str, workspace: DatabricksSandbox) -> AsyncIterator[Replica]:
    """A second process on the same database, with connections of its own."""
    database = Database(Source(url=database_url))
    replica = Replica(database=database, settings=settings_for(workspace))
    yield replica
    await replica.close()
    await database.close()
