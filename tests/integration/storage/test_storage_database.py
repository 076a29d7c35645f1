"""The database goes away and comes back: what callers see meanwhile, and that nobody has to restart."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import unquote

import psutil
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from storage.database import Database, Source, notify
from storage.embedded import EmbeddedPostgres
from storage.errors import DatabaseUnavailableError
from storage.teams import Teams
from tests.integration.conftest import Server


async def _one(database: Database) -> int:
    async with database.transaction() as tx:
        return int(await tx.scalar(text("SELECT 1")) or 0)


def _postmaster(source: Source) -> psutil.Process:
    cluster = Path(unquote(source.url.partition("host=")[2]))
    return psutil.Process(int((cluster / "postmaster.pid").read_text().splitlines()[0]))


@contextmanager
def _frozen(source: Source) -> Iterator[None]:
    postmaster = _postmaster(source)
    processes = [postmaster, *postmaster.children()]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)


async def _until(condition: asyncio.Event) -> None:
    async with asyncio.timeout(10):
        await condition.wait()


class Ear:
    """What a listener heard; ``heard`` is set by the next message."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.heard = asyncio.Event()

    def __call__(self, message: str) -> None:
        self.messages.append(message)
        self.heard.set()


@asynccontextmanager
async def _listening(database: Database, ear: Ear) -> AsyncIterator[None]:
    task = asyncio.create_task(database.listen("turns", on_message=ear), name="listen")
    await _until(ear.heard)
    ear.heard.clear()
    yield
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_transaction_commits_at_its_end(database: Database) -> None:
    async with database.transaction() as tx:
        await Teams(tx).upsert(team_id="T1", name="Brickfield", bot_user_id="U0")
    async with database.transaction() as tx:
        assert await Teams(tx).get("T1") is not None


async def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as tx:
            await Teams(tx).upsert(team_id="T1", name="Brickfield", bot_user_id="U0")
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    async with database.transaction() as tx:
        assert await Teams(tx).get("T1") is None


async def test_a_violated_constraint_stays_what_it_is(database: Database) -> None:
    with pytest.raises(IntegrityError) as caught:
        async with database.transaction() as tx:
            await tx.execute(text("INSERT INTO leases (name) VALUES (:name)"), {"name": "secret"})
    assert "hide_parameters" in str(caught.value), "values may be secrets"


async def test_an_error_of_the_callers_own_is_not_the_databases(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as tx:
            await tx.execute(text("SELECT 1"))
            raise TimeoutError

    with pytest.raises(TimeoutError):
        await fail()


async def test_a_host_that_nobody_listens_on_is_unavailable() -> None:
    database = Database(Source(url="postgresql://u@127.0.0.1:1/db"))
    with pytest.raises(DatabaseUnavailableError, match="refused|failed"):
        await _one(database)
    with pytest.raises(DatabaseUnavailableError):
        await database.ping()
    await database.close()


async def test_waiting_for_a_database_that_does_not_come_ends_in_time() -> None:
    database = Database(Source(url="postgresql://u@127.0.0.1:1/db"))
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailableError):
        await database.wait_until_ready(timeout=0.5)
    assert time.monotonic() - began < 3
    await database.close()


async def test_a_password_is_asked_for_at_every_log_in(database_url: str) -> None:
    asked: list[int] = []

    async def password() -> str:
        asked.append(1)
        return "ignored by trust, but asked for"

    database = Database(Source(url=database_url, password=password))
    await _one(database)
    await database.close()
    assert asked


async def test_an_exhausted_pool_is_unavailable(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.database.POOL_TIMEOUT", 0.1)
    database = Database(Source(url=database_url), pool_size=1)
    async with database.transaction() as tx:
        await tx.execute(text("SELECT 1"))
        with pytest.raises(DatabaseUnavailableError, match="busy"):
            await _one(database)
    await database.close()


async def test_a_terminated_connection_is_unavailable_and_replaced(database: Database) -> None:
    with pytest.raises(DatabaseUnavailableError, match="terminating connection"):
        async with database.transaction() as tx:
            await tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert await _one(database) == 1


async def test_connections_that_died_in_the_pool_are_replaced_unnoticed(
    database: Database, postgres: Server
) -> None:
    await asyncio.gather(*(_one(database) for _ in range(3)))
    await postgres.command(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'bricklayer%'"
    )
    for _ in range(3):
        assert await _one(database) == 1


async def test_a_statement_that_takes_too_long_is_unavailable_and_frees_its_connection(
    database_url: str,
) -> None:
    database = Database(Source(url=database_url), pool_size=1, command_timeout=0.2)
    with pytest.raises(DatabaseUnavailableError, match="TimeoutError"):
        async with database.transaction() as tx:
            await tx.execute(text("SELECT pg_sleep(30)"))
    assert await _one(database) == 1
    await database.close()


async def test_a_notification_arrives_when_its_transaction_commits(database: Database) -> None:
    ear = Ear()
    async with _listening(database, ear):
        async with database.transaction() as tx:
            await notify(tx, channel="turns", payload="one")
            await asyncio.sleep(0.05)
            assert ear.messages == [""]
        await _until(ear.heard)
    assert ear.messages == ["", "one"]


async def test_a_listener_whose_connection_is_cut_tells_its_owner_to_look(database: Database) -> None:
    ear = Ear()
    async with _listening(database, ear):
        async with database.transaction() as tx:
            others = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
            await tx.execute(others)
        await _until(ear.heard)
    assert ear.messages == ["", ""]


async def test_a_silent_listener_proves_that_it_is_alive(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.database.HEARTBEAT", 0.02)
    ear = Ear()
    async with _listening(database, ear):
        await asyncio.sleep(0.1)
        assert ear.messages == [""], "it did not reconnect"


async def test_everything_recovers_when_a_stopped_server_comes_back(data_dir: Path) -> None:
    server = await EmbeddedPostgres.start(data_dir)
    database = Database(server.source)
    ear = Ear()
    async with _listening(database, ear):
        assert await _one(database) == 1
        await server.stop()
        with pytest.raises(DatabaseUnavailableError):
            await _one(database)
        server = await EmbeddedPostgres.start(data_dir)
        await database.wait_until_ready(timeout=5)
        assert await _one(database) == 1
        await _until(ear.heard)
    await database.close()
    await server.stop()


async def test_a_frozen_server_is_noticed_in_bounded_time_and_thaws(data_dir: Path) -> None:
    server = await EmbeddedPostgres.start(data_dir)
    database = Database(server.source, pool_size=1, connect_timeout=0.5, command_timeout=0.5)
    assert await _one(database) == 1
    with _frozen(server.source):
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailableError):
            await _one(database)
        assert time.monotonic() - began < 4
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailableError):
            await database.ping()
        assert time.monotonic() - began < 3.5
    await database.wait_until_ready(timeout=5)
    await database.close()
    await server.stop()
