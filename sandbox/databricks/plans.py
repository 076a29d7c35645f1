"""What a statement comes to: DuckDB statements to run, or rows known already, and the metadata that changes after.

``dialect`` makes plans of everything that sqlglot parses, ``commands`` of the rest.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, assert_never

from sandbox.databricks import accounts, catalog, names, values

Change = Literal["insert", "update", "delete", "merge"]

#: The columns that Delta reports about a change; the first always carries the count.
_COUNT_COLUMNS: dict[Change, tuple[str, ...]] = {
    "insert": ("num_affected_rows", "num_inserted_rows"),
    "update": ("num_affected_rows",),
    "delete": ("num_affected_rows",),
    "merge": ("num_affected_rows", "num_updated_rows", "num_deleted_rows", "num_inserted_rows"),
}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A named parameter of a statement; ``type`` is Databricks' spelling."""

    name: str
    value: str | None
    type: str = "STRING"


@dataclass(frozen=True, kw_only=True)
class Session:
    """Whose statement it is, where unqualified names lead, and what time it is."""

    account: accounts.Account
    catalog: str
    schema: str
    now: datetime.datetime
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Static:
    """Rows that need no query; columns are (name, Databricks type)."""

    columns: tuple[tuple[str, str], ...] = ()
    rows: tuple[values.Row, ...] = ()


class Effect(Protocol):
    """A change of the metadata that follows a statement."""

    def apply(self, metadata: catalog.Metadata) -> None:
        """Make the change."""


@dataclass(frozen=True, kw_only=True)
class SetComment:
    """COMMENT ON, or COMMENT in a definition; no text removes it."""

    path: catalog.Path
    text: str | None

    def apply(self, metadata: catalog.Metadata) -> None:
        if self.text is None:
            metadata.comments.pop(self.path, None)
        else:
            metadata.comments[self.path] = self.text


@dataclass(frozen=True, kw_only=True)
class Forget:
    """An object is gone or made anew."""

    path: catalog.Path

    def apply(self, metadata: catalog.Metadata) -> None:
        metadata.forget(self.path)


@dataclass(frozen=True, kw_only=True)
class ChangeReaders:
    """GRANT and REVOKE on a restricted table; elsewhere everybody may do everything already."""

    table: names.ObjectName
    user_name: str
    allowed: bool

    def apply(self, metadata: catalog.Metadata) -> None:
        readers = metadata.readers.get(self.table)
        if readers is not None:
            changed = readers | {self.user_name} if self.allowed else readers - {self.user_name}
            metadata.readers[self.table] = changed


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A statement ready to run."""

    #: DuckDB statements, run in one transaction; the last gives the result unless ``static`` does.
    sql: tuple[str, ...] = ()
    returns_rows: bool = False
    static: Static | None = None
    #: The result is how many rows this change has touched.
    counts: Change | None = None
    effects: tuple[Effect, ...] = ()
    #: Names or columns change, so the snapshot of the catalog is stale afterwards.
    ddl: bool = False
    sleep_seconds: float = 0


def rows(*columns: tuple[str, str], rows: tuple[values.Row, ...]) -> Plan:
    """A plan whose rows are known."""
    return Plan(returns_rows=True, static=Static(columns=columns, rows=rows))


def counted(change: Change, count: int, *, actions: Mapping[str, int]) -> Static:
    """How many rows a change has touched, in Delta's columns; ``actions`` splits those of a MERGE."""
    columns = tuple((name, "BIGINT") for name in _COUNT_COLUMNS[change])
    match change:
        case "insert":
            counts = [count, count]
        case "merge":
            counts = [count, *(actions.get(action, 0) for action in ("UPDATE", "DELETE", "INSERT"))]
        case "update" | "delete":
            counts = [count]
        case _:
            assert_never(change)
    return Static(columns=columns, rows=(tuple(map(str, counts)),))
