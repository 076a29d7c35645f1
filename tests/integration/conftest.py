"""Real Postgres for tests: one server a run, and a database of its own for every test that wants one.

``database`` lends one that is emptied and lent again, in a few milliseconds; ``database_url`` clones a migrated
template and drops it afterwards, for tests that start the bot as a process or change the schema.
``BRICKLAYER_TEST_PG_URL`` names a server to use instead of an embedded one; its user must be allowed to create
databases.
"""

import asyncio
import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg
import pytest

from storage import models
from storage.database import Database, Source
from storage.embedded import EmbeddedPostgres

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Server:
    """A Postgres server, and the name of a migrated database on it that nobody is connected to."""

    admin_url: str
    template: str
    spare: list[str] = field(default_factory=list)

    def url(self, database: str) -> str:
        """Where that database is."""
        return urlsplit(self.admin_url)._replace(path=f"/{database}").geturl()

    @asynccontextmanager
    async def fresh(self, *, template: str | None = None) -> AsyncIterator[str]:
        """The URL of a new migrated database, dropped afterwards; ``template="template0"`` gives an empty one."""
        name = await self._create(template or self.template)
        try:
            yield self.url(name)
        finally:
            await self.drop(name)

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[str]:
        """The URL of a migrated and empty database, emptied and kept for the next test afterwards."""
        name = self.spare.pop() if self.spare else await self._create(self.template)
        yield self.url(name)
        await self.command(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{name}' AND pid <> pg_backend_pid();"
            + "".join(f"DELETE FROM {table.name};" for table in reversed(models.metadata.sorted_tables)),
            url=self.url(name),
        )
        self.spare.append(name)

    async def _create(self, template: str) -> str:
        name = f"test_{uuid.uuid4().hex[:12]}"
        await self.command(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    async def drop(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        await self.command(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def command(self, statement: str, *, url: str | None = None) -> None:
        """Run a statement outside any transaction of ours, by default in the administrator's database."""
        connection = await asyncpg.connect(url or self.admin_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The server of this run."""
    given = os.environ.get("BRICKLAYER_TEST_PG_URL")
    if given:
        server = Server(admin_url=given, template=f"template_{uuid.uuid4().hex[:12]}")
        _run(_prepare(server))
        yield server
        for name in (*server.spare, server.template):
            _run(server.drop(name))
        return
    with tempfile.TemporaryDirectory(prefix="bricklayer-test-") as folder:
        embedded = _run(EmbeddedPostgres.start(Path(folder)))
        server = Server(admin_url=embedded.source.url, template="template_bricklayer")
        # The run's data is thrown away: waiting for the disk would only make it slow.
        _run(server.command("ALTER SYSTEM SET fsync = off"))
        _run(server.command("SELECT pg_reload_conf()"))
        _run(_prepare(server))
        yield server
        _run(embedded.stop())


@pytest.fixture
async def database_url(postgres: Server) -> AsyncIterator[str]:
    """The URL of a migrated database of this test's own, as for a bot that runs as a process."""
    async with postgres.fresh() as url:
        yield url


@pytest.fixture
async def database(postgres: Server) -> AsyncIterator[Database]:
    """A migrated database that is this test's own while it runs."""
    async with postgres.lent() as url:
        database = Database(Source(url=url))
        yield database
        await database.close()


async def _prepare(server: Server) -> None:
    await server.command(f"CREATE DATABASE {server.template}")
    database = Database(Source(url=server.url(server.template)))
    await database.migrate()
    await database.close()


def _run(coroutine: Coroutine[Any, Any, T]) -> T:
    """In a thread with a loop of its own, so that the loops of the tests are not touched."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
