"""No token, key or code is anywhere but where it has to be. Everything that the houses' life has produced is searched."""

import re
from collections.abc import Iterable
from pathlib import Path

import asyncpg
import psutil
import pytest

from sandbox.databricks.oidc import SERVICE_PRINCIPAL_SECRET
from sandbox.people import ADA, BEN, PEOPLE, Person
from sandbox.world import OAUTH_CLIENT_SECRET, SHARED_TOKEN
from storage import models
from tests.acceptance import browser, houses, stages

pytest_plugins = ["tests.acceptance.house_fixtures"]
pytestmark = pytest.mark.asyncio(loop_scope="session")

HERE = stages.ENGINEERING
#: Fields of forms to Databricks that open something.
SECRET_FIELDS = ("code", "code_verifier", "refresh_token", "token", "client_secret")
CONFIG = re.compile(r"CLAUDE_CONFIG_DIR=([^\0]+)")
LINK = re.compile(r"/auth/start\?token=([\w.~-]+)")


async def test_no_secret_is_in_logs_messages_pages_rows_files_or_agents(production: houses.House) -> None:
    agents = await _a_life(production)

    secrets = await _secrets(production)
    assert len(secrets) > 20

    _assert_absent(secrets, "the log", _logs(production))
    _assert_absent(secrets, "Slack", _said_in_slack(production))
    _assert_absent(secrets, "a page", (page.text for page in production.pages))
    _assert_absent(secrets, "the database", await _rows(production))
    _assert_absent(secrets, "an agent's process", agents)
    _assert_absent(secrets, "a file", _files(production, agents))
    _assert_absent(secrets, "an open page of the bot", [(await production.stage.bot.get("/metrics"))[1]])


async def test_a_link_is_in_the_message_to_its_person_and_nowhere_else(production: houses.House) -> None:
    await production.link(BEN)
    slack = production.stage.slack
    links = {person: set(LINK.findall(_whispered(production, person))) for person in PEOPLE}
    assert links[BEN]
    every = set().union(*links.values())
    assert len(every) == sum(map(len, links.values()))

    public = [
        str(version)
        for (channel, _), versions in slack.history.items()
        if channel[0] != "D"
        for version in versions
    ]
    _assert_absent(every, "a channel", public)
    _assert_absent(every, "the log", _logs(production))
    _assert_absent(every, "a page", (page.text for page in production.pages))
    _assert_absent(every, "the database", await _rows(production))


async def test_what_the_browser_carries_is_not_logged_or_stored(production: houses.House) -> None:
    ben = production.browser(BEN)
    page = await ben.asked(await production.link(BEN))
    carried = {page.token, *(cookie.value for cookie in ben.jar), browser.query(page.url)["state"]}
    await ben.decide(page, "link")

    assert len(carried) == 3
    _assert_absent(carried, "the log", _logs(production))
    _assert_absent(carried, "the database", await _rows(production))
    _assert_absent(carried, "Slack", _said_in_slack(production))


async def _a_life(house: houses.House) -> list[str]:
    """Sign in, work, fail in many ways, sign out; environment and command line of each agent meanwhile."""
    await house.sign_out(ADA)
    waited = await house.sql(ADA, "waited with secrets", channel=HERE, seconds=1.5)
    await house.held(waited, channel=HERE)
    await house.sign_in(ADA)
    await house.stage.until(lambda: house.users("waited with secrets"))
    agents = _agents(house)
    await house.over(waited, channel=HERE)

    # Databricks quotes what it was sent, in an answer to a request and in an answer to a refresh.
    token = await house.token(ADA)
    quoted = {"error_code": "BAD_REQUEST", "message": f"Bearer {token} is odd, and so is {SHARED_TOKEN}"}
    house.world.databricks.faults.fail_next(houses.STATEMENTS, 400, times=5, body=quoted)
    odd = await house.sql(ADA, "quoted", channel=HERE)
    await house.over(odd, channel=HERE)
    house.world.databricks.faults.clear()
    await house.reply(odd, "Bearer [hidden] is odd, and so is [hidden]", channel=HERE)

    await house.stage.query("UPDATE identities SET expires_at = now()")
    refused = {"error": "odd", "error_description": f"{token} {OAUTH_CLIENT_SECRET}"}
    house.world.databricks.faults.fail_next("/oidc/v1/token", 400, times=1, body=refused)
    await house.over(await house.sql(ADA, "not refreshed", channel=HERE), channel=HERE)
    house.world.databricks.faults.clear()
    await house.over(await house.sql(ADA, "refreshed", channel=HERE), channel=HERE)
    await house.browser(BEN).asked(await house.link(ADA))
    await house.sign_out(ADA)
    return agents


