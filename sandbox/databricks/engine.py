"""DuckDB as the workspace's storage and compute: runs plans, one cursor each, and tells what is stored.

Everything here blocks; ``statements`` calls it in worker threads. DuckDB answers most questions as Databricks would,
not all: it is good for demos and tests, and no proof of Databricks' semantics.
"""

import collections
import contextlib
import datetime
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from sandbox.databricks import catalog as catalogs
from sandbox.databricks import errors, names, plans, sample_data, sql_errors, values

_FETCH_ROWS = 2_000

#: Databricks fails where DuckDB's ``/`` says infinity.
_MACROS = "CREATE MACRO sandbox_divisor(d) AS CASE WHEN d = 0 THEN error('DIVIDE_BY_ZERO') ELSE d END"

_OBJECTS = """
SELECT c.database_name, c.schema_name, c.table_name, c.column_name, c.data_type, c.is_nullable, v.view_name IS NOT NULL
FROM duckdb_columns() c LEFT JOIN duckdb_views() v
  ON v.database_name = c.database_name AND v.schema_name = c.schema_name AND v.view_name = c.table_name
WHERE starts_with(c.database_name, 'uc_') AND NOT c.internal
ORDER BY c.database_name, c.schema_name, c.table_name, c.column_index
"""
_SCHEMAS = "SELECT database_name, schema_name FROM duckdb_schemas() WHERE starts_with(database_name, 'uc_') AND NOT internal"
_CATALOGS = "SELECT database_name FROM duckdb_databases() WHERE starts_with(database_name, 'uc_')"


@dataclass(frozen=True, kw_only=True)
class ResultColumn:
    """A column of a result; ``type`` is Databricks' spelling."""

    name: str
    type: str


@dataclass(frozen=True, kw_only=True)
class ResultSet:
    """A result that may have been cut at a limit; sizes are of the cells as text."""

    columns: tuple[ResultColumn, ...] = ()
    rows: tuple[values.Row, ...] = ()
    truncated: bool = False
    bytes: int = 0


class RunCancelledError(errors.SandboxError):
    """The run was cancelled before it ended."""


class ResultTooLargeError(errors.SandboxError):
    """The result grew over the size that its disposition can carry."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much of a result to take; ``refuse_bytes`` fails the statement instead of cutting it."""

    rows: int | None = None
    bytes: int | None = None
    refuse_bytes: int | None = None


