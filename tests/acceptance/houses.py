"""A stage whose people have Databricks accounts of their own: how they sign in and out, and what is seen of it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from sandbox import people
from sandbox.databricks import Request
from sandbox.databricks.accounts import SERVICE_PRINCIPAL
from sandbox.databricks.oidc import SERVICE_PRINCIPAL_SECRET
from sandbox.world import SHARED_TOKEN, World
from storage import audit, identities, leases, turns, vault
from tests.acceptance import bots, browser, stages
from tests.integration.conftest import Server

STATEMENTS = "/api/2.0/sql/statements"
TEAM = people.TEAM.id
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
#: The service's own identity, as Databricks Apps injects it.
SERVICE = {
    "DATABRICKS_CLIENT_ID": SERVICE_PRINCIPAL.user_name,
    "DATABRICKS_CLIENT_SECRET": SERVICE_PRINCIPAL_SECRET,
}


@dataclass(kw_only=True, repr=False)
class House:
    """A stage and the people who sign in to it. ``replicas`` are its bots, ``pages`` all that browsers were shown."""

    stage: stages.Stage
    replicas: tuple[bots.Bot, ...] = ()
    key: str = KEY
    pages: list[browser.Page] = field(default_factory=list)
    #: A thread in each channel whose agent is warm already.
    threads: dict[str, str] = field(default_factory=dict)
    _change: asyncio.Event = field(default_factory=asyncio.Event)

    def ring(self, *_: object) -> None:
        """Postgres says that something has become of a turn."""
        self._change.set()
        self._change = asyncio.Event()

    async def begin(self) -> None:
        """Begin a thread in each channel, on different replicas where there are two."""
        for channel in stages.SALES, stages.ENGINEERING:
            self.threads[channel] = await self.stage.ask("!!say begun", channel=channel)
        for bot, (channel, thread) in zip(self.replicas, self.threads.items(), strict=False):
            turn = await self.over(thread, channel=channel)
            await self._move(turn.project_id, bot)

    async def _move(self, project_id: UUID, bot: bots.Bot) -> None:
        """Make this bot the home of the project."""
        replica = next(str(line["replica"]) for line in bot.lines if "replica" in line)
        name = leases.project_lease(project_id)
        async with self.stage.database.transaction() as tx:
            held = leases.Leases(tx)
            holder = await held.holder(name)
            if holder is not None:
                await held.release(name, holder=holder)
            assert await held.acquire(name, holder=replica, ttl=timedelta(seconds=60))

    @property
    def world(self) -> World:
        return self.stage.world

    # Signing in and out

    def browser(self, account: people.Person, *, named: Sequence[str] = ()) -> browser.Browser:
        """A fresh browser in which this person is signed in to Databricks; ``named`` are whom a proxy says it is."""
        proxy = [("X-Forwarded-Email", email) for email in named]
        return browser.Browser(account=account.name, proxy=proxy, pages=self.pages)

    async def brick(self, person: people.Person, word: str, *, channel: str = stages.SALES) -> str:
        """``/brick word``, and what it answers."""
        return await self.stage.whisper(
            person.id, self.stage.slack.command(person.id, channel, "/brick", word)
        )

    async def link(self, person: people.Person, *, channel: str = stages.SALES) -> str:
        """The address that ``/brick login`` gives."""
        await self.brick(person, "login", channel=channel)
        return link_in(self.stage.slack.ephemerals(person.id)[-1])

    async def sign_in(self, *persons: people.Person) -> None:
        """Have these people signed in, those who are not yet."""
        for person in persons:
            if await self.identity(person) is None:
                page = await self.browser(person).sign_in(await self.link(person))
                assert "You are signed in" in page.words

    async def sign_out(self, person: people.Person) -> None:
        """Have this person signed out."""
        if await self.identity(person) is not None:
            await self.brick(person, "logout")

    async def identity(self, person: people.Person) -> identities.Identity | None:
        """What is stored of the person's account."""
        async with self.stage.database.transaction() as tx:
            rows = identities.Identities(tx, vault.Vault([self.key]))
            return await rows.get(team_id=TEAM, user_id=person.id)

    async def token(self, person: people.Person) -> str:
        """The stored access token of a person who is signed in."""
        found = await self.identity(person)
        assert found is not None
        return found.access_token

    # Turns

    async def sql(
        self,
        person: people.Person,
        mark: str,
        *,
        channel: str = stages.SALES,
        thread: str | None = None,
        apart: bool = False,
        seconds: float = 0,
    ) -> str:
        """Ask for a statement that is recognised by ``mark`` and takes so many seconds; the message's ts.

        It is said in the channel's thread, unless another is given or it is to begin one of its own.
        """
        slow = f", sandbox_sleep({seconds:g}) AS slow" if seconds else ""
        directive = f'!!tool execute_sql {{"statement": "SELECT \'{mark}\' AS mark{slow}"}}\n!!echo-results'
        if apart:
            return await self.stage.ask(f"please\n{directive}", user=person.id, channel=channel)
        where = thread or self.threads[channel]
        return await self.stage.ask(directive, user=person.id, channel=channel, thread=where)

    async def over(self, ts: str, *, channel: str = stages.SALES) -> turns.Turn:
        """Wait until a message's turn is over."""
        return await self._turn(ts, channel, lambda turn: turn.state.is_over)

    async def held(self, ts: str, *, channel: str = stages.SALES) -> turns.Turn:
        """Wait until a message's turn waits for a sign-in."""
        return await self._turn(ts, channel, lambda turn: turn.hold is turns.Hold.SIGN_IN)

    async def reply(self, ts: str, text: str = "", *, channel: str = stages.SALES) -> stages.Message:
        """Wait until the reply to a message says ``text``; the Slack message that does."""
        turn = await self._turn(ts, channel, lambda turn: bool(turn.reply_ts))

        def found() -> stages.Message | None:
            said = self.stage.replies(turn.thread_ts, channel=channel)
            own = [message for message in said if message["ts"] in turn.reply_ts]
            return next((message for message in own if text in stages.words(message)), None)

        message = await self.stage.until(found)
        assert message is not None
        return message

    async def answer(self, turn: turns.Turn) -> str:
        """All that was said in a turn that is over, as it is on record."""
        async with self.stage.database.transaction() as tx:
            return " ".join(str(message.content) for message in await turns.Messages(tx).for_turn(turn.id))

    async def _turn(self, ts: str, channel: str, wanted: Callable[[turns.Turn], bool]) -> turns.Turn:
        async with asyncio.timeout(stages.PATIENCE):
            while True:
                change = self._change
                turn = await self.stage.turn(ts, channel=channel)
                if turn is not None and wanted(turn):
                    return turn
                # Not everything rings, so it looks by itself as well.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(change.wait(), timeout=0.5)

    # What went over the wire

    def calls(self, *, since: int = 0, path: str = "/api/") -> list[Request]:
        """The requests to Databricks below a path, from number ``since`` on."""
        return [request for request in list(self.world.databricks.requests)[since:] if path in request.path]

    @property
    def now(self) -> int:
        """How many requests Databricks has had."""
        return len(self.world.databricks.requests)

    def users(self, mark: str) -> set[str | None]:
        """As whom the statement with this mark was sent; a warehouse that refuses makes it be sent again."""
        return {request.user for request in self.calls(path=STATEMENTS) if mark in statement_of(request)}

    # What is on record

    async def deeds(self, person: people.Person, action: str) -> list[audit.Entry]:
        """The person's audit entries of one kind, newest first."""
        async with self.stage.database.transaction() as tx:
            entries = await audit.Audit(tx).recent(team_id=TEAM, user_id=person.id, limit=200)
        return [entry for entry in entries if entry.action == action]

    async def bystander(self, *, channel: str = stages.SALES) -> people.Person:
        """A full member who neither administrates nor owns the channel's project."""
        owner = await self.stage.query(
            "SELECT owner_id FROM projects JOIN channel_bindings ON project_id = projects.id"
            f" WHERE channel_id = '{channel}'"
        )
        return next(person for person in (people.BEN, people.CLEO) if person.id != owner)

    async def offered(self, person: people.Person) -> int:
        """How many sign-ins were ever offered to this person."""
        return int(await self.stage.query(f"SELECT count(*) FROM sign_ins WHERE user_id = '{person.id}'"))


