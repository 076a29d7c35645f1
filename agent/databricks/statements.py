"""One SQL statement on a warehouse, from submission to rows (docs.databricks.com/api/workspace/statementexecution).

A statement goes on when nobody asks for it any more, so every way out of here that leaves one unfinished cancels it:
Stop, the time limit, a failing poll. That holds even while the submission is under way and its id is not known yet:
the thread that gets the id looks whether its caller has gone.
"""

import asyncio
import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar, TypeVarTuple

import structlog
from databricks.sdk import WorkspaceClient
from databricks.sdk.service import sql

from agent.databricks import errors, threads

log = structlog.get_logger(__name__)

# Not waiting within the submission costs a quick statement one more round trip. It gives the id at once, so that Stop
# reaches the statement within a second, and no thread is held while a warehouse starts.
WAIT = "0s"
CALL_PATIENCE = 90.0  # seconds for one call to the workspace
CANCEL_PATIENCE = 10.0  # seconds
LOOKS_AFTER_CANCEL = 5  # a second apart
FIRST_POLL, SLOWEST_POLL, POLL_GROWTH = 0.1, 5.0, 1.6  # seconds, seconds, factor
READ_AT_MOST = 1_000_000  # characters of values; the rest of a result is left unread

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_OPEN = frozenset({sql.StatementState.PENDING, sql.StatementState.RUNNING})


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What to run. At most ``row_limit`` rows come back; ``tags`` show up in the query history."""

    text: str
    warehouse_id: str
    row_limit: int
    catalog: str | None = None
    schema: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a result; names may repeat."""

    name: str
    type: str


@dataclass(frozen=True, kw_only=True)
class Rows:
    """A result. Values are as Databricks writes them, in strings; ``more`` when rows were left out."""

    statement_id: str
    columns: tuple[Column, ...]
    rows: list[list[str | None]]
    more: bool


class StatementFailedError(errors.PlatformError):
    """Databricks ran the statement and reports that it failed; the text is its own."""


class WarehouseRefusedError(errors.PlatformError):
    """The warehouse is gone or not this identity's to use; the statement was not begun, so another may be tried."""


class StatementStoppedError(errors.DatabricksError):
    """The statement did not end: somebody cancelled it, or it passed the time limit."""


@dataclass(kw_only=True)
class _Submission:
    """Shared by the task that waits and the thread that submits."""

    gone: threading.Event = field(default_factory=threading.Event)
    statement_id: str | None = None


class Runner:
    """Runs statements as one identity."""

    def __init__(self, *, client: WorkspaceClient, pool: threads.CallPool, key: Hashable) -> None:
        self._client = client
        self._pool = pool
        self._key = key

    async def run(self, statement: Statement, *, time_limit: float) -> Rows:
        """The rows; ``time_limit`` in seconds. Raises errors of ours only; cancelled, it cancels the statement."""
        submission = _Submission()
        try:
            async with asyncio.timeout(time_limit) as limit:
                response = await self._finished(statement, submission)
        except TimeoutError as error:
            if not limit.expired():
                raise errors.from_sdk(error) from error
            raise await self._stopped_at_limit(submission, time_limit) from None
        except OSError as error:
            said = errors.from_sdk(error)
            if submission.statement_id is None and isinstance(
                said, errors.AccessDeniedError | errors.NotFoundError
            ):
                raise WarehouseRefusedError(str(said), code=said.code) from error
            raise said from error
        try:
            return await self._rows(_succeeded(response), statement.row_limit)
        except OSError as error:
            raise errors.from_sdk(error) from error

    async def _finished(self, statement: Statement, submission: _Submission) -> sql.StatementResponse:
        ended = False
        try:
            response = await self._call(_submit, self._client, statement, submission)
            delay = FIRST_POLL
            while _state(response) in _OPEN:
                await asyncio.sleep(delay)
                delay = min(delay * POLL_GROWTH, SLOWEST_POLL)
                response = await self._look(submission)
            ended = True
        finally:
            if not ended:
                await self._cancel(submission)
        return response

    async def _rows(self, response: sql.StatementResponse, row_limit: int) -> Rows:
        manifest, data = response.manifest, response.result
        rows = list(data.data_array or []) if data else []
        size = _size(rows)
        statement_id = response.statement_id or ""
        while data and data.next_chunk_index is not None and len(rows) <= row_limit and size <= READ_AT_MOST:
            data = await self._call(
                self._client.statement_execution.get_statement_result_chunk_n,
                statement_id,
                data.next_chunk_index,
            )
            fresh = data.data_array or []
            size += _size(fresh)
            rows += fresh
        unread = data is not None and data.next_chunk_index is not None
        return Rows(
            statement_id=statement_id,
            columns=_columns(manifest),
            rows=[list(row) for row in rows[:row_limit]],
            more=unread or len(rows) > row_limit or bool(manifest and manifest.truncated),
        )

    async def _look(self, submission: _Submission) -> sql.StatementResponse:
        return await self._call(self._client.statement_execution.get_statement, submission.statement_id or "")

    async def _cancel(self, submission: _Submission) -> None:
        """Cancel what was submitted, or have the submitting thread do it. Nothing raised here may hide the reason."""
        submission.gone.set()
        if submission.statement_id is None:
            return
        try:
            # Not ``call``: whoever is being cancelled here may be cancelled again, and the statement must not go on.
            done = self._pool.submit((self._key, "cancel"), _cancel, self._client, submission.statement_id)
        except errors.DatabricksError as error:
            log.warning("statement not cancelled", statement_id=submission.statement_id, reason=str(error))
            return
        await asyncio.wait({done}, timeout=CANCEL_PATIENCE)

    async def _stopped_at_limit(self, submission: _Submission, time_limit: float) -> StatementStoppedError:
        """What became of a statement that was cancelled at the limit; cancelling itself answers nothing useful."""
        state: sql.StatementState | None = None
        for _ in range(LOOKS_AFTER_CANCEL if submission.statement_id else 0):
            state = _state(await self._look(submission))
            if state not in _OPEN:
                break
            await asyncio.sleep(1)
        limit = f"{time_limit / 60:.0f} min" if time_limit >= 120 else f"{time_limit:.0f} s"
        name = f"(statement id {submission.statement_id})"
        if state is sql.StatementState.SUCCEEDED:
            return StatementStoppedError(
                f"The statement finished, but only after the limit of {limit}, and its result was not read {name}."
            )
        if state in _OPEN:
            return StatementStoppedError(
                f"The statement passed the limit of {limit}; it was asked to stop but still runs {name}."
            )
        return StatementStoppedError(f"The statement did not finish within {limit} and was cancelled {name}.")

    async def _call(self, fn: Callable[[*Ts], T], *args: *Ts) -> T:
        return await self._pool.call(self._key, fn, *args, timeout=CALL_PATIENCE)


