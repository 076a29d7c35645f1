"""Whose rights a turn has: its sender's, whatever else is going on, and nobody's where there are none."""

import asyncio
import dataclasses
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
import pytest
import yarl

from sandbox import people
from sandbox.people import ADA, BEN, CLEO
from sandbox.world import SHARED_TOKEN
from storage import turns
from tests.acceptance import houses, stages

pytest_plugins = ["tests.acceptance.house_fixtures"]
pytestmark = pytest.mark.asyncio(loop_scope="session")

EVERYBODY = (ADA, BEN, CLEO)
CHANNELS = (stages.SALES, stages.ENGINEERING)


async def test_every_call_of_a_turn_is_its_senders_and_every_refresh_token_is_spent_once(
    production: houses.House,
) -> None:
    databricks = production.world.databricks
    await production.sign_in(*EVERYBODY)
    since = production.now

    threads, _ = await asyncio.gather(_six_threads(production), _interleaved(production))

    _assert_everybody_is_themselves(production, since=since)

    # All tokens die at once, while both replicas believe that they live.
    tokens = {person: await production.token(person) for person in EVERYBODY}
    spent_before, since = len(databricks.refreshes), production.now
    databricks.expire_access_tokens()

    await asyncio.gather(
        *(
            _done(production, person, "after", channel, thread)
            for (person, channel), thread in threads.items()
        )
    )

    _assert_everybody_is_themselves(production, since=since)
    spent = databricks.refreshes[spent_before:]
    assert Counter(user for user, _ in spent) == {person.email: 1 for person in EVERYBODY}
    assert max(Counter(token for _, token in databricks.refreshes).values()) == 1
    assert all([await production.token(person) != tokens[person] for person in EVERYBODY])
    assert await production.stage.query("SELECT count(*) FROM turns WHERE hold IS NOT NULL") == 0
    replicas = await production.stage.query(
        "SELECT count(DISTINCT replica) FROM turns WHERE prompt LIKE '% after %'"
    )
    assert replicas == 2


async def test_without_a_sign_in_nothing_reaches_databricks(production: houses.House) -> None:
    # The environment is full of tokens, profiles and secrets that would open it.
    await production.sign_out(BEN)
    since = production.now

    ts = await production.sql(BEN, "as nobody")
    await production.held(ts)
    await asyncio.sleep(0.5)

    assert production.calls(since=since) == []
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
    adas = await production.sql(ADA, "key of ada", seconds=1.5)
    await production.stage.until(lambda: production.users("key of ada"))

    # The agents that idle after their turns are still there; their keys open nothing.
    agents = _agents(production)
    (running,) = [agent for agent in agents if await _ask_model(agent) == 200]
    # The real credential opens more than the model; the proxy does not.
    assert await _ask_model(running, path="/api/2.0/sql/statements") == 404
    assert await _ask_model(running, path="/v1/..%2Fapi/2.0/clusters/list") == 404
    for key in ("sk-ant-sandbox", running.key[:-1], ""):
        assert await _ask_model(dataclasses.replace(running, key=key)) == 403
    await production.over(adas)

    # Over is over, also while somebody else's turn runs.
    elsewhere = stages.ENGINEERING
    bens = await production.sql(BEN, "key of ben", channel=elsewhere, seconds=1)
    await production.stage.until(lambda: production.users("key of ben"))
    assert await _ask_model(running) == 403
    await production.over(bens, channel=elsewhere)


async def test_a_button_of_another_team_or_of_nowhere_stops_nothing(production: houses.House) -> None:
    await production.sign_in(ADA)
    ts = await production.sql(ADA, "not to be stopped", seconds=2)
    await production.stage.until(lambda: production.users("not to be stopped"))
    running = await production.stage.turn(ts)
    assert running is not None
    stranger = await production.bystander()

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


async def _six_threads(house: houses.House) -> dict[tuple[people.Person, str], str]:
    """A thread of each person in each channel, all begun at the same time."""
    begun = [(person, channel) for person in EVERYBODY for channel in CHANNELS]
    threads = await asyncio.gather(*(_done(house, person, "calm", channel) for person, channel in begun))
    return dict(zip(begun, threads, strict=True))


async def _interleaved(house: houses.House) -> None:
    """Ada and Ben in one thread, each message sent before the one ahead of it is answered."""
    said = [
        await house.sql(person, f"{person.name} calm shared {number}")
        for number, person in enumerate((BEN, ADA, BEN, BEN, ADA, ADA))
    ]
    for ts in said:
        assert (await house.over(ts)).state is turns.TurnState.DONE


async def _done(
    house: houses.House, person: people.Person, when: str, channel: str, thread: str | None = None
) -> str:
    """One turn, which is the person's in every call that it makes; the message's ts."""
    mark = f"{person.name} {when} {channel}"
    ts = await house.sql(person, mark, channel=channel, thread=thread, apart=thread is None)
    turn = await house.over(ts, channel=channel)
    assert turn.state is turns.TurnState.DONE
    assert house.users(mark) == {person.email}
    return ts


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


@dataclass(frozen=True, kw_only=True)
class _Agent:
    """How an agent's process reaches the model."""

    address: str
    key: str


def _agents(house: houses.House) -> list[_Agent]:
    """What the environments of the agents tell that live now, on either replica."""
    found = {}
    for bot in house.replicas:
        for child in psutil.Process(bot.process.pid).children(recursive=True):
            variables = _environment(child.pid)
            key = variables.get("ANTHROPIC_API_KEY", "")
            if key.startswith("sk-brick-"):
                address = variables.get("ANTHROPIC_UNIX_SOCKET") or variables["ANTHROPIC_BASE_URL"]
                found[key] = _Agent(address=address, key=key)
    return list(found.values())


def _environment(pid: int) -> dict[str, str]:
    try:
        raw = Path(f"/proc/{pid}/environ").read_bytes()
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return {}
    return dict(pair.partition("=")[::2] for pair in raw.decode(errors="replace").split("\0") if "=" in pair)


async def _ask_model(agent: _Agent, *, path: str = "/v1/messages") -> int:
    """What the proxy answers to whoever holds an agent's key."""
    body = {
        "model": "claude-haiku-4-5",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "!!say hi"}],
    }
    is_socket = agent.address.startswith("/")
    connector = aiohttp.UnixConnector(agent.address) if is_socket else aiohttp.TCPConnector()
    url = yarl.URL(("http://model.internal" if is_socket else agent.address) + path, encoded=True)
    headers = {"x-api-key": agent.key, "anthropic-version": "2023-06-01"}
    async with (
        aiohttp.ClientSession(connector=connector) as http,
        http.post(url, json=body, headers=headers) as answer,
    ):
        return answer.status