def link_in(message: Mapping[str, Any]) -> str:
    """The sign-in link in a message; LookupError without one."""
    for block in message.get("blocks", ()):
        for element in block.get("elements", ()):
            if "/auth/start" in str(element.get("url")):
                return str(element["url"])
    raise LookupError(f"no link in {message}")


def statement_of(request: Request) -> str:
    """The statement in a request."""
    return str(request.body.get("statement", "")) if isinstance(request.body, dict) else ""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def at_port() -> dict[str, str]:
    """A port and the address that browsers know it by."""
    port = free_port()
    return {"PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}"}


def hostile(folder: Path, world: World) -> dict[str, str]:
    """Every variable by which the Databricks SDK or a library below it could find an identity of its own."""
    profiles = folder / "databrickscfg"
    profiles.write_text(f"[DEFAULT]\nhost = {world.databricks.url}\ntoken = {SHARED_TOKEN}\n")
    netrc = folder / "netrc"
    netrc.write_text("machine 127.0.0.1 login shared password hostile-netrc-password\n")
    return {
        "DATABRICKS_TOKEN": SHARED_TOKEN,
        **SERVICE,
        "DATABRICKS_CONFIG_FILE": str(profiles),
        "DATABRICKS_CONFIG_PROFILE": "DEFAULT",
        "DATABRICKS_AUTH_TYPE": "pat",
        "DATABRICKS_USERNAME": "shared@brickfield.example",
        "DATABRICKS_PASSWORD": "hostile-password",
        "DATABRICKS_ACCOUNT_ID": "0b1c2d3e-4f50-4a6b-8c7d-9e0fa1b2c3d4",
        "DATABRICKS_METADATA_SERVICE_URL": f"{world.databricks.url}/metadata",
        "DATABRICKS_OIDC_TOKEN": "hostile-oidc-token",
        "DATABRICKS_SERVERLESS_COMPUTE_ID": "auto",
        "DATABRICKS_RUNTIME_VERSION": "15.4",
        "ARM_CLIENT_ID": "hostile-arm-client",
        "ARM_CLIENT_SECRET": "hostile-arm-secret",
        "ARM_TENANT_ID": "hostile-arm-tenant",
        "ARM_USE_MSI": "true",
        "GOOGLE_CREDENTIALS": "hostile-google-credentials",
        "NETRC": str(netrc),
    }


@asynccontextmanager
async def built(postgres: Server, folder: Path, *, world: World | None = None) -> AsyncIterator[House]:
    """A house without a bot, on a database of its own."""
    async with (
        postgres.fresh() as url,
        stages.staged(database_url=url, folder=folder, world=world) as stage,
    ):
        house = House(stage=stage)
        listening = await asyncpg.connect(url)
        await listening.add_listener(turns.CHANNEL, house.ring)
        yield house
        await listening.close()
