"""Starts the Claude CLI with an environment of its own, inside a jail where there is one.

The Claude SDK passes the bot's whole environment to its child and cannot leave anything out, so the child is this
program: it keeps the few variables that the CLI needs, drops everything else and becomes the CLI. It runs as
``python -IS launcher.py`` and imports almost nothing, because each start of a session waits for it.

The jail is bubblewrap with no network at all: the CLI reaches the model through a Unix socket that the bot serves,
sees its own project, its configuration folder, the skills and the system's programs, and dies with the bot.
"""

import json
import os
import sys

LAUNCH_VARIABLE = "BRICKLAYER_LAUNCH"
# Set by the SDK itself for each child. Other CLAUDE_* names may hold the operator's own login and stay outside.
SDK_VARIABLES = ("CLAUDE_CODE_ENTRYPOINT", "CLAUDE_AGENT_SDK_VERSION", "CLAUDE_CODE_SDK_READS_SESSION_STATE")
SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SYSTEM_FILES = (
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/passwd",
    "/etc/group",
    "/etc/ssl/certs",
)


def environment(launch: dict[str, str], inherited: dict[str, str]) -> dict[str, str]:
    """The CLI's environment: what the session chose, nothing that the bot happened to have."""
    names = {*launch["variables"].split(","), *SDK_VARIABLES}
    home = "/tmp" if launch["bwrap"] else launch["temp"]
    basis = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8"}
    return {**basis, **{name: value for name, value in inherited.items() if name in names}}


def jail(launch: dict[str, str], config_dir: str) -> list[str]:
    """The bubblewrap command line that goes in front of the CLI's own."""
    command = [
        launch["bwrap"],
        "--unshare-all",
        "--die-with-parent",
        "--new-session",
        "--hostname",
        "bricklayer",
    ]
    for folder in SYSTEM_FOLDERS:
        if os.path.islink(folder):
            command += ["--symlink", os.readlink(folder), folder]
        elif os.path.isdir(folder):
            command += ["--ro-bind", folder, folder]
    for path in SYSTEM_FILES:
        command += ["--ro-bind-try", path, path]
    # What lies below /tmp is bound after the empty /tmp, so that it shows on top of it.
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    for path in (launch["cli"], launch["skills"], launch["socket"]):
        command += ["--ro-bind", path, path]
    for path in (launch["project"], config_dir):
        command += ["--bind", path, path]
    return [*command, "--chdir", launch["project"], "--"]


def main() -> None:
    """Become the CLI; never returns."""
    launch = json.loads(os.environ[LAUNCH_VARIABLE])
    env = environment(launch, dict(os.environ))
    command = [launch["cli"], *sys.argv[1:]]
    if launch["bwrap"]:
        command = jail(launch, env["CLAUDE_CONFIG_DIR"]) + command
    os.execve(command[0], command, env)


if __name__ == "__main__":
    main()