class Run:
    """One plan being run, which another thread may interrupt."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor
        self.cancelled = threading.Event()

    def cancel(self) -> None:
        """Stop as soon as DuckDB notices."""
        self.cancelled.set()
        # The run may have ended a moment ago.
        with contextlib.suppress(duckdb.ConnectionException):
            self._cursor.interrupt()

    def execute(self, plan: plans.Plan, limits: Limits, *, text: str) -> ResultSet:
        """Run a plan to its end; ``SqlError`` when it fails, ``RunCancelledError`` when it was stopped."""
        if self.cancelled.wait(plan.sleep_seconds):
            raise RunCancelledError
        try:
            return self._execute(plan, limits)
        except duckdb.InterruptException as error:
            raise RunCancelledError from error
        except duckdb.Error as error:
            raise sql_errors.from_duckdb(error, text=text) from error
        finally:
            # What a failure has left open is rolled back by this.
            self._cursor.close()

    def _execute(self, plan: plans.Plan, limits: Limits) -> ResultSet:
        if plan.static is not None:
            return _static(plan.static, limits)
        self._cursor.begin()
        for sql in plan.sql:
            self._cursor.execute(sql)
        result = self._result(plan, limits)
        self._cursor.commit()
        return result

    def _result(self, plan: plans.Plan, limits: Limits) -> ResultSet:
        if plan.counts == "merge":
            actions = collections.Counter(str(action) for (action,) in self._cursor.fetchall())
            return _static(plans.counted("merge", actions.total(), actions=actions), Limits())
        if plan.counts is not None:
            row = self._cursor.fetchone()
            return _static(plans.counted(plan.counts, int(row[0]) if row else 0, actions={}), Limits())
        if not plan.returns_rows:
            return ResultSet()
        columns = tuple(
            ResultColumn(name=column[0], type=values.type_text(str(column[1])))
            for column in self._cursor.description or ()
        )
        return _collect(columns, self._fetched(), limits)

    def _fetched(self) -> Iterator[values.Row]:
        while rows := self._cursor.fetchmany(_FETCH_ROWS):
            if self.cancelled.is_set():
                raise RunCancelledError
            for row in rows:
                yield tuple(values.cell(value) for value in row)


def _static(static: plans.Static, limits: Limits) -> ResultSet:
    columns = tuple(ResultColumn(name=name, type=type_) for name, type_ in static.columns)
    return _collect(columns, iter(static.rows), limits)


def _collect(columns: tuple[ResultColumn, ...], rows: Iterator[values.Row], limits: Limits) -> ResultSet:
    taken: list[values.Row] = []
    size = 0
    for row in rows:
        if len(taken) == limits.rows:
            return ResultSet(columns=columns, rows=tuple(taken), truncated=True, bytes=size)
        row_size = sum(len(cell) + 3 if cell is not None else 5 for cell in row)
        if limits.bytes is not None and size + row_size > limits.bytes:
            return ResultSet(columns=columns, rows=tuple(taken), truncated=True, bytes=size)
        size += row_size
        if limits.refuse_bytes is not None and size > limits.refuse_bytes:
            raise ResultTooLargeError
        taken.append(row)
    return ResultSet(columns=columns, rows=tuple(taken), bytes=size)


class Engine:
    """The data of one sandbox, in memory, and its metadata."""

    def __init__(self, *, today: datetime.date) -> None:
        self._connection = duckdb.connect(
            ":memory:", config={"threads": 2, "autoinstall_known_extensions": "false"}
        )
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute(_MACROS)
        self.metadata = catalogs.Metadata()
        sample_data.create(self._connection, self.metadata, today=today)
        self._lock = threading.Lock()
        self._catalog: catalogs.Catalog | None = None

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()

    def open_run(self) -> Run:
        """A cursor of its own for one plan."""
        with self._lock:
            return Run(self._connection.cursor())

    def catalog(self) -> catalogs.Catalog:
        """What is stored now."""
        with self._lock:
            if self._catalog is None:
                self._catalog = self._read_catalog()
            return self._catalog

    def apply(self, plan: plans.Plan) -> None:
        """Note in the metadata what a plan has changed; called after it succeeded."""
        if plan.ddl or plan.effects:
            with self._lock:
                for effect in plan.effects:
                    effect.apply(self.metadata)
                self._catalog = None

    def _read_catalog(self) -> catalogs.Catalog:
        cursor = self._connection.cursor()
        schemas: dict[str, list[str]] = {_logical(row[0]): [] for row in cursor.execute(_CATALOGS).fetchall()}
        for database, schema in cursor.execute(_SCHEMAS).fetchall():
            if schema not in {"main", "pg_catalog"}:
                schemas[_logical(database)].append(schema.lower())
        tables = self._tables(cursor.execute(_OBJECTS).fetchall())
        cursor.close()
        return catalogs.Catalog(
            schemas={name: tuple(sorted(found)) for name, found in sorted(schemas.items())},
            tables=tables,
            comments=dict(self.metadata.comments),
        )

    def _tables(self, rows: list[tuple[str, ...]]) -> dict[names.ObjectName, catalogs.Table]:
        columns: dict[names.ObjectName, list[catalogs.Column]] = {}
        kinds: dict[names.ObjectName, str] = {}
        for database, schema, table, column, type_, nullable, is_view in rows:
            name = names.ObjectName(catalog=_logical(database), schema=schema.lower(), name=table.lower())
            kinds[name] = "VIEW" if is_view else "MANAGED"
            columns.setdefault(name, []).append(
                catalogs.Column(
                    name=column,
                    type=values.type_text(type_),
                    nullable=bool(nullable),
                    comment=self.metadata.comments.get((*catalogs.path_of(name), column.lower())),
                )
            )
        return {
            name: catalogs.Table(
                name=name,
                kind=kinds[name],
                columns=tuple(found),
                comment=self.metadata.comments.get(catalogs.path_of(name)),
            )
            for name, found in columns.items()
        }


def _logical(database: str) -> str:
    return database.removeprefix(names.PREFIX).lower()
