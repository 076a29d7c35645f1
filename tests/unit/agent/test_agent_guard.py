"""What the agent may touch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import claude_agent_sdk as sdk
import pytest

from agent.guard import BUILT_IN_TOOLS, Guard

CONTEXT: sdk.HookContext = {"signal": None}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project's folder with a secret beside it."""
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


@pytest.fixture
def guard(project: Path) -> Guard:
    skills = project.parent / "skills"
    skills.mkdir()
    return Guard(writable=project, readable=(skills,))


@pytest.mark.parametrize("tool", ["Read", "Write", "Edit"])
@pytest.mark.parametrize(
    "path", ["report.md", "deep/er/report.md", "./a/../b.md", "{project}/x.md", "{project}"]
)
def test_paths_within_the_project_are_open(guard: Guard, project: Path, tool: str, path: str) -> None:
    assert guard.refusal(tool, {"file_path": path.format(project=project)}) is None


@pytest.mark.parametrize("tool", ["Read", "Write", "Edit"])
@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../secret.txt",
        "a/../../secret.txt",
        "{project}-else/x",
        "~/.ssh/id_rsa",
        "~root/x",
        "/",
    ],
)
def test_paths_outside_are_refused(guard: Guard, project: Path, tool: str, path: str) -> None:
    refused = guard.refusal(tool, {"file_path": path.format(project=project)})
    assert refused is not None
    assert "this project's folder" in refused


@pytest.mark.parametrize("tool", ["Read", "Write", "Edit"])
def test_a_link_is_judged_by_where_it_leads(guard: Guard, project: Path, tool: str) -> None:
    (project / "out").symlink_to(project.parent / "secret.txt")
    (project / "door").symlink_to(project.parent)
    (project / "inside").symlink_to(project / "report.md")
    assert guard.refusal(tool, {"file_path": "out"})
    assert guard.refusal(tool, {"file_path": "door/new.txt"})
    assert guard.refusal(tool, {"file_path": "inside"}) is None


def test_a_project_that_is_reached_by_a_link_is_still_open(project: Path) -> None:
    alias = project.parent / "alias"
    alias.symlink_to(project)
    assert Guard(writable=alias).refusal("Write", {"file_path": str(alias / "x.md")}) is None
    assert Guard(writable=alias).refusal("Write", {"file_path": str(project / "x.md")}) is None


def test_skills_may_be_read_and_not_written(guard: Guard) -> None:
    skill = str(guard.readable[0] / "charts" / "SKILL.md")
    assert guard.refusal("Read", {"file_path": skill}) is None
    assert guard.refusal("Write", {"file_path": skill})


@pytest.mark.parametrize("tool", ["Glob", "Grep"])
def test_a_search_without_a_path_stays_in_the_project(guard: Guard, tool: str) -> None:
    assert guard.refusal(tool, {"pattern": "**/*.sql"}) is None
    assert guard.refusal(tool, {"pattern": "x", "path": "/etc"})


@pytest.mark.parametrize(
    "pattern", ["/etc/*", "/*", "{project}/../*.txt", "../*", "**/../../*", "{project}x/*"]
)
def test_a_pattern_cannot_name_a_place_outside(guard: Guard, project: Path, pattern: str) -> None:
    assert guard.refusal("Glob", {"pattern": pattern.replace("{project}", str(project))})


def test_a_pattern_may_name_the_project_itself(guard: Guard, project: Path) -> None:
    assert guard.refusal("Glob", {"pattern": f"{project}/**/*.md"}) is None


@pytest.mark.parametrize("arguments", [{"file_path": 7}, {"file_path": ["x"]}])
def test_a_path_must_be_text(guard: Guard, arguments: Mapping[str, Any]) -> None:
    assert guard.refusal("Read", arguments) == "The path must be text."


def test_bash_is_open_only_in_a_jail(project: Path) -> None:
    assert Guard(writable=project, bash=True).refusal("Bash", {"command": "ls"}) is None
    assert Guard(writable=project).refusal("Bash", {"command": "ls"})


def test_databricks_tools_judge_for_themselves(guard: Guard) -> None:
    assert guard.refusal("mcp__databricks__execute_sql", {"statement": "DROP TABLE x"}) is None


@pytest.mark.parametrize("tool", ["Task", "WebFetch", "mcp__other__tool", "", "NotebookEdit"])
def test_what_nobody_offered_is_refused(guard: Guard, tool: str) -> None:
    assert tool not in BUILT_IN_TOOLS
    assert guard.refusal(tool, {})


async def test_the_hook_says_no_with_a_reason(guard: Guard) -> None:
    output = await guard.before_tool(_event("Read", {"file_path": "/etc/passwd"}), "call-1", CONTEXT)
    said = output["hookSpecificOutput"]
    assert said.get("permissionDecision") == "deny"
    assert "/etc/passwd" in str(said.get("permissionDecisionReason"))


async def test_the_hook_lets_the_rest_through(guard: Guard) -> None:
    output = await guard.before_tool(_event("Read", {"file_path": "x.md"}), "call-1", CONTEXT)
    assert output["hookSpecificOutput"].get("permissionDecision") == "allow"


def test_a_guard_that_fails_blocks_the_call(guard: Guard) -> None:
    (matcher,) = guard.hooks()["PreToolUse"]
    assert matcher.matcher is None
    assert matcher.on_failure == "block"


def _event(tool: str, arguments: dict[str, Any]) -> sdk.PreToolUseHookInput:
    return {
        "hook_event_name": "PreToolUse",
        "session_id": "s",
        "transcript_path": "",
        "cwd": "",
        "tool_name": tool,
        "tool_input": arguments,
        "tool_use_id": "call-1",
    }
