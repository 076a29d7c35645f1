"""A wire to look at, a pool to call through."""

from collections.abc import AsyncIterator

import pytest

from agent.databricks.threads import CallPool
from tests.unit.databricks.wire import Wire


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with Wire() as standing:
        yield standing


@pytest.fixture
async def pool() -> AsyncIterator[CallPool]:
    pool = CallPool(threads=8, per_key=4)
    yield pool
    await pool.close(grace=1)
