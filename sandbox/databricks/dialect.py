"""From a Databricks statement to a plan for DuckDB: sqlglot parses and writes, this module does what it leaves out.

Names are written in full, parameters and session functions become literals, unnamed columns get the names that
Databricks gives them, and the information schema becomes rows of the catalog's snapshot. Statements that sqlglot
only knows as text (SHOW, DESCRIBE, GRANT …) go to ``commands``.
"""

import re
from collections.abc import Iterable

import sqlglot
from sqlglot import errors as sqlglot_errors
from sqlglot import exp

from sandbox.databricks import catalog as catalogs
from sandbox.databricks import commands, definitions, functions, information_schema, names, plans, sql_errors

_EXPLAIN = re.compile(r"\s*EXPLAIN\s+(?:(?:EXTENDED|FORMATTED|COST|CODEGEN)\s+)?", re.IGNORECASE)
_CHANGES: dict[type[exp.Expr], plans.Change] = {
    exp.Insert: "insert",
    exp.Update: "update",
    exp.Delete: "delete",
    exp.Merge: "merge",
}
#: Projections that keep their names, or that become several columns.
_SELF_NAMED = (exp.Alias, exp.Aliases, exp.Column, exp.Dot, exp.Star, exp.Posexplode, exp.Inline)
#: Session functions that sqlglot writes in the standard's way.
_SESSION_FUNCTION = re.compile(r"\bCURRENT_(\w+)\b(?:\(\))?")


def plan(
    text: str, *, session: plans.Session, catalog: catalogs.Catalog, metadata: catalogs.Metadata
) -> plans.Plan:
    """What this statement comes to; ``SqlError`` when it cannot be read, resolved, or is not allowed."""
    if explained := _EXPLAIN.match(text):
        inner = plan(text[explained.end() :], session=session, catalog=catalog, metadata=metadata)
        shown = "\n".join(("== Physical Plan ==", *inner.sql))
        return plans.rows(("plan", "STRING"), rows=((shown,),))
    command = commands.plan(text, session=session, catalog=catalog, metadata=metadata)
    if command is not None:
        return command
    tree = _parse(text)
    _name_columns(tree)
    tree = functions.rewrite(tree, session=session)
    resolver = _Resolver(text=text, session=session, catalog=catalog, metadata=metadata)
    resolver.resolve(tree)
    sleep = functions.take_sleep(tree)
    return _planned(tree, session=session, sleep=sleep)


def _parse(text: str) -> exp.Expr:
    try:
        found = [tree for tree in sqlglot.parse(text, read="databricks") if tree is not None]
    except (sqlglot_errors.ParseError, sqlglot_errors.TokenError) as error:
        raise sql_errors.from_parser(error, text=text) from error
    if not found:
        raise sql_errors.syntax("end of input", text=text)
    if len(found) > 1:
        extra = found[1].sql(dialect="databricks").split()[0]
        raise sql_errors.syntax(f"'{extra}': extra input '{extra}'", text=text)
    return found[0]


def _planned(tree: exp.Expr, *, session: plans.Session, sleep: float) -> plans.Plan:
    if isinstance(tree, exp.Query | exp.Values):
        return plans.Plan(sql=(definitions.write(tree),), returns_rows=True, sleep_seconds=sleep)
    for kind, change in _CHANGES.items():
        if isinstance(tree, kind):
            return plans.Plan(sql=tuple(_change(tree)), counts=change, sleep_seconds=sleep)
    return definitions.plan(tree, session=session)


def _change(tree: exp.Expr) -> Iterable[str]:
    if isinstance(tree, exp.Insert) and tree.args.get("overwrite"):
        return _overwrite(tree)
    returning = " RETURNING merge_action" if isinstance(tree, exp.Merge) else ""
    return [definitions.write(tree) + returning]


def _overwrite(tree: exp.Insert) -> Iterable[str]:
    """The new rows may come from the table itself, so they are set aside before it is emptied."""
    yield f"CREATE TEMP TABLE sandbox_overwrite AS {definitions.write(tree.expression)}"
    target = definitions.target(tree)
    if target is not None:
        yield f"DELETE FROM {definitions.write(target)}"
    tree.set("overwrite", False)
    tree.set("expression", exp.select("*").from_("sandbox_overwrite"))
    yield definitions.write(tree)


