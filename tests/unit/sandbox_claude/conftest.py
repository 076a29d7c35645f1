"""A running stand-in, plain HTTP to it, and the real Claude CLI pointed at it."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from sandbox import claude
from tests.unit.sandbox_claude import driving


@pytest.fixture
async def model() -> AsyncIterator[claude.ClaudeSandbox]:
    async with claude.ClaudeSandbox() as running:
        yield running


@pytest.fixture
async def http(model: claude.ClaudeSandbox) -> AsyncIterator[driving.Http]:
    async with aiohttp.ClientSession(model.url) as session:
        yield driving.Http(session)


@pytest.fixture
def cli(model: claude.ClaudeSandbox, tmp_path: Path) -> driving.Cli:
    return driving.Cli(url=model.url, folder=tmp_path)
