"""How the Claude CLI is confined on this machine: a bubblewrap jail where that works, ``--restricted`` elsewhere.

In the jail the agent gets Bash, because nothing outside its project can be seen or reached from there. Without one
the CLI's own ``--restricted`` mode keeps the file tools inside the project and there is no Bash. The launcher is
what the CLI is started through in either case; see ``agent/launcher.py``.
"""

import asyncio
import json
import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import claude_agent_sdk
import structlog

from agent import launcher

log = structlog.get_logger(__name__)

PROBE_TIMEOUT = 10.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Confinement:
    """What this machine allows; ``bwrap`` is the program's path, or ``None`` where it is missing or refused."""

    bwrap: str | None

    @property
    def jailed(self) -> bool:
        return self.bwrap is not None


@dataclass(frozen=True, kw_only=True)
class Launch:
    """Where one CLI may look: folders and files of one project's session."""

    project: Path
    skills: Path
    socket: Path
    temp: Path


async def probe() -> Confinement:
    """Find out, by trying, whether bubblewrap can make a jail here (containers often forbid it)."""
    program = shutil.which("bwrap")
    if program is None:
        log.info("no jail on this machine", reason="bubblewrap is not installed")
        return Confinement(bwrap=None)
    command = [
        program,
        "--unshare-all",
        "--die-with-parent",
        "--ro-bind",
        "/",
        "/",
        "--proc",
        "/proc",
        "true",
    ]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PROBE_TIMEOUT):
            _, stderr = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        stderr = b"timed out"
    if process.returncode == 0:
        return Confinement(bwrap=program)
    log.info("no jail on this machine", reason=stderr.decode(errors="replace").strip()[:200])
    return Confinement(bwrap=None)


def bundled_cli() -> Path:
    """The Claude CLI that the SDK's wheel carries."""
    return Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"


def write_entry(folder: Path) -> Path:
    """Write the executable that the SDK is told is the CLI; it runs the launcher in an isolated interpreter."""
    folder.mkdir(parents=True, exist_ok=True)
    entry = folder / "claude"
    interpreter = shlex.quote(sys.executable)
    program = shlex.quote(str(Path(launcher.__file__).resolve()))
    entry.write_text(f'#!/bin/sh\nexec {interpreter} -IS {program} "$@"\n')
    entry.chmod(0o755)
    return entry


def launch_environment(
    *, confinement: Confinement, launch: Launch, config_dir: Path, variables: dict[str, str]
) -> dict[str, str]:
    """The ``env`` option of a session: ``variables`` for the CLI, and the launcher's own instructions."""
    env = {**variables, "CLAUDE_CONFIG_DIR": str(config_dir)}
    instructions = {
        "bwrap": confinement.bwrap or "",
        "cli": str(bundled_cli()),
        "project": os.fspath(launch.project),
        "skills": os.fspath(launch.skills),
        "socket": os.fspath(launch.socket),
        "temp": os.fspath(launch.temp),
        "variables": ",".join(env),
    }
    return {**env, launcher.LAUNCH_VARIABLE: json.dumps(instructions)}
