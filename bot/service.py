"""Start and stop of everything.

``run`` brings the parts up, keeps the loops going, and on the first signal takes everything down again in reverse: no
new work, running turns ended, final edits sent, connections closed.
"""

import asyncio
import os
import signal
import socket
import uuid
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from agent import dispatcher
from agent.databricks import sign_in
from bot import assembly, connections, listeners, schedule, settings, sign_in_pages, web
from storage import database, events, identities, leases, sign_ins, turns
from storage import errors as storage_errors

log = structlog.get_logger(__name__)

DRAIN_GRACE = 1.5  # seconds that running turns get to end by themselves
OUTBOX_GRACE = 2.0  # seconds for the last edits
EVENT_MEMORY = timedelta(days=2)
RESEAL_BATCH = 100


async def run(chosen: settings.Settings) -> int:
    """Run the service until SIGTERM or SIGINT; returns the exit code, 1 when a part of it broke.

    Raises errors.StartError when it cannot start.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    replica = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
    structlog.contextvars.bind_contextvars(replica=replica)
    loops = Loops(stop)
    async with AsyncExitStack() as stack:
        starting = asyncio.create_task(_start(chosen, stack, loops, replica), name="start")
        asked = asyncio.create_task(stop.wait(), name="wait for a signal")
        await asyncio.wait({starting, asked}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            port = await starting
            log.info("ready", port=port)
            await asked
        else:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
        log.info("stopping")
    log.info("stopped")
    return 1 if loops.broken else 0


class Loops:
    """The service's root tasks: each named, and none ends unseen."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop
        self._tasks: list[asyncio.Task[None]] = []
        #: Whether a loop ended that should not have.
        self.broken = False

    def start(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        """Run a loop until ``end``; one that ends before takes the service down."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    async def end(self) -> None:
        """Cancel all and wait for them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or (self._stop.is_set() and task.exception() is None):
            return
        log.critical("a loop ended, stopping", loop=task.get_name(), exc_info=task.exception())
        self.broken = True
        self._stop.set()


async def _start(chosen: settings.Settings, stack: AsyncExitStack, loops: Loops, replica: str) -> int:
    """Bring everything up; returns the HTTP port."""
    core = await assembly.build(chosen, stack, replica=replica)
    desk = assembly.desk(chosen, core)
    # Without a living lease of its own, what this replica claims would count as lost.
    await core.dispatcher.heartbeat()
    stack.push_async_callback(_release, core.database, replica)
    _start_loops(core, stack, loops)
    server = web.Web(port=chosen.port)
    server.add_check("database", lambda: _database_problem(core.database))
    sign_in_pages.SignInPages(
        identities=core.accounts,
        people=core.people,
        on_linked=lambda linked: _go_on(core, desk, linked),
        secure=(chosen.public_url or "").startswith("https://"),
    ).add_to(server.app)
    jobs = [*_jobs(core, desk), *await _open_slack(chosen, core, desk, server, stack)]
    clock = schedule.Schedule(jobs)
    stack.callback(clock.stop)
    clock.start()
    stack.push_async_callback(server.stop)
    return await server.start()


def _start_loops(core: assembly.Core, stack: AsyncExitStack, loops: Loops) -> None:
    stack.push_async_callback(loops.end)
    stack.push_async_callback(core.outbox.close, timeout=OUTBOX_GRACE)
    stack.push_async_callback(core.front.close, grace=OUTBOX_GRACE)
    stack.push_async_callback(core.dispatcher.drain, grace=DRAIN_GRACE)
    loops.start(core.outbox.run(), name="outbox")
    loops.start(core.dispatcher.run(), name="dispatcher")
    loops.start(
        core.database.listen(turns.CHANNEL, on_message=lambda payload: core.dispatcher.wake()),
        name="listen for turns",
    )


async def _open_slack(
    chosen: settings.Settings,
    core: assembly.Core,
    desk: listeners.Desk,
    server: web.Web,
    stack: AsyncExitStack,
) -> list[schedule.Job]:
    """Let Slack's deliveries in, by Socket Mode or by HTTP; returns the jobs that this needs."""
    bolt = assembly.bolt(chosen, core, desk)
    if chosen.slack_app_token is None:
        server.add_slack(bolt)
        return []
    sockets = connections.Connections(
        bolt=bolt, app_token=chosen.slack_app_token.get_secret_value(), client=core.client
    )
    stack.push_async_callback(sockets.close)
    await sockets.open()
    server.add_check("slack", sockets.problem)
    return [schedule.Job(name="renew Slack connections", seconds=15, run=sockets.watch)]


def _jobs(core: assembly.Core, desk: listeners.Desk) -> list[schedule.Job]:
    async def forget_old() -> None:
        async with core.database.transaction() as tx:
            await events.Events(tx).delete_older_than(datetime.now(UTC) - EVENT_MEMORY)
            await sign_ins.SignIns(tx, core.vault).delete_expired()

    async def reseal() -> None:
        async with core.database.transaction() as tx:
            count = await identities.Identities(tx, core.vault).reseal(RESEAL_BATCH)
        if count:
            log.info("sign-ins encrypted anew", count=count)

    async def release_signed_in() -> None:
        async with core.database.transaction() as tx:
            await turns.Turns(tx).release_signed_in()

    heartbeat = dispatcher.HEARTBEAT_SECONDS
    return [
        schedule.Job(name="say that this replica lives", seconds=heartbeat, run=core.dispatcher.heartbeat),
        schedule.Job(name="handle events left over", seconds=10, run=desk.inbox.retry, at_once=True),
        # A sign-in lets its turns go at once; this is for the one whose replica died in between.
        schedule.Job(name="let signed-in turns go", seconds=30, run=release_signed_in),
        schedule.Job(name="forget replies of other replicas", seconds=30, run=core.front.forget),
        schedule.Job(name="evict idle sessions", seconds=15, run=core.sessions.evict_idle),
        schedule.Job(name="forget old events and sign-ins", seconds=600, run=forget_old),
        schedule.Job(name="encrypt with the newest key", seconds=60, run=reseal),
    ]


async def _go_on(core: assembly.Core, desk: listeners.Desk, linked: sign_in.Linked) -> None:
    """A person has signed in: what waited for it goes on."""
    async with core.database.transaction() as tx:
        released = await turns.Turns(tx).release_held(
            team_id=linked.team_id, sender_id=linked.user_id, hold=turns.Hold.SIGN_IN
        )
    log.info("signed in", user=linked.user_id, released=len(released))
    core.dispatcher.wake()
    await desk.home.publish(linked.user_id)


async def _release(db: database.Database, replica: str) -> None:
    try:
        async with db.transaction() as tx:
            await leases.Leases(tx).release_all(replica)
    except storage_errors.DatabaseUnavailableError as error:
        log.warning("leases not given back, they will expire", reason=str(error))


async def _database_problem(db: database.Database) -> str | None:
    try:
        await db.ping()
    except storage_errors.DatabaseUnavailableError as error:
        return str(error)
    return None
