"""What the agent's process can see and reach."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from agent import session
from agent.workdir import NOTES_FILE
from tests.integration.agent import scene as scenes
from tests.integration.agent.scene import Scene, tool

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECRETS = {
    "ANTHROPIC_API_KEY": "sk-ant-operators-own",
    "ANTHROPIC_AUTH_TOKEN": "hostile-auth-token",
    "ANTHROPIC_BASE_URL": "http://hostile.example",
    "AWS_SECRET_ACCESS_KEY": "hostile-aws-key",
    "BRICKLAYER_SECRET_KEYS": "hostile-fernet-key",
    "CLAUDE_CODE_OAUTH_TOKEN": "hostile-oauth-token",
    "DATABRICKS_CLIENT_SECRET": "hostile-client-secret",
    "DATABRICKS_TOKEN": "dapi-hostile",
    "LAKEBASE_PG_URL": "postgresql://hostile",
    "SLACK_APP_TOKEN": "xapp-hostile",
    "SLACK_BOT_TOKEN": "xoxb-hostile",
    "SLACK_SIGNING_SECRET": "hostile-signing-secret",
}
LOGIN = "hostile-operator-login"


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A bot whose environment and home are full of secrets."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    login = tmp_path / ".claude"
    login.mkdir()
    (login / ".credentials.json").write_text(json.dumps({"claudeAiOauth": {"accessToken": LOGIN}}))
    (tmp_path / ".claude.json").write_text(json.dumps({"primaryApiKey": LOGIN}))
    monkeypatch.setenv("HOME", str(tmp_path))


_sessions: dict[bool, session.Session] = {}


async def shared(scene: Scene) -> session.Session:
    """One session for each kind of confinement, for the tests that only ask a question."""
    jailed = scene.harness.confinement.jailed
    if jailed not in _sessions:
        live = session.Session(spec=await scene.spec(), harness=scene.harness)
        (live.spec.workdir.project / "door").symlink_to("/etc")
        await live.start()
        _sessions[jailed] = live
    return _sessions[jailed]


@pytest_asyncio.fixture(autouse=True, scope="module", loop_scope="session")
async def nothing_left() -> AsyncIterator[None]:
    """The shared sessions are closed in the end, and leave no process."""
    yield
    while _sessions:
        await _sessions.popitem()[1].close()
    _, alive = psutil.wait_procs(scenes.own_processes(), timeout=3)
    assert alive == []


async def test_the_agents_process_holds_no_secret(confined: Scene, hostile: None) -> None:
    spec = await confined.spec()
    async with confined.started(spec) as live:
        await confined.ask(live, "!!say one")
        assert_clean(*await asyncio.to_thread(everything_known, spec.workdir.config.parent))
    async with confined.started(replace(spec, resume=live.session_id)) as resumed:
        await confined.ask(resumed, "!!say two")
        config = next(Path(agent.environ()["CLAUDE_CONFIG_DIR"]) for agent in scenes.agents())
        assert config != spec.workdir.config
        assert_clean(*await asyncio.to_thread(everything_known, config))
    assert not await asyncio.to_thread(config.exists)


def everything_known(folder: Path) -> list[str]:
    """Environment and command line of the agent's processes, and every file in this folder."""
    known = []
    for process in scenes.own_processes():
        proc = Path("/proc") / str(process.pid)
        known += [
            (proc / "environ").read_text(errors="replace"),
            (proc / "cmdline").read_text(errors="replace"),
        ]
    known += [path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()]
    return known


def assert_clean(*known: str) -> None:
    assert len(known) > 4
    for text in known:
        assert "hostile" not in text
        assert SECRETS["ANTHROPIC_API_KEY"] not in text


async def test_bash_in_the_jail_sees_its_project_and_nothing_else(jailed: Scene, hostile: None) -> None:
    spec = await jailed.spec()
    (spec.workdir.project / "data.csv").write_text("1,2\n")
    home = Path(__file__).parents[3]
    probe = (
        f"cat data.csv; ls {home} /root /home /var 2>&1; env; cat /proc/*/environ | tr '\\0' '\\n'; ls /proc | "
        "grep -c '^[0-9]'"
    )
    async with jailed.started(spec) as live:
        seen = (await jailed.ask(live, tool("Bash", command=probe) + "\n!!echo-results")).text
        written = await jailed.ask(live, tool("Bash", command="echo made > made.txt; touch /usr/made"))
    assert "1,2" in seen
    assert "hostile" not in seen
    assert "No such file or directory" in seen
    assert "pyproject.toml" not in seen
    assert (spec.workdir.project / "made.txt").read_text() == "made\n"
    assert not written.tools[0].ok