def _name_columns(tree: exp.Expr) -> None:
    """``sum(x)`` is named ``sum(x)`` on Databricks, and DuckDB would name it by the rewritten text."""
    for select in tree.find_all(exp.Select):
        for projection in list(select.expressions):
            if not isinstance(projection, _SELF_NAMED) and not projection.is_star:
                name = exp.to_identifier(_column_name(projection), quoted=True)
                projection.replace(exp.alias_(projection.copy(), name))


def _column_name(projection: exp.Expr) -> str:
    if isinstance(projection, exp.Explode):
        return "col"
    text = projection.output_name or projection.sql(dialect="databricks", normalize_functions="lower")
    text = _SESSION_FUNCTION.sub(lambda found: f"current_{found[1].lower()}()", text)
    return text.replace("count(*)", "count(1)")


class _Resolver:
    """Writes every table of one statement in full, after checking that it exists and may be used."""

    def __init__(
        self,
        *,
        text: str,
        session: plans.Session,
        catalog: catalogs.Catalog,
        metadata: catalogs.Metadata,
    ) -> None:
        self._text = text
        self._session = session
        self._catalog = catalog
        self._metadata = metadata

    def resolve(self, tree: exp.Expr) -> None:
        """Rewrite the tables of the tree in place."""
        new = definitions.new_names(tree)
        changed = definitions.target(tree)
        tables = [table for table in tree.find_all(exp.Table) if isinstance(table.this, exp.Identifier)]
        outer = [table for table in tables if not _is_cte(table)]
        _strip_column_qualifiers(tree)
        for table in outer:
            name = self._name(table)
            if name.schema == names.INFORMATION_SCHEMA:
                information_schema.replace(table, name, catalog=self._catalog, text=self._text)
                continue
            if table.args.get("version") is not None:
                raise sql_errors.unsupported("time travel")
            if any(table is made for made in new):
                self._catalog.require_schema(name.catalog, name.schema)
            elif not _drops_if_exists(tree):
                shown = names.backticked([part.name for part in table.parts])
                self._catalog.table(name, shown=shown, text=self._text)
            self._check_rights(name, "MODIFY" if table is changed else "SELECT")
            _write_in_full(table, name)

    def _name(self, table: exp.Table) -> names.ObjectName:
        written = [part.name for part in table.parts]
        return names.qualify(written, catalog=self._session.catalog, schema=self._session.schema)

    def _check_rights(self, name: names.ObjectName, privilege: str) -> None:
        if not self._metadata.may_use(name, self._session.account.user_name):
            raise sql_errors.insufficient_permissions(f"{privilege} on Table '{name}'")


def _write_in_full(table: exp.Table, name: names.ObjectName) -> None:
    table.set("catalog", exp.to_identifier(names.PREFIX + name.catalog, quoted=True))
    table.set("db", exp.to_identifier(name.schema, quoted=True))
    table.set("this", exp.to_identifier(name.name, quoted=True))


def _drops_if_exists(tree: exp.Expr) -> bool:
    return isinstance(tree, exp.Drop | exp.Alter) and bool(tree.args.get("exists"))


def _is_cte(table: exp.Table) -> bool:
    """Whether the name is one of the WITH clauses around it; a CTE sees only those before it."""
    if len(table.parts) > 1:
        return False
    wanted = table.name.lower()
    inside: exp.Expr | None = None
    node: exp.Expr | None = table
    while node is not None:
        clause = node.args.get("with_")
        if isinstance(clause, exp.With) and wanted in _visible(clause, inside):
            return True
        if isinstance(node, exp.CTE):
            inside = node
        node = node.parent
    return False


def _visible(clause: exp.With, inside: exp.Expr | None) -> set[str]:
    visible: set[str] = set()
    for cte in clause.expressions:
        if cte is inside and not clause.recursive:
            break
        visible.add(cte.alias.lower())
    return visible


def _strip_column_qualifiers(tree: exp.Expr) -> None:
    """``main.sales.orders.amount`` is ``orders.amount`` to DuckDB, since the table's full name has changed."""
    schemas = {table.db.lower() for table in tree.find_all(exp.Table) if table.db}
    for column in tree.find_all(exp.Column):
        if column.db and column.db.lower() in schemas:
            column.set("catalog", None)
            column.set("db", None)
