"""What the agent may touch. Every tool call passes here before it runs, in every permission mode.

The kernel's walls (the jail) or the CLI's own (``--restricted``) stand behind this; this is the rule that says no
with a reason the model can act on. Databricks tools are let through: each checks its own effect and identity.
"""

import asyncio
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claude_agent_sdk import types as sdk

READ_TOOLS = {"Read": "file_path", "Glob": "path", "Grep": "path"}
WRITE_TOOLS = {"Write": "file_path", "Edit": "file_path"}
BUILT_IN_TOOLS = (*READ_TOOLS, *WRITE_TOOLS, "Skill")
DATABRICKS_PREFIX = "mcp__databricks__"

_WILDCARD = re.compile(r"[*?\[{]")


@dataclass(frozen=True, kw_only=True)
class Guard:
    """The rule for one session: ``writable`` is its project, ``readable`` what it may read besides."""

    writable: Path
    readable: tuple[Path, ...] = ()
    bash: bool = False

    def refusal(self, tool: str, arguments: Mapping[str, Any]) -> str | None:
        """Why this call may not run, or ``None`` when it may."""
        if tool.startswith(DATABRICKS_PREFIX) or tool == "Skill" or (tool == "Bash" and self.bash):
            return None
        if tool in WRITE_TOOLS:
            return self._outside(arguments.get(WRITE_TOOLS[tool]), (self.writable,))
        if tool == "Glob" and (reason := self._outside_glob(arguments.get("pattern"))):
            return reason
        if tool in READ_TOOLS:
            return self._outside(arguments.get(READ_TOOLS[tool]), (self.writable, *self.readable))
        return f"{tool} is not available here. Use the tools you were given."

    def _outside_glob(self, pattern: object) -> str | None:
        """A pattern can name a place by itself, as in ``/etc/*``; relative ones are judged by their ``path``."""
        if not isinstance(pattern, str):
            return "The pattern must be text."
        if ".." in pattern.split("/"):
            return "Write the pattern without `..`, below this project's folder."
        if not pattern.startswith("/"):
            return None
        folder = _WILDCARD.split(pattern, maxsplit=1)[0].rpartition("/")[0]
        return self._outside(folder or "/", (self.writable, *self.readable))

    def _outside(self, path: object, allowed: tuple[Path, ...]) -> str | None:
        if path is None:
            return None
        if not isinstance(path, str):
            return "The path must be text."
        if path.startswith("~"):
            return "Write the path without `~`, below this project's folder."
        # The guard judges where the path leads, so a link out of the project is refused like the place it leads to.
        real = Path(os.path.realpath(os.path.join(self.writable, path)))
        if any(real.is_relative_to(os.path.realpath(folder)) for folder in allowed):
            return None
        return f"Outside of this project's folder: {path}. Work with paths below {self.writable}."

    async def before_tool(
        self, event: sdk.HookInput, tool_use_id: str | None, context: sdk.HookContext
    ) -> sdk.SyncHookJSONOutput:
        """The SDK's PreToolUse hook: allow, or deny with the reason."""
        tool, arguments = str(event.get("tool_name", "")), event.get("tool_input") or {}
        # Following links is disk work.
        reason = await asyncio.to_thread(
            self.refusal, tool, arguments if isinstance(arguments, Mapping) else {}
        )
        decision: sdk.PreToolUseHookSpecificOutput = {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny" if reason else "allow",
            "permissionDecisionReason": reason or "within the project",
        }
        return {"hookSpecificOutput": decision}

    def hooks(self) -> dict[sdk.HookEvent, list[sdk.HookMatcher]]:
        """The session's hooks; a guard that fails blocks the call (``on_failure``) instead of waving it through."""
        return {"PreToolUse": [sdk.HookMatcher(matcher=None, hooks=[self.before_tool], on_failure="block")]}
