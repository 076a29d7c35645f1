"""Whose rights a turn has: its sender's, whatever else is going on, and nobody's where there are none."""

import asyncio
import re
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from sandbox import people
from sandbox.people import ADA, BEN, CLEO
from sandbox.world import SHARED_TOKEN
from storage import conversations, leases, turns
from tests.acceptance import bots, houses, stages

pytest_plugins = ["tests.acceptance.house_fixtures"]
pytestmark = pytest.mark.asyncio(loop_scope="session")

EVERYBODY = (ADA, BEN, CLEO)
CHANNELS = (stages.SALES, stages.ENGINEERING)


async def test_every_call_of_a_turn_is_its_senders_and_every_refresh_token_is_spent_once(
    production: houses.House,
) -> None:
    await production.sign_in(*EVERYBODY)
    threads = await _threads_on_both_replicas(production)
    since = production.now

    await asyncio.gather(_interleaved(production, "calm"), *_rounds(production, threads, "calm"))

    _assert_everybody_is_themselves(production, since=since)

    # All tokens die at once, while both replicas believe that they live.
    tokens = {person: await production.token(person) for person in EVERYBODY}
    spent_before = len(production.world.databricks.refreshes)
    since = production.now
    production.world.databricks.expire_access_tokens()

    await asyncio.gather(*_rounds(production, threads, "after the end"))

    _assert_everybody_is_themselves(production, since=since)
    spent = production.world.databricks.refreshes[spent_before:]
    assert Counter(user for user, _ in spent) == {person.email: 1 for person in EVERYBODY}
    assert max(Counter(token for _, token in production.world.databricks.refreshes).values()) == 1
    assert all([await production.token(person) != tokens[person] for person in EVERYBODY])
    assert await production.stage.query("SELECT count(*) FROM turns WHERE hold IS NOT NULL") == 0


async def test_without_a_sign_in_nothing_reaches_databricks(production: houses.House) -> None:
    # The environment is full of tokens, profiles and secrets that would open it.
    await production.sign_out(BEN)
    since = production.now

    ts = await production.sql(BEN, "as nobody")
    await production.held(ts)
    await asyncio.sleep(0.5)

    assert production.world.databricks.requests[-1].path == "/oidc/v1/revoke" or production.now == since
    assert production.users("as nobody") == set()
    await production.brick(BEN, "stop")
    assert (await production.over(ts)).state is turns.TurnState.STOPPED


async def test_nobody_ever_acts_as_the_service_or_with_a_shared_token(production: houses.House) -> None:
    await production.sign_in(ADA)
    await production.over(await production.sql(ADA, "as ada"))

    everything = production.calls(path="/")
    assert "as ada" in str(everything)
    assert {call.user for call in production.calls()} <= {person.email for person in people.PEOPLE}
    assert not any(call.token == SHARED_TOKEN for call in everything)
    asked = [call.body for call in production.calls(path="/oidc/v1/token") if isinstance(call.body, dict)]
    assert {body["grant_type"] for body in asked} <= {"authorization_code", "refresh_token"}
    assert {body["client_id"] for body in asked} == {"bricklayer"}
    assert not production.calls(path="/metadata")


async def test_the_key_of_a_session_opens_only_its_own_running_turn(production: houses.House) -> None:
    await production.sign_in(ADA, BEN)
    adas = await production.sql(ADA, "key of ada", seconds=2)
    await production.stage.until(lambda: production.users("key of ada"))
    agent = await _agent(production)
    socket, key = agent["socket"], agent["key"]

    assert await _ask_model(socket, key) == 200
    # The real credentials open more than the model; the proxy does not.
    assert await _ask_model(socket, key, path="/api/2.0/sql/statements") == 404
    assert await _ask_model(socket, key, path="/v1/../api/2.0/clusters/list") == 404
    assert await _ask_model(socket, "sk-ant-sandbox") == 403
    assert await _ask_model(socket, key[:-1]) == 403
    await production.over(adas)

    # Over is over, also while somebody else's turn runs.
    bens = await production.sql(BEN, "key of ben", seconds=1)
    await production.stage.until(lambda: production.users("key of ben"))
    assert await _ask_model(socket, key) == 403
    await production.over(bens)
    assert await _ask_model(socket, key) == 403


async def test_a_button_of_another_team_or_of_nowhere_stops_nothing(production: houses.House) -> None:
    await production.sign_in(ADA)
    ts = await production.sql(ADA, "not to be stopped", seconds=3)
    await production.stage.until(lambda: production.users("not to be stopped"))
    running = await production.stage.turn(ts)
    assert running is not None
    stranger = _neither_owner_nor_admin(await _owner(production))

    assert "Only the person who asked" in await production.stage.whisper(
        stranger.id, production.stage.forge(stranger.id, "turn.stop", str(running.id))
    )
    for value in ("", "x", "00000000-0000-0000-0000-000000000000", f"{running.id}'; --"):
        said = await production.stage.whisper(
            stranger.id, production.stage.forge(stranger.id, "turn.stop", value)
        )
        assert "already over" in said or "no longer know" in said
    guests = await production.stage.whisper(
        people.GUS.id, production.stage.forge(people.GUS.id, "turn.stop", str(running.id))
    )
    assert "full members" in guests
    assert (await production.over(ts)).state is turns.TurnState.DONE


