"""The skills that a session may read: one local plugin, assembled from the folders under ``skills/``.

The CLI loads plugins from a folder of a fixed shape, so the enabled skills are copied once at start into
``<data>/skills/<digest of their names>``, a folder that the agent cannot write.
"""

import asyncio
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from agent import errors

PLUGIN_NAME = "bricklayer"


class UnknownSkillError(errors.AgentError):
    """``ENABLED_SKILLS`` names a skill that is not there."""

    def __init__(self, name: str, available: Sequence[str]) -> None:
        super().__init__(
            f"ENABLED_SKILLS names {name!r}, which is not a skill here. Available: {', '.join(available) or 'none'}."
        )


async def assemble(*, source: Path, target: Path, enabled: Sequence[str] | None) -> Path:
    """Copy the enabled skills (``None``: all of them) to ``target`` and return the plugin's folder.

    Raises UnknownSkillError for a name in ``enabled`` that has no folder with a ``SKILL.md``.
    """
    return await asyncio.to_thread(_assemble, source, target, enabled)


def _assemble(source: Path, target: Path, enabled: Sequence[str] | None) -> Path:
    available = sorted(path.parent.name for path in source.glob("*/SKILL.md"))
    names = available if enabled is None else list(enabled)
    for name in names:
        if name not in available:
            raise UnknownSkillError(name, available)
    shutil.rmtree(target, ignore_errors=True)
    (target / ".claude-plugin").mkdir(parents=True)
    manifest = {"name": PLUGIN_NAME, "version": "1.0.0", "description": "How to build well on Databricks"}
    (target / ".claude-plugin" / "plugin.json").write_text(json.dumps(manifest))
    for name in names:
        shutil.copytree(source / name, target / "skills" / name)
    return target