async def test_bash_in_the_jail_has_no_network(jailed: Scene) -> None:
    port = jailed.proxy.url.rpartition(":")[2]
    reach = f"(exec 3<>/dev/tcp/127.0.0.1/{port}) 2>&1; cat /proc/net/dev | grep -c :"
    live = await shared(jailed)
    seen = (await jailed.ask(live, tool("Bash", command=reach) + "\n!!echo-results")).text
    assert "Connection refused" in seen or "Network is unreachable" in seen
    # The loopback of its own is the only interface.
    assert seen.rstrip().endswith("1")


async def test_without_a_jail_there_is_no_bash(scene: Scene) -> None:
    restricted = scene.restricted()
    live = await shared(restricted)
    offered = (await restricted.ask(live, "!!echo-tools")).text.split()
    tried = await restricted.ask(live, tool("Bash", command="id") + "\n!!echo-results")
    assert "Bash" not in offered
    assert "uid=" not in tried.text


@pytest.mark.parametrize(
    "call",
    [
        tool("Read", file_path="/etc/hostname"),
        tool("Read", file_path="../claude/.claude.json"),
        tool("Read", file_path="door/hostname"),
        tool("Write", file_path="/tmp/bricklayer-was-here", content="x"),
        tool("Write", file_path="door/was-here", content="x"),
        tool("Glob", pattern="/etc/*"),
        tool("Glob", pattern="*", path="/etc"),
        tool("Grep", pattern="root", path="/etc"),
    ],
)
async def test_files_outside_the_project_are_refused(confined: Scene, call: str) -> None:
    live = await shared(confined)
    heard = await confined.ask(live, call + "\n!!echo-results")
    (finished,) = heard.tools
    assert not finished.ok
    assert "this project's folder" in finished.summary
    assert "hook" not in finished.summary
    assert not await asyncio.to_thread(Path("/tmp/bricklayer-was-here").exists)


async def test_files_of_the_project_are_read_written_and_found(confined: Scene) -> None:
    live = await shared(confined)
    write = tool("Write", file_path="report.md", content="# Regions")
    heard = await confined.ask(
        live,
        f"{write}\n{tool('Read', file_path='report.md')}\n{tool('Glob', pattern='*.md')}\n!!echo-results",
    )
    assert [finished.ok for finished in heard.tools] == [True, True, True]
    assert heard.text.endswith("report.md")
    assert (live.spec.workdir.project / "report.md").read_text() == "# Regions"


async def test_a_skill_is_there_to_be_used(confined: Scene) -> None:
    live = await shared(confined)
    heard = await confined.ask(live, tool("Skill", skill="bricklayer:greeting"))
    assert heard.tools[0].ok
    assert "Say ahoy." in str(confined.model.asked[-1].body["messages"])


async def test_a_mention_of_a_file_is_only_text(confined: Scene) -> None:
    live = await shared(confined)
    await confined.ask(live, "@/etc/hostname @../claude/.claude.json\n!!say no")
    hostname = (await asyncio.to_thread(Path("/etc/hostname").read_text)).strip()
    last = str(confined.model.asked[-1].body["messages"][-1])
    assert "@/etc/hostname" in last
    assert hostname not in last


async def test_notes_are_in_the_system_prompt_and_project_settings_are_not_loaded(confined: Scene) -> None:
    spec = await confined.spec()
    project = spec.workdir.project
    (project / NOTES_FILE).write_text("We report in euros.")
    (project / ".claude").mkdir()
    hook = {"type": "command", "command": f"touch {project}/hooked"}
    settings = {"hooks": {"UserPromptSubmit": [{"hooks": [hook]}]}}
    (project / ".claude" / "settings.json").write_text(json.dumps(settings))
    server = {"mcpServers": {"evil": {"command": "touch", "args": [f"{project}/served"]}}}
    (project / ".mcp.json").write_text(json.dumps(server))
    async with confined.started(spec) as live:
        told = (await confined.ask(live, "!!whoami-system")).text
    assert "We report in euros." in told
    assert not (project / "hooked").exists()
    assert not (project / "served").exists()
