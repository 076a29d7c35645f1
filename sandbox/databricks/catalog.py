"""A snapshot of what the workspace holds: catalogs, schemas, tables and columns, in Databricks' types.

It answers name resolution, SHOW, DESCRIBE and the information schema alike, so they cannot disagree. Comments and
restrictions live here and not in DuckDB, which has no comments on schemas and no privileges.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sandbox.databricks import names, sql_errors

Path = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column; ``type`` is Databricks' spelling."""

    name: str
    type: str
    nullable: bool
    comment: str | None


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table or view; ``definition`` is a view's query as DuckDB has it."""

    name: names.ObjectName
    kind: str
    columns: tuple[Column, ...]
    comment: str | None


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """Everything there is at one moment, by lower-case names."""

    schemas: dict[str, tuple[str, ...]]
    tables: dict[names.ObjectName, Table]
    comments: dict[Path, str]

    def table(self, name: names.ObjectName, *, shown: str, text: str) -> Table:
        """The table of this name; ``SqlError`` with ``shown`` as the name when there is none."""
        found = self.tables.get(name)
        if found is None:
            raise sql_errors.table_not_found(shown, text=text)
        return found

    def require_schema(self, catalog: str, schema: str) -> None:
        """Raise unless this schema exists."""
        self.require_catalog(catalog)
        if schema not in (*self.schemas[catalog], names.INFORMATION_SCHEMA):
            raise sql_errors.schema_not_found(names.backticked([catalog, schema]))

    def require_catalog(self, catalog: str) -> None:
        """Raise unless this catalog exists."""
        if catalog not in self.schemas:
            raise sql_errors.catalog_not_found(catalog)

    def tables_of(self, catalog: str, schema: str | None = None) -> Iterator[Table]:
        """The tables of a schema, or of a whole catalog, by name."""
        for name, table in sorted(self.tables.items()):
            if name.catalog == catalog and schema in {None, name.schema}:
                yield table


@dataclass(kw_only=True)
class Metadata:
    """What DuckDB cannot remember: comments by path, and who may read a restricted table."""

    comments: dict[Path, str] = field(default_factory=dict)
    #: User names that may use a restricted table; a table that is not here is open to all.
    readers: dict[names.ObjectName, frozenset[str]] = field(default_factory=dict)

    def forget(self, path: Path) -> None:
        """Drop the comments of an object and of everything in it."""
        for known in [known for known in self.comments if known[: len(path)] == path]:
            del self.comments[known]

    def may_use(self, name: names.ObjectName, user_name: str) -> bool:
        """Whether this user may read and change the table."""
        return name not in self.readers or user_name in self.readers[name]


def path_of(name: names.ObjectName) -> Path:
    """Where the comments of a table stand."""
    return (name.catalog, name.schema, name.name)
