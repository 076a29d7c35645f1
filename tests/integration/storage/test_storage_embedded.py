"""The embedded Postgres: quick, shared, and indifferent to kills."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest

from storage.database import Database
from storage.embedded import EmbeddedPostgres
from storage.errors import EmbeddedPostgresError
from storage.teams import Teams

USE_IT = """
import asyncio, pathlib, sys, warnings
warnings.simplefilter("error")
from storage.embedded import EmbeddedPostgres

async def main() -> None:
    server = await EmbeddedPostgres.start(pathlib.Path(sys.argv[1]))
    print("up", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await server.stop()

asyncio.run(main())
"""


def _another_process(data_dir: Path) -> subprocess.Popen[str]:
    """Another user of the same server, until it is sent a line; its environment is empty."""
    process = subprocess.Popen(
        [sys.executable, "-c", USE_IT, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": os.getcwd()},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def _dismiss(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=10)
    assert process.returncode == 0


async def _answers(server: EmbeddedPostgres) -> None:
    database = Database(server.source)
    await database.ping()
    await database.close()


def _pid(data_dir: Path) -> int:
    return int((data_dir / "postgres/cluster/postmaster.pid").read_text().splitlines()[0])


def _is_up(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


async def test_the_second_start_takes_less_than_a_second_and_finds_the_data(data_dir: Path) -> None:
    server = await EmbeddedPostgres.start(data_dir)
    database = Database(server.source)
    await database.migrate()
    async with database.transaction() as tx:
        await Teams(tx).upsert(team_id="T1", name="Brickfield", bot_user_id="U0")
    await database.close()
    await server.stop()
    began = time.monotonic()
    server = await EmbeddedPostgres.start(data_dir)
    assert time.monotonic() - began < 1
    database = Database(server.source)
    async with database.transaction() as tx:
        assert await Teams(tx).get("T1") is not None
    await database.close()
    await server.stop()


async def test_stopping_takes_less_than_three_seconds_even_with_clients(data_dir: Path) -> None:
    server = await EmbeddedPostgres.start(data_dir)
    database = Database(server.source)
    async with database.transaction():
        began = time.monotonic()
        await server.stop()
        assert time.monotonic() - began < 3
    await server.stop()
    await database.close()
    assert not (data_dir / "postgres/cluster/postmaster.pid").exists()


async def test_the_last_user_shuts_the_server_down(data_dir: Path) -> None:
    ours = await EmbeddedPostgres.start(data_dir)
    pid = _pid(data_dir)
    theirs = await asyncio.to_thread(_another_process, data_dir)
    await asyncio.to_thread(_dismiss, theirs)
    await _answers(ours)
    theirs = await asyncio.to_thread(_another_process, data_dir)
    await ours.stop()
    assert _is_up(pid)
    await asyncio.to_thread(_dismiss, theirs)
    assert not _is_up(pid)


async def test_a_killed_user_does_not_count(data_dir: Path) -> None:
    theirs = await asyncio.to_thread(_another_process, data_dir)
    theirs.kill()
    theirs.communicate(timeout=10)
    pid = _pid(data_dir)
    server = await EmbeddedPostgres.start(data_dir)
    assert _pid(data_dir) == pid, "the server that was left running is used"
    await server.stop()
    assert not _is_up(pid)


async def test_a_killed_server_recovers(data_dir: Path) -> None:
    before = await EmbeddedPostgres.start(data_dir)
    database = Database(before.source)
    await database.ping()
    os.kill(_pid(data_dir), signal.SIGKILL)
    after = await EmbeddedPostgres.start(data_dir)
    await database.wait_until_ready(timeout=5)
    await database.close()
    await before.stop()
    await after.stop()


async def test_a_pid_that_now_belongs_to_another_program_is_not_believed(data_dir: Path) -> None:
    server = await EmbeddedPostgres.start(data_dir)
    pid_file = data_dir / "postgres/cluster/postmaster.pid"
    lines = pid_file.read_text().splitlines()
    await server.stop()
    ours = os.getpid()
    pid_file.write_text("\n".join([str(ours), *lines[1:], ""]))
    server = await EmbeddedPostgres.start(data_dir)
    assert _pid(data_dir) != ours
    await _answers(server)
    await server.stop()


async def test_a_cluster_whose_making_was_interrupted_is_made_again(data_dir: Path) -> None:
    draft = data_dir / "postgres/cluster.draft"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    server = await EmbeddedPostgres.start(data_dir)
    await _answers(server)
    await server.stop()


@pytest.mark.parametrize("name", ["x" * 120, "a, b 'c' \"d\" %é"])
async def test_a_directory_whose_name_does_not_fit_into_an_address_works(data_dir: Path, name: str) -> None:
    server = await EmbeddedPostgres.start(data_dir / name)
    await _answers(server)
    socket_dir = parse_qs(urlsplit(server.source.url).query)["host"][0]
    assert os.stat(socket_dir).st_mode & 0o077 == 0, "nobody else may connect"
    await server.stop()
    os.rmdir(socket_dir)


async def test_a_server_that_cannot_start_says_why(data_dir: Path) -> None:
    server = await EmbeddedPostgres.start(data_dir)
    await server.stop()
    (data_dir / "postgres/cluster/PG_VERSION").write_text("9.6\n")
    with pytest.raises(EmbeddedPostgresError, match=r"version 9\.6"):
        await EmbeddedPostgres.start(data_dir)
