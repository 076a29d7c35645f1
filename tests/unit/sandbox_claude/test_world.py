"""The three stand-ins together, in a test's loop and as a process."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from sandbox.claude import questions, tables
from sandbox.world import World
from tests.unit.sandbox_claude import driving

# The world's first start fills DuckDB with sample data.
pytestmark = pytest.mark.timeout(60)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World.create() as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_the_environment_names_all_three(world: World, tmp_path: Path) -> None:
    environment = world.environment(tmp_path)
    assert environment["SLACK_API_URL"] == f"{world.slack.url}/api/"
    assert environment["DATABRICKS_HOST"] == world.databricks.url
    assert environment["ANTHROPIC_BASE_URL"] == world.claude.url
    assert environment["PROJECTS_BASE_DIR"] == str(tmp_path / "projects")
    assert "SLACK_APP_TOKEN" in environment
    assert "SLACK_SIGNING_SECRET" not in environment


async def test_in_http_mode_the_environment_has_a_signing_secret_instead(tmp_path: Path) -> None:
    async with World.create(events_url="http://127.0.0.1:9/slack/events") as world:
        environment = world.environment(tmp_path)
    assert "SLACK_SIGNING_SECRET" in environment
    assert "SLACK_APP_TOKEN" not in environment


async def test_every_key_of_the_environment_is_accepted(
    world: World, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    environment = world.environment(tmp_path)
    bot = {"authorization": f"Bearer {environment['SLACK_BOT_TOKEN']}"}
    shared = {"authorization": f"Bearer {environment['DATABRICKS_TOKEN']}"}
    model = {"x-api-key": environment["ANTHROPIC_API_KEY"], "anthropic-version": "2023-06-01"}
    async with http.post(f"{environment['SLACK_API_URL']}auth.test", headers=bot) as response:
        assert (await response.json())["ok"] is True
    me = f"{environment['DATABRICKS_HOST']}/api/2.0/preview/scim/v2/Me"
    async with http.get(me, headers=shared) as response:
        assert (await response.json())["userName"] == "shared@brickfield.example"
    async with http.get(f"{environment['ANTHROPIC_BASE_URL']}/v1/models", headers=model) as response:
        assert response.status == 200


async def test_the_workspace_serves_the_same_model(world: World, http: aiohttp.ClientSession) -> None:
    url = f"{world.databricks.url}/serving-endpoints/anthropic/v1/messages"
    headers = {"authorization": "Bearer dapi-ada", "anthropic-version": "2023-06-01"}
    sent = driving.body(driving.user("!!say through the workspace"), model="databricks-claude-opus")
    async with http.post(url, json=sent, headers=headers) as response:
        answer = await response.json()
    assert answer["content"][0]["text"] == "through the workspace"


async def test_after_the_stop_nothing_listens(http: aiohttp.ClientSession) -> None:
    async with World.create() as world:
        url = world.claude.url
    with pytest.raises(aiohttp.ClientConnectionError):
        await http.get(f"{url}/v1/models")


ASKED = (
    "which region sold most last month?",
    "which region sold most in the last 3 weeks?",
    "which region sold most last quarter?",
    "revenue by month",
    "top 3 products this year",
    "top customers",
    "compare the regions with their targets",
    "what tables are there?",
    "describe the tickets table",
    "how many orders yesterday?",
    "how many orders last week?",
    "open tickets by priority",
    "what are the tickets about?",
    "sign-ups in the last 6 weeks",
    "average salary",
    "who am I?",
    "which sensor is hottest?",
)


@pytest.mark.parametrize("line", ASKED)
async def test_the_scripts_statements_run_on_the_sample_data(
    world: World, http: aiohttp.ClientSession, line: str
) -> None:
    question = questions.find(line)
    assert question is not None
    table = await run(world, http, question.sql(line), token="dapi-ada")
    assert table.rows
    assert "**" in question.comment(table, line)


async def run(world: World, http: aiohttp.ClientSession, statement: str, *, token: str) -> tables.Table:
    """The rows of a statement, through the Statement Execution API."""
    warehouse = next(w for w in world.databricks.warehouses.values() if w.state == "RUNNING")
    body = {"statement": statement, "warehouse_id": warehouse.id, "wait_timeout": "30s"}
    url = f"{world.databricks.url}/api/2.0/sql/statements"
    async with http.post(url, json=body, headers={"authorization": f"Bearer {token}"}) as response:
        answer = await response.json()
    assert answer["status"]["state"] == "SUCCEEDED", answer
    columns = tuple(column["name"] for column in answer["manifest"]["schema"]["columns"])
    return tables.Table(columns=columns, rows=tuple(map(tuple, answer["result"]["data_array"])))


async def test_as_a_process_it_says_where_it_is_and_stops_when_told(http: aiohttp.ClientSession) -> None:
    ports = ("--slack-port", "0", "--databricks-port", "0", "--claude-port", "0")
    command = (sys.executable, "-m", "sandbox", *ports)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        lines = await lines_until(process.stdout, "ANTHROPIC_API_KEY")
        base = re.search(r"ANTHROPIC_BASE_URL=(\S+)", lines)
        assert base is not None
        async with http.head(f"{base[1]}/api/hello") as response:
            assert response.status == 200
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await process.wait() == 0
        assert b"has stopped" in await process.stdout.read()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def lines_until(stream: asyncio.StreamReader, word: str) -> str:
    """What a process prints up to the line with this word."""
    lines = ""
    async with asyncio.timeout(30):
        while word not in lines:
            line = await stream.readline()
            assert line, f"ended without {word}: {lines}"
            lines += line.decode()
    return lines


async def test_a_taken_port_is_one_clear_line() -> None:
    taken = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    command = (sys.executable, "-m", "sandbox", "--claude-port", str(port))
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    async with taken, asyncio.timeout(30):
        _, errors = await process.communicate()
    assert process.returncode == 1
    assert errors.decode().startswith("Error: ")
    assert "Traceback" not in errors.decode()