async def _threads_on_both_replicas(house: houses.House) -> dict[tuple[people.Person, str], str]:
    """A thread of each person in two channels, whose projects live on different replicas."""
    threads = {
        (person, channel): await house.stage.ask("!!say ready", user=person.id, channel=channel)
        for person in EVERYBODY
        for channel in CHANNELS
    }
    for (_, channel), ts in threads.items():
        await house.over(ts, channel=channel)
    for bot, channel in zip(house.replicas, CHANNELS, strict=True):
        await _move(house, channel, bot)
    return threads


async def _move(house: houses.House, channel: str, bot: bots.Bot) -> None:
    """Make this bot the home of the channel's project."""
    replica = next(str(line["replica"]) for line in bot.lines if "replica" in line)
    async with house.stage.database.transaction() as tx:
        found = await conversations.Conversations(tx).find(
            team_id=houses.TEAM, channel_id=channel, thread_ts=await _any_thread(house, channel)
        )
        assert found is not None
        held, name = leases.Leases(tx), leases.project_lease(found.project_id)
        holder = await held.holder(name)
        if holder is not None:
            await held.release(name, holder=holder)
        assert await held.acquire(name, holder=replica, ttl=timedelta(seconds=60))


async def _any_thread(house: houses.House, channel: str) -> str:
    return str(
        await house.stage.query(f"SELECT thread_ts FROM conversations WHERE channel_id = '{channel}' LIMIT 1")
    )


def _rounds(house: houses.House, threads: dict[tuple[people.Person, str], str], when: str) -> list[Any]:
    """A turn in every thread, all at the same time."""
    return [
        _done(house, person, f"{person.name} {when} {channel}", channel=channel, thread=thread)
        for (person, channel), thread in threads.items()
    ]


async def _interleaved(house: houses.House, when: str) -> None:
    """Ada and Ben in one thread, each message sent before the one ahead of it is answered."""
    thread = await house.stage.ask("!!say begun", user=ADA.id)
    await house.over(thread)
    said = [
        await house.sql(person, f"{person.name} {when} shared {number}", thread=thread)
        for number, person in enumerate((BEN, ADA, BEN, BEN, ADA, ADA))
    ]
    for ts in said:
        assert (await house.over(ts)).state is turns.TurnState.DONE


async def _done(house: houses.House, person: people.Person, mark: str, *, channel: str, thread: str) -> None:
    ts = await house.sql(person, mark, channel=channel, thread=thread)
    turn = await house.over(ts, channel=channel)
    assert turn.state is turns.TurnState.DONE
    assert house.users(mark) == {person.email}


def _assert_everybody_is_themselves(house: houses.House, *, since: int) -> None:
    """Each statement says who it is from: in its text, and in the tag with the Slack person."""
    emails = {person.name: person.email for person in EVERYBODY}
    senders = {f"{houses.TEAM}/{person.id}": person.email for person in EVERYBODY}
    owners: dict[str, str | None] = {}
    for statement in house.world.databricks.statements:
        marked = re.search(r"SELECT '(\w+) (?:calm|after)", statement.text)
        if marked:
            owners[statement.id] = statement.user
            assert statement.user == emails[marked[1]]
            assert statement.user == senders[dict(statement.submission.tags)["bricklayer_sender"] or ""]
    calls = house.calls(since=since)
    assert calls
    for call in calls:
        assert call.user in emails.values()
        # Looking at a statement, reading its rows and cancelling it are calls of their own.
        name = call.path.removeprefix(houses.STATEMENTS).strip("/").partition("/")[0]
        assert owners.get(name, call.user) == call.user


async def _agent(house: houses.House) -> dict[str, str]:
    """The socket and the session's key in the environment of the agent that runs now, on either replica."""
    for bot in house.replicas:
        for child in psutil.Process(bot.process.pid).children(recursive=True):
            variables = _environment(child.pid)
            if variables.get("ANTHROPIC_API_KEY", "").startswith("sk-brick-"):
                return {
                    "key": variables["ANTHROPIC_API_KEY"],
                    "socket": variables.get("ANTHROPIC_UNIX_SOCKET") or variables["ANTHROPIC_BASE_URL"],
                }
    raise LookupError("no agent runs")


def _environment(pid: int) -> dict[str, str]:
    try:
        raw = Path(f"/proc/{pid}/environ").read_bytes()
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return {}
    return dict(pair.partition("=")[::2] for pair in raw.decode(errors="replace").split("\0") if "=" in pair)


async def _ask_model(address: str, key: str, *, path: str = "/v1/messages") -> int:
    body = {
        "model": "claude-haiku-4-5",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "!!say hi"}],
    }
    connector = aiohttp.UnixConnector(address) if address.startswith("/") else aiohttp.TCPConnector()
    base = "http://model.internal" if address.startswith("/") else address
    headers = {"x-api-key": key, "anthropic-version": "2023-06-01"}
    async with (
        aiohttp.ClientSession(connector=connector) as http,
        http.post(base + path, json=body, headers=headers) as answer,
    ):
        return answer.status


async def _owner(house: houses.House, channel: str = stages.SALES) -> str:
    return str(
        await house.stage.query(
            "SELECT owner_id FROM projects JOIN channel_bindings ON project_id = projects.id"
            f" WHERE channel_id = '{channel}'"
        )
    )


def _neither_owner_nor_admin(owner: str) -> people.Person:
    return next(person for person in (BEN, CLEO) if person.id != owner)
