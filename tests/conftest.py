"""What holds for every test: our own code never blocks the event loop."""

import asyncio
from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster

# What others do on the loop, each for milliseconds: the Claude SDK writes a resumed transcript to disk, alembic reads
# its scripts at the start, asyncpg looks for certificates, structlog's console shows the source of a traceback.
MAY_BLOCK = (
    ("claude_agent_sdk/_internal/session_resume.py", {"materialize_resume_session", "_rmtree_with_retry"}),
    ("claude_agent_sdk/_internal/transport/subprocess_cli.py", {"connect", "_close_process", "close"}),
    ("storage/migrations.py", {"upgrade"}),
    ("asyncpg/connect_utils.py", {"_parse_connect_dsn_and_args"}),
    ("structlog/dev.py", {"__call__"}),
)


@pytest.fixture(autouse=True)
def no_blocking_calls() -> Iterator[None]:
    """A call that blocks the loop below a frame of ours raises ``BlockingError``."""
    watch = BlockBuster(["bot", "agent", "storage"])
    for function in watch.functions.values():
        for filename, names in MAY_BLOCK:
            function.can_block_in(filename, names)
    watch.activate()
    yield
    watch.deactivate()


def pytest_configure() -> None:
    """Say once that there is no current loop; else looptime makes one for the first plain test and leaves it open."""
    asyncio.set_event_loop(None)
