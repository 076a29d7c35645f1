"""The agent's parts put together as the service does it, against the sandbox and a real Postgres."""

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
import structlog

from agent import events, jail, model_proxy, pool, session, skills, upstream, workdir
from agent.databricks import clients, identities, threads
from agent.tools import registry
from sandbox import claude, people, world
from storage import database, projects

TEAM = people.TEAM.id
log = structlog.get_logger(__name__)


@dataclass(kw_only=True)
class Heard:
    """A turn as it was heard: its events, and how it ended."""

    turn_id: uuid.UUID
    answer: session.Answer
    saw: list[events.Event] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What was said."""
        return self.answer.text

    @property
    def tools(self) -> list[events.ToolFinished]:
        """How the tool calls ended."""
        return [event for event in self.saw if isinstance(event, events.ToolFinished)]


@dataclass(kw_only=True)
class Scene:
    """Everything that sessions need."""

    world: world.World
    database: database.Database
    harness: session.Harness
    workdirs: workdir.Workdirs
    calls: threads.CallPool
    team_id: str = TEAM

    @property
    def proxy(self) -> model_proxy.ModelProxy:
        """The way to the model."""
        return self.harness.proxy

    @property
    def model(self) -> claude.ClaudeSandbox:
        """The model itself."""
        return self.world.claude

    def restricted(self) -> "Scene":
        """The same on a machine that allows no jail."""
        harness = replace(self.harness, confinement=jail.Confinement(bwrap=None))
        return replace(self, harness=harness)

    def new_pool(self, *, max_sessions: int = 4, idle_seconds: float = 60.0) -> pool.SessionPool:
        """A pool of sessions; the test closes it."""
        return pool.SessionPool(
            new=lambda spec: session.Session(spec=spec, harness=self.harness),
            max_sessions=max_sessions,
            idle_seconds=idle_seconds,
        )

    async def spec(self) -> session.Spec:
        """A conversation of its own in a project of its own."""
        async with self.database.transaction() as tx:
            project = await projects.Projects(tx).create(team_id=self.team_id, name="sales", owner_id="U1")
        return session.Spec(
            conversation_id=uuid.uuid4(),
            project_id=project.id,
            project_name=project.name,
            workdir=await self.workdirs.prepare(project.id),
        )

    @asynccontextmanager
    async def started(self, spec: session.Spec | None = None) -> AsyncIterator[session.Session]:
        """A started session, closed afterwards."""
        live = session.Session(spec=spec or await self.spec(), harness=self.harness)
        await live.start()
        try:
            yield live
        finally:
            await live.close()

    async def ask(
        self,
        live: session.Session,
        text: str,
        *,
        person: people.Person = people.ADA,
        said: list[events.Event] | None = None,
    ) -> Heard:
        """One turn, as this person; its transcript is stored as at a turn's end. ``said`` grows meanwhile."""
        turn_id, heard = uuid.uuid4(), [] if said is None else said
        call = self.call(person, turn_id=turn_id, project=live.spec.workdir.project)
        answer = await live.run(turn_id=turn_id, message=text, call=call, emit=heard.append)
        async with self.database.transaction() as tx:
            await live.transcript.write(tx)
        live.transcript.settle()
        return Heard(turn_id=turn_id, answer=answer, saw=heard)

    def call(self, person: people.Person, *, turn_id: uuid.UUID, project: Path) -> registry.ToolCall:
        """What this person's tool calls may use."""
        return registry.ToolCall(
            turn_id=turn_id,
            team_id=self.team_id,
            sender_id=person.id,
            project_id="p1",
            project_dir=project,
            policy="ask",
            identity=self.identity(person),
            pool=self.calls,
            log=log,
        )

    def identity(self, person: people.Person) -> identities.ActingIdentity:
        """The person's account, by their personal access token."""
        tokens = clients.FixedToken(f"dapi-{person.name}")
        host = self.world.databricks.url
        return identities.ActingIdentity(
            team_id=self.team_id,
            user_id=person.id,
            host=host,
            user_name=person.email,
            databricks_id="1",
            shared=False,
            workspace=clients.workspace_client(host=host, tokens=tokens),
            tokens=tokens,
        )


@asynccontextmanager
async def build(
    *, world: world.World, database: database.Database, folder: Path, upstream: model_proxy.Upstream
) -> AsyncIterator[Scene]:
    """A scene whose model is behind this upstream."""
    proxy = model_proxy.ModelProxy(upstream=upstream, socket=folder / "model.sock")
    await proxy.start()
    _write_skill(folder / "source" / "greeting")
    harness = session.Harness(
        confinement=await jail.probe(),
        entry=jail.write_entry(folder / "run"),
        proxy=proxy,
        skills=await skills.assemble(source=folder / "source", target=folder / "skills", enabled=None),
        database=database,
        variables=(("CLAUDE_CODE_MAX_RETRIES", "1"),),
    )
    workdirs = workdir.Workdirs(folder / "projects")
    calls = threads.CallPool()
    try:
        yield Scene(world=world, database=database, harness=harness, workdirs=workdirs, calls=calls)
    finally:
        await proxy.stop()
        await calls.close(grace=1.0)


def anthropic(model: claude.ClaudeSandbox) -> upstream.AnthropicUpstream:
    """The sandbox's model, opened by the service's key."""
    return upstream.AnthropicUpstream(base_url=model.url, api_key=claude.API_KEY)


def tool(name: str, **arguments: object) -> str:
    """A literal line that makes the model call this tool."""
    return f"!!tool {name} {json.dumps(arguments)}"


def agents() -> list[psutil.Process]:
    """The Claude processes that this process has started, directly or through a jail."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if Path(process.exe()) == jail.bundled_cli().resolve():
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def agent_of(live: session.Session) -> psutil.Process:
    """The Claude process of a session that was not resumed."""
    config = str(live.spec.workdir.config)
    (found,) = [process for process in agents() if process.environ()["CLAUDE_CONFIG_DIR"] == config]
    return found


def own_processes() -> list[psutil.Process]:
    """Everything that belongs to an agent, its jails included."""
    children = psutil.Process().children(recursive=True)
    return [process for process in children if process.name() in {"claude", "bwrap", "sh", "python"}]


async def until(condition: Callable[[], object], *, seconds: float = 10.0) -> None:
    """Wait until the condition holds; ``TimeoutError`` when it does not in time."""
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError


def _write_skill(folder: Path) -> None:
    os.makedirs(folder)
    (folder / "SKILL.md").write_text(
        "---\nname: greeting\ndescription: How to greet people in Brickfield.\n---\n\nSay ahoy.\n"
    )
