"""Statement Execution: the life of a statement from PENDING to its end (docs.databricks.com/api/workspace/statementexecution).

A statement waits for its warehouse, runs in a worker thread, and keeps its result until the sandbox stops. Nobody's
silence stops it, only a cancel does. It belongs to whoever sent it. ``results`` shapes what is sent back.
"""

import asyncio
import datetime
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

import structlog

from sandbox.databricks import accounts, dialect, engine, errors, plans, warehouses

log = structlog.get_logger(__name__)

State = Literal["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED", "CLOSED"]
Disposition = Literal["INLINE", "EXTERNAL_LINKS"]

#: The real limit of INLINE results.
INLINE_BYTES = 25 * 1024 * 1024
_WORKERS = 8


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A statement as it was asked for."""

    account: accounts.Account
    text: str
    warehouse_id: str
    catalog: str
    schema: str
    parameters: tuple[plans.Parameter, ...] = ()
    disposition: Disposition = "INLINE"
    format: str = "JSON_ARRAY"
    row_limit: int | None = None
    byte_limit: int | None = None
    tags: tuple[tuple[str, str | None], ...] = ()


@dataclass(kw_only=True)
class Statement:
    """A statement on its way; ``ended`` is set with the final state."""

    id: str
    submission: Submission
    state: State = "PENDING"
    error: errors.SqlError | None = None
    result: engine.ResultSet = field(default_factory=engine.ResultSet)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    run: engine.Run | None = None

    @property
    def user(self) -> str:
        """The user name of its owner."""
        return self.submission.account.user_name

    @property
    def text(self) -> str:
        """The SQL as sent."""
        return self.submission.text

    def finish(self, state: State) -> None:
        """Take a final state, once."""
        if not self.ended.is_set():
            self.state = state
            self.ended.set()

    def close(self) -> None:
        """Drop the result, as the real service does an hour after the end."""
        self.state = "CLOSED"
        self.result = engine.ResultSet()


class Statements:
    """Every statement of one sandbox, oldest first."""

    def __init__(self, *, warehouses: warehouses.Warehouses, clock: Callable[[], datetime.datetime]) -> None:
        self.all: dict[str, Statement] = {}
        #: Result size in bytes over which INLINE fails; a test may lower it.
        self.inline_bytes = INLINE_BYTES
        self._warehouses = warehouses
        self._clock = clock
        self._pool = ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix="sandbox-sql")
        self._tasks: set[asyncio.Task[None]] = set()
        self._engine: engine.Engine | None = None

    async def start(self) -> None:
        """Make the data."""
        loop = asyncio.get_running_loop()
        self._engine = await loop.run_in_executor(self._pool, self._open)

    async def stop(self) -> None:
        """Cancel what runs, then drop the data."""
        for statement in self.all.values():
            self.cancel(statement)
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._engine is not None:
            self._engine.close()
        self._pool.shutdown()

    def submit(self, submission: Submission) -> Statement:
        """Begin a statement; ``ApiError`` when the warehouse is unknown or not for this account."""
        warehouse = self._warehouses.usable_by(submission.account, submission.warehouse_id)
        statement = Statement(id=f"01f0{uuid.uuid4().hex[:4]}-{str(uuid.uuid4())[9:]}", submission=submission)
        self.all[statement.id] = statement
        task = asyncio.create_task(self._execute(statement, warehouse), name=f"statement {statement.id}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return statement

    def owned_by(self, account: accounts.Account, statement_id: str) -> Statement:
        """The statement, if it is this account's; ``ApiError`` otherwise."""
        statement = self.all.get(statement_id)
        if statement is None:
            raise errors.ApiError(404, "NOT_FOUND", f"The statement {statement_id} was not found.")
        if statement.submission.account != account:
            raise errors.denied(f"{account.user_name} does not own statement {statement_id}.")
        return statement

    def cancel(self, statement: Statement) -> None:
        """End it as CANCELED unless it has ended."""
        statement.finish("CANCELED")
        if statement.run is not None:
            statement.run.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("statement crashed", task=task.get_name(), exc_info=error)

    async def _execute(self, statement: Statement, warehouse: warehouses.Warehouse) -> None:
        loop = asyncio.get_running_loop()
        try:
            await self._ready(statement, warehouse)
            if statement.ended.is_set():
                return
            statement.state = "RUNNING"
            statement.result = await loop.run_in_executor(self._pool, self._run, statement)
            statement.finish("SUCCEEDED")
        except errors.SqlError as error:
            statement.error = error
            statement.finish("FAILED")
        except engine.RunCancelledError:
            statement.finish("CANCELED")
        except engine.ResultTooLargeError:
            statement.error = self._too_large()
            statement.finish("FAILED")
        finally:
            # Only a bug of the sandbox leaves it open here; whoever waits for the statement must not hang.
            if not statement.ended.is_set():
                statement.error = errors.SqlError("INTERNAL_ERROR", "The sandbox failed.", sql_state="XX000")
                statement.finish("FAILED")
        log.debug("statement ended", statement=statement.id, state=statement.state, user=statement.user)

    async def _ready(self, statement: Statement, warehouse: warehouses.Warehouse) -> None:
        """Wait for the warehouse, or for the end of the statement if that comes first."""
        ready = asyncio.create_task(warehouse.ready(), name=f"warehouse for {statement.id}")
        ended = asyncio.create_task(statement.ended.wait(), name=f"end of {statement.id}")
        try:
            await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                ready.result()
        finally:
            ready.cancel()
            ended.cancel()

    def _open(self) -> engine.Engine:
        opened = engine.Engine(today=self._clock().date())
        # Read once now, so that the first statement is as quick as the next.
        opened.catalog()
        return opened

    def _run(self, statement: Statement) -> engine.ResultSet:
        """In a worker thread: plan and run."""
        database = self._opened()
        submission = statement.submission
        session = plans.Session(
            account=submission.account,
            catalog=submission.catalog,
            schema=submission.schema,
            now=self._clock(),
            parameters=submission.parameters,
        )
        plan = dialect.plan(
            submission.text, session=session, catalog=database.catalog(), metadata=database.metadata
        )
        run = database.open_run()
        statement.run = run
        if statement.ended.is_set():
            run.cancel()
        refuse = self.inline_bytes if submission.disposition == "INLINE" else None
        limits = engine.Limits(rows=submission.row_limit, bytes=submission.byte_limit, refuse_bytes=refuse)
        result = run.execute(plan, limits, text=submission.text)
        database.apply(plan)
        return result

    def _opened(self) -> engine.Engine:
        if self._engine is None:
            raise RuntimeError("the sandbox has not been started")
        return self._engine

    def _too_large(self) -> errors.SqlError:
        return errors.SqlError(
            "INLINE_BYTE_LIMIT_EXCEEDED",
            "Inline byte limit exceeded. Statements executed with disposition=INLINE can have a result size of at"
            f" most {self.inline_bytes} bytes. Please execute the statement with disposition=EXTERNAL_LINKS if you"
            " want to download the full result.",
            sql_state="54000",
            error_code="RESOURCE_EXHAUSTED",
        )