def _submit(client: WorkspaceClient, statement: Statement, submission: _Submission) -> sql.StatementResponse:
    """Runs in a thread."""
    response = client.statement_execution.execute_statement(
        statement=statement.text,
        warehouse_id=statement.warehouse_id,
        catalog=statement.catalog,
        schema=statement.schema,
        # One more than wanted tells whether there are more.
        row_limit=statement.row_limit + 1,
        format=sql.Format.JSON_ARRAY,
        disposition=sql.Disposition.INLINE,
        wait_timeout=WAIT,
        on_wait_timeout=sql.ExecuteStatementRequestOnWaitTimeout.CONTINUE,
        query_tags=[sql.QueryTag(key=key, value=value) for key, value in statement.tags.items()],
    )
    submission.statement_id = response.statement_id
    if submission.gone.is_set() and response.statement_id and _state(response) in _OPEN:
        _cancel(client, response.statement_id)
    return response


def _cancel(client: WorkspaceClient, statement_id: str) -> None:
    """Runs in a thread, often with nobody waiting."""
    try:
        client.statement_execution.cancel_execution(statement_id)
    except (OSError, errors.DatabricksError) as error:
        log.warning("statement not cancelled", statement_id=statement_id, reason=str(errors.from_sdk(error)))


def _state(response: sql.StatementResponse) -> sql.StatementState | None:
    return response.status.state if response.status else None


def _succeeded(response: sql.StatementResponse) -> sql.StatementResponse:
    """The response of a statement that ended well; otherwise Databricks' own words as an error."""
    match _state(response):
        case sql.StatementState.SUCCEEDED:
            return response
        case sql.StatementState.CANCELED | sql.StatementState.CLOSED:
            raise StatementStoppedError(
                "The statement was cancelled on the Databricks side before it finished."
            )
        case _:
            raise _failure(response)


def _failure(response: sql.StatementResponse) -> StatementFailedError:
    said = response.status.error if response.status else None
    code = said.error_code.value if said and said.error_code else ""
    state = getattr(response.status, "sql_state", None)
    marks = ", ".join(mark for mark in (code, f"SQLSTATE {state}" if state else "") if mark)
    message = errors.scrub((said.message if said else None) or "Databricks gave no reason.", limit=800)
    return StatementFailedError(f"The statement failed ({marks}): {message}", code=code)


def _columns(manifest: sql.ResultManifest | None) -> tuple[Column, ...]:
    found = (manifest.schema.columns if manifest and manifest.schema else None) or []
    return tuple(
        Column(
            name=column.name or "",
            type=column.type_text or (column.type_name.value if column.type_name else ""),
        )
        for column in found
    )


def _size(rows: list[list[str]]) -> int:
    return sum(len(value or "") for row in rows for value in row)
