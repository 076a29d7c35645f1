"""Migrations: they make what the models say, together or alone, from the bot or from the command line."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from storage import models
from storage.database import Database, Source
from storage.errors import NewerSchemaError
from tests.integration.conftest import Server

ROOT = Path(__file__).resolve().parents[3]

# Everything that Postgres keeps about a table, in words.
DESCRIPTION = """
SELECT 'column', table_name, column_name, data_type, is_nullable, column_default, is_identity
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), NULL, NULL, NULL
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT 'index', tablename, indexname, indexdef, NULL, NULL, NULL FROM pg_indexes WHERE schemaname = 'public'
"""


async def _description(url: str) -> set[tuple[str | None, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return {tuple(row) for row in await connection.fetch(DESCRIPTION) if row[1] != "alembic_version"}
    finally:
        await connection.close()


async def _alembic(url: str, *arguments: str) -> tuple[int | None, str]:
    """What a developer types at the root, with nothing in the environment."""
    command: Sequence[str] = [sys.executable, "-m", "alembic", "-x", f"url={url}", *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env={}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_a_migrated_database_is_what_the_models_say(postgres: Server, database_url: str) -> None:
    async with postgres.fresh(template="template0") as url:
        engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
        async with engine.begin() as connection:
            await connection.run_sync(models.metadata.create_all)
        await engine.dispose()
        assert await _description(database_url) == await _description(url)


async def test_alembic_finds_nothing_to_add(database_url: str) -> None:
    code, output = await _alembic(database_url, "check")
    assert code == 0, output
    assert "No new upgrade operations detected" in output


async def test_there_is_a_way_back_and_forth_again(database_url: str) -> None:
    before = await _description(database_url)
    code, output = await _alembic(database_url, "downgrade", "base")
    assert code == 0, output
    assert await _description(database_url) == set()
    await _alembic(database_url, "upgrade", "head")
    assert await _description(database_url) == before


async def test_alembic_without_a_database_says_how_to_name_one() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "alembic", "current"), cwd=ROOT, stdout=-1, stderr=-2
    )
    output, _ = await process.communicate()
    assert process.returncode != 0
    assert b"-x url=" in output
    assert b"Traceback" not in output


async def test_replicas_that_start_together_migrate_once(postgres: Server) -> None:
    async with postgres.fresh(template="template0") as url:
        replicas = [Database(Source(url=url), replica=f"r{number}") for number in range(4)]
        await asyncio.gather(*(replica.migrate() for replica in replicas))
        await asyncio.gather(*(replica.close() for replica in replicas))
        assert len(await _description(url)) > 100


async def test_migrating_again_changes_nothing(database_url: str) -> None:
    before = await _description(database_url)
    await Database(Source(url=database_url)).migrate()
    assert await _description(database_url) == before


async def test_a_database_of_a_newer_version_is_refused(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.close()
    with pytest.raises(NewerSchemaError, match="9999"):
        await Database(Source(url=database_url)).migrate()


async def test_the_loop_goes_on_while_a_database_is_migrated(postgres: Server) -> None:
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await asyncio.sleep(0)
            longest = max(longest, loop.time() - began)

    async with postgres.fresh(template="template0") as url:
        database = Database(Source(url=url))
        watching = asyncio.create_task(watch())
        await database.migrate()
        watching.cancel()
        await database.close()
    assert longest < 0.5, "seconds without a turn of the loop"
