"""What the Claude CLI is started with."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from agent import jail, launcher

SECRETS = {
    "ANTHROPIC_API_KEY": "sk-ant-operator",
    "ANTHROPIC_AUTH_TOKEN": "operator",
    "CLAUDE_CODE_OAUTH_TOKEN": "operator",
    "AWS_SECRET_ACCESS_KEY": "aws",
    "BRICKLAYER_SECRET_KEYS": "fernet",
    "DATABRICKS_CLIENT_SECRET": "m2m",
    "DATABRICKS_TOKEN": "dapi-shared",
    "LAKEBASE_PG_URL": "postgresql://user:password@host/db",
    "LD_PRELOAD": "/evil.so",
    "NODE_OPTIONS": "--require /evil.js",
    "PGPASSWORD": "password",
    "SLACK_APP_TOKEN": "xapp",
    "SLACK_BOT_TOKEN": "xoxb",
    "SLACK_SIGNING_SECRET": "secret",
}


@pytest.fixture
def launch(tmp_path: Path) -> jail.Launch:
    return jail.Launch(
        project=tmp_path / "files",
        skills=tmp_path / "skills",
        socket=tmp_path / "model.sock",
        temp=tmp_path / "temp",
    )


def instructions(launch: jail.Launch, *, bwrap: str | None = None, **variables: str) -> dict[str, str]:
    """What a session hands to the launcher, read back."""
    env = jail.launch_environment(
        confinement=jail.Confinement(bwrap=bwrap),
        launch=launch,
        config_dir=Path("/config"),
        variables=variables,
    )
    read: dict[str, str] = json.loads(env[launcher.LAUNCH_VARIABLE])
    return read


def test_no_secret_of_the_bot_gets_through(launch: jail.Launch) -> None:
    read = instructions(launch, API_TIMEOUT_MS="1")
    inherited = {**SECRETS, "API_TIMEOUT_MS": "1", "CLAUDE_CONFIG_DIR": "/config", "PATH": "/operator/bin"}
    env = launcher.environment(read, inherited)
    assert set(env) == {"PATH", "HOME", "TMPDIR", "LANG", "API_TIMEOUT_MS", "CLAUDE_CONFIG_DIR"}
    assert not set(env.values()) & {*SECRETS.values(), "/operator/bin"}


def test_the_sessions_own_key_stands_in_for_the_operators(launch: jail.Launch) -> None:
    env = jail.launch_environment(
        confinement=jail.Confinement(bwrap=None),
        launch=launch,
        config_dir=Path("/config"),
        variables={"ANTHROPIC_API_KEY": "sk-brick-x"},
    )
    # The SDK lays a session's variables over the bot's.
    given = launcher.environment(json.loads(env[launcher.LAUNCH_VARIABLE]), {**SECRETS, **env})
    assert given["ANTHROPIC_API_KEY"] == "sk-brick-x"
    assert launcher.LAUNCH_VARIABLE not in given


def test_what_the_sdk_sets_for_its_child_stays(launch: jail.Launch) -> None:
    inherited = dict.fromkeys((*launcher.SDK_VARIABLES, "CLAUDE_CODE_USE_BEDROCK"), "x")
    env = launcher.environment(instructions(launch), inherited)
    assert set(launcher.SDK_VARIABLES) <= set(env)
    assert "CLAUDE_CODE_USE_BEDROCK" not in env


def test_home_is_scratch_space(launch: jail.Launch) -> None:
    assert launcher.environment(instructions(launch), {})["HOME"] == str(launch.temp)
    assert launcher.environment(instructions(launch, bwrap="/bin/bwrap"), {})["HOME"] == "/tmp"


def test_the_jail_shows_its_project_and_little_else(launch: jail.Launch) -> None:
    command = launcher.jail(instructions(launch, bwrap="/bin/bwrap"), "/config")
    writable = {to for name, to in pairwise(command) if name == "--bind"}
    readable = {to for name, to in pairwise(command) if name in {"--ro-bind", "--ro-bind-try"}}
    assert writable == {str(launch.project), "/config"}
    ours = {str(launch.skills), str(launch.socket), str(jail.bundled_cli())}
    assert readable - {*launcher.SYSTEM_FOLDERS, *launcher.SYSTEM_FILES} == ours
    assert not {"/", "/etc", "/home", "/root", "/tmp", "/var"} & (readable | writable)


def test_the_jail_has_no_network_and_dies_with_the_bot(launch: jail.Launch) -> None:
    command = launcher.jail(instructions(launch, bwrap="/bin/bwrap"), "/config")
    assert command[0] == "/bin/bwrap"
    assert {"--unshare-all", "--die-with-parent", "--new-session"} <= set(command)
    assert "--share-net" not in command
    assert command[-3:] == ["--chdir", str(launch.project), "--"]


def test_what_lies_below_tmp_is_bound_on_top_of_the_empty_one(launch: jail.Launch) -> None:
    command = launcher.jail(instructions(launch, bwrap="/bin/bwrap"), "/config")
    assert command.index("--tmpfs") < command.index(str(launch.project))


def test_the_entry_runs_the_launcher_in_an_isolated_interpreter(tmp_path: Path) -> None:
    entry = jail.write_entry(tmp_path / "run dir")
    assert entry.stat().st_mode & 0o777 == 0o755
    assert " -IS " in entry.read_text()
    assert str(Path(launcher.__file__)) in entry.read_text()
