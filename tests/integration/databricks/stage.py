"""One replica's identity service against the sandbox, and a browser that signs people in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID, uuid4

import aiohttp
import structlog

from agent.databricks import sign_in
from agent.databricks.identities import ActingIdentity, IdentityService
from agent.databricks.settings import DatabricksSettings
from agent.databricks.threads import CallPool
from agent.tools.registry import ToolCall, ToolResult, discover
from sandbox import people
from sandbox.databricks import DatabricksSandbox
from storage.database import Database
from storage.vault import Vault

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
TEAM = people.TEAM.id


class Clock:
    """The real time, moved."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(kw_only=True)
class Replica:
    """A process' worth of identity service."""

    database: Database
    settings: DatabricksSettings
    keys: tuple[str, ...] = (KEY,)
    clock: Clock = field(default_factory=Clock)
    emails: dict[str, str | None] = field(
        default_factory=lambda: {who.id: who.email for who in people.PEOPLE}
    )
    pool: CallPool = field(default_factory=CallPool)
    service: IdentityService = field(init=False)

    def __post_init__(self) -> None:
        self.service = IdentityService(
            database=self.database,
            vault=Vault(self.keys),
            signing_keys=self.keys,
            settings=self.settings,
            pool=self.pool,
            email_of=self.email_of,
            now=self.clock,
        )

    async def email_of(self, team_id: str, user_id: str) -> str | None:
        return self.emails.get(user_id)

    async def close(self) -> None:
        await self.service.close()
        await self.pool.close(grace=1)


class Browser:
    """Follows a sign-in as a person would: opens links, chooses an account, keeps its cookie."""

    def __init__(self, replica: Replica, *, signed_in_as: str) -> None:
        self.service = replica.service
        self.account = signed_in_as
        self.cookie: str | None = None

    async def open(self, link: str, *, forwarded_email: str | None = None) -> str:
        """``/auth/start``; the address of Databricks' page."""
        token = dict(parse_qsl(urlsplit(link).query))["token"]
        started = await self.service.start(token, forwarded_email=forwarded_email)
        self.cookie = started.cookie
        return started.url

    async def agree(self, url: str, *, instead: Mapping[str, str] | None = None) -> dict[str, str]:
        """Databricks' page; the parameters that it sends the browser back with."""
        choice = urlencode({"login_as": self.account} if instead is None else dict(instead))
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{url}&{choice}", allow_redirects=False) as answer,
        ):
            return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    async def return_to_us(
        self, params: Mapping[str, str], *, forwarded_email: str | None = None
    ) -> sign_in.PendingLink:
        """``/auth/callback``."""
        return await self.service.callback(params, cookie=self.cookie, forwarded_email=forwarded_email)

    async def walk(self, link: str) -> sign_in.PendingLink:
        """From the link to the confirmation page."""
        return await self.return_to_us(await self.agree(await self.open(link)))

    async def sign_in(self, link: str) -> sign_in.Linked:
        """All the way."""
        pending = await self.walk(link)
        return await self.service.confirm(pending.token, cookie=self.cookie)


def settings_for(workspace: DatabricksSandbox) -> DatabricksSettings:
    """Production settings with the sandbox's OAuth app."""
    return DatabricksSettings(
        host=workspace.url,
        client_id="bricklayer",
        client_secret="bricklayer-secret",
        public_url="http://127.0.0.1:8000",
    )


async def link(replica: Replica, person: people.Person) -> None:
    """Sign this person in."""
    url = await replica.service.offer(TEAM, person.id)
    await Browser(replica, signed_in_as=person.name).sign_in(url)


async def identity(replica: Replica, person: people.Person) -> ActingIdentity:
    """As whom this person acts; they are linked."""
    found = await replica.service.identity_for(TEAM, person.id)
    assert found is not None
    return found


async def tool_call(replica: Replica, person: people.Person, *, policy: str = "ask") -> ToolCall:
    """A call of a turn that this person sent."""
    return call_as(await identity(replica, person), replica.pool, policy=policy)


def call_as(
    acting: ActingIdentity, pool: CallPool, *, policy: str = "ask", turn_id: UUID | None = None
) -> ToolCall:
    """A call with this identity."""
    return ToolCall(
        turn_id=turn_id or uuid4(),
        team_id=acting.team_id,
        sender_id=acting.user_id,
        project_id="sales",
        project_dir=Path("/projects/sales"),
        policy=policy,
        identity=acting,
        pool=pool,
        log=structlog.get_logger(),
    )


async def use(call: ToolCall, name: str, **arguments: object) -> ToolResult:
    """Run a tool by its name, as the registry would."""
    tool = discover().get(name)
    assert tool is not None
    return await tool(call, **arguments)
