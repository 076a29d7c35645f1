"""A project's folder on this machine, and the folders beside it that the agent's process needs.

``<base>/<project id>/files`` is the project itself, where the agent works; ``claude`` beside it is the CLI's own
configuration and transcripts; ``temp`` is its scratch space where there is no jail. The agent can write only in the
first. Walking a tree is blocking work, so it runs in a thread.
"""

import asyncio
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

NOTES_FILE = "CLAUDE.md"
NOTES_LIMIT = 12_000  # characters of the notes that go into the system prompt
SCAN_LIMIT = 20_000  # files; a larger tree is compared only that far
SKIPPED_FOLDERS = frozenset({".git", "node_modules", "__pycache__", ".venv"})

Fingerprint = Mapping[str, tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class Workdir:
    """The folders of one project."""

    project: Path
    config: Path
    temp: Path

    async def notes(self) -> str:
        """The project's notes, cut at ``NOTES_LIMIT``; empty when there are none."""
        return await asyncio.to_thread(_read_notes, self.project / NOTES_FILE)

    async def fingerprint(self) -> Fingerprint:
        """Size and modification time of every file, by path relative to the project."""
        return await asyncio.to_thread(_scan, self.project)


class Workdirs:
    """All projects' folders below one base."""

    def __init__(self, base: Path) -> None:
        self._base = base

    async def prepare(self, project_id: UUID) -> Workdir:
        """The folders of this project, made when they are missing."""
        root = self._base / str(project_id)
        workdir = Workdir(project=root / "files", config=root / "claude", temp=root / "temp")
        await asyncio.to_thread(_make, workdir)
        return workdir


def changed_files(before: Fingerprint, after: Fingerprint) -> tuple[str, ...]:
    """Paths that are new, different or gone, sorted."""
    return tuple(sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path)))


def _make(workdir: Workdir) -> None:
    for folder in (workdir.project, workdir.config, workdir.temp):
        folder.mkdir(parents=True, exist_ok=True)


def _read_notes(path: Path) -> str:
    try:
        # The agent owns this file: a link placed here must not bring another file into the prompt, nor a pipe keep
        # us waiting.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(NOTES_LIMIT * 4).decode(errors="replace")[:NOTES_LIMIT]
    finally:
        os.close(descriptor)


def _scan(project: Path) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for folder, subfolders, names in os.walk(project):
        subfolders[:] = [name for name in subfolders if name not in SKIPPED_FOLDERS]
        for name in names:
            path = os.path.join(folder, name)
            try:
                status = os.lstat(path)
            except OSError:
                # Gone between the listing and the look: as if it had never been seen.
                continue
            found[os.path.relpath(path, project)] = (status.st_size, status.st_mtime_ns)
            if len(found) >= SCAN_LIMIT:
                return found
    return found