async def _secrets(house: houses.House) -> set[str]:
    """All that is known to open something: what was configured, and what went over the wire to Databricks."""
    keys = house.stage.slack.core.keys
    found = {keys.bot_token, keys.app_token, keys.signing_secret, houses.KEY, OAUTH_CLIENT_SECRET}
    found |= {SERVICE_PRINCIPAL_SECRET, SHARED_TOKEN, *house.world.claude.api_keys}
    found |= {"hostile-password", "hostile-arm-secret", "hostile-oidc-token", "hostile-netrc-password"}
    for call in house.calls(path="/"):
        if call.token:
            found.add(call.token)
        if isinstance(call.body, dict) and call.path.startswith("/oidc/"):
            found |= {str(call.body[name]) for name in SECRET_FIELDS if call.body.get(name)}
    for person in PEOPLE:
        identity = await house.identity(person)
        if identity is not None:
            found |= {identity.access_token, identity.refresh_token or identity.access_token}
    return found


def _assert_absent(secrets: Iterable[str], place: str, texts: Iterable[str]) -> None:
    searched = list(texts)
    assert searched, f"nothing to search in {place}"
    for secret in secrets:
        for text in searched:
            at = text.find(secret)
            assert at < 0, f"{secret[:12]}… is in {place}: {text[max(0, at - 150) : at + 20]}"


def _logs(house: houses.House) -> list[str]:
    return ["".join(bot.raw) for bot in house.replicas]


def _said_in_slack(house: houses.House) -> list[str]:
    slack = house.stage.slack
    said = [str(version) for versions in slack.history.values() for version in versions]
    said += [str(slack.ephemerals(person.id)) for person in PEOPLE]
    return said + [str(slack.home(person.id)) for person in PEOPLE]


def _whispered(house: houses.House, person: Person) -> str:
    """What this person alone was told: where others are, and in the conversation with the bot."""
    slack = house.stage.slack
    own = slack.direct(person.id) if person.team_id == houses.TEAM else ""
    return str(slack.ephemerals(person.id)) + str(slack.core.state.messages.get(own))


async def _rows(house: houses.House) -> list[str]:
    """Every table, row by row, with what is stored as bytes read as text."""
    connection = await asyncpg.connect(house.stage.database_url)
    try:
        return [
            " ".join(_text(value) for value in row.values())
            for table in models.metadata.sorted_tables
            for row in await connection.fetch(f'SELECT * FROM "{table.name}"')
        ]
    finally:
        await connection.close()


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _agents(house: houses.House) -> list[str]:
    found = []
    for bot in house.replicas:
        for child in psutil.Process(bot.process.pid).children(recursive=True):
            for name in ("environ", "cmdline"):
                try:
                    found.append(Path(f"/proc/{child.pid}/{name}").read_text(errors="replace"))
                except (FileNotFoundError, PermissionError, ProcessLookupError):
                    continue
    assert any("sk-brick-" in text for text in found)
    return found


def _files(house: houses.House, agents: list[str]) -> list[str]:
    """Every file that bots and agents wrote: data, projects, transcripts, what an agent was started with."""
    folders = [house.stage.data, house.stage.folder / "other"]
    # An agent that goes on with what another began has a folder of its own somewhere else.
    folders += [Path(found) for text in agents for found in CONFIG.findall(text)]
    paths = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    texts = [path.read_text(errors="replace") for path in paths]
    assert any("waited with secrets" in text for text in texts)
    return texts
