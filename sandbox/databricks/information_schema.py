"""``information_schema``: the snapshot of the catalog as rows, put into the query in place of the view's name."""

from collections.abc import Callable, Iterable, Iterator

import sqlglot
from sqlglot import exp

from sandbox.databricks import catalog, names, sql_errors, values

_OWNER = "ada@brickfield.example"
Rows = Callable[[catalog.Catalog, Iterable[str]], Iterator[values.Row]]


def _catalogs(snapshot: catalog.Catalog, wanted: Iterable[str]) -> Iterator[values.Row]:
    for name in wanted:
        yield (name, _OWNER, snapshot.comments.get((name,)))


def _schemata(snapshot: catalog.Catalog, wanted: Iterable[str]) -> Iterator[values.Row]:
    for name in wanted:
        for schema in snapshot.schemas[name]:
            yield (name, schema, _OWNER, snapshot.comments.get((name, schema)))


def _tables(snapshot: catalog.Catalog, wanted: Iterable[str]) -> Iterator[values.Row]:
    for name in wanted:
        for table in snapshot.tables_of(name):
            yield (name, table.name.schema, table.name.name, table.kind, _OWNER, table.comment, "DELTA")


def _columns(snapshot: catalog.Catalog, wanted: Iterable[str]) -> Iterator[values.Row]:
    for name in wanted:
        for table in snapshot.tables_of(name):
            for position, column in enumerate(table.columns):
                nullable = "YES" if column.nullable else "NO"
                where = (name, table.name.schema, table.name.name, column.name, str(position))
                yield (*where, nullable, column.type.lower(), values.type_name(column.type), column.comment)


#: Each view: its columns (all strings but ``ordinal_position``) and its rows.
_VIEWS: dict[str, tuple[tuple[str, ...], Rows]] = {
    "catalogs": (("catalog_name", "catalog_owner", "comment"), _catalogs),
    "schemata": (("catalog_name", "schema_name", "schema_owner", "comment"), _schemata),
    "tables": (
        (
            "table_catalog",
            "table_schema",
            "table_name",
            "table_type",
            "table_owner",
            "comment",
            "data_source_format",
        ),
        _tables,
    ),
    "columns": (
        (
            "table_catalog",
            "table_schema",
            "table_name",
            "column_name",
            "ordinal_position",
            "is_nullable",
            "full_data_type",
            "data_type",
            "comment",
        ),
        _columns,
    ),
}


def replace(table: exp.Table, name: names.ObjectName, *, catalog: catalog.Catalog, text: str) -> None:
    """Put the rows of this view where its name stands; ``system`` shows all catalogs, another only itself."""
    view = _VIEWS.get(name.name)
    if view is None:
        raise sql_errors.table_not_found(names.backticked(str(name).split(".")), text=text)
    if name.catalog == "system":
        wanted = list(catalog.schemas)
    else:
        catalog.require_catalog(name.catalog)
        wanted = [name.catalog]
    columns, rows = view
    query = sqlglot.parse_one(_query(columns, rows(catalog, wanted)), read="duckdb", into=exp.Select)
    alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(name.name))
    table.replace(exp.Subquery(this=query, alias=alias))


def _query(columns: tuple[str, ...], rows: Iterator[values.Row]) -> str:
    blank = ", ".join(["NULL"] * len(columns))
    listed = ", ".join([f"({blank})", *(f"({', '.join(map(_literal, row))})" for row in rows)])
    selected = ", ".join(
        f"CAST({column} AS {'INT' if column == 'ordinal_position' else 'VARCHAR'}) AS {column}"
        for column in columns
    )
    return (
        f"SELECT {selected} FROM (VALUES {listed}) AS v({', '.join(columns)}) WHERE {columns[0]} IS NOT NULL"
    )


def _literal(cell: values.Cell) -> str:
    return "NULL" if cell is None else "'" + cell.replace("'", "''") + "'"
