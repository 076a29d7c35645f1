"""CREATE, DROP, ALTER and TRUNCATE: cleaned of what DuckDB has no word for, with comments kept aside.

The tables in the trees that arrive here are written in full already, in DuckDB's names.
"""

from collections.abc import Iterable, Iterator

from sqlglot import errors as sqlglot_errors
from sqlglot import exp

from sandbox.databricks import catalog, names, plans, sql_errors

#: What DuckDB keeps of a column's definition and of an ALTER; the rest (identity, masks, properties) is dropped.
_KEPT_CONSTRAINTS = (exp.NotNullColumnConstraint, exp.DefaultColumnConstraint)
_KEPT_ACTIONS = (exp.ColumnDef, exp.AlterRename, exp.Drop, exp.AlterColumn, exp.RenameColumn)


def write(tree: exp.Expr) -> str:
    """The DuckDB text of a rewritten statement."""
    return tree.sql(dialect="duckdb", unsupported_level=sqlglot_errors.ErrorLevel.IGNORE)


def target(tree: exp.Expr) -> exp.Table | None:
    """The table that a statement makes or changes."""
    if not isinstance(tree, exp.Create | exp.Insert | exp.Update | exp.Delete | exp.Merge):
        return None
    named = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    return named if isinstance(named, exp.Table) else None


def new_names(tree: exp.Expr) -> list[exp.Table]:
    """The tables in a statement that need not exist before it."""
    made = [rename.this for rename in tree.find_all(exp.AlterRename)]
    created = target(tree) if isinstance(tree, exp.Create) else None
    return made if created is None else [created, *made]


def plan(tree: exp.Expr, *, session: plans.Session) -> plans.Plan:
    """What a definition comes to; ``SqlError`` for those that the sandbox does not know."""
    match tree:
        case exp.Create(kind="TABLE" | "VIEW"):
            return _create(tree)
        case exp.Create(kind="SCHEMA" | "DATABASE"):
            return _create_schema(tree, session)
        case exp.Drop(kind="TABLE" | "VIEW"):
            paths = [_path(table) for table in tree.find_all(exp.Table)]
            return _definition(write(tree), *(plans.Forget(path=path) for path in paths))
        case exp.Drop(kind="SCHEMA" | "DATABASE"):
            return _drop_schema(tree, session)
        case exp.Alter():
            return _alter(tree)
        case exp.TruncateTable():
            return plans.Plan(sql=tuple(f"DELETE FROM {write(table)}" for table in tree.expressions))
        case _:
            raise sql_errors.unsupported(tree.key.upper())


def _definition(sql: str, *effects: plans.Effect) -> plans.Plan:
    return plans.Plan(sql=(sql,), effects=effects, ddl=True)


def _create(tree: exp.Create) -> plans.Plan:
    table = target(tree)
    if table is None:
        raise sql_errors.unsupported("CREATE")
    path = _path(table)
    effects: list[plans.Effect] = [] if tree.args.get("exists") else [plans.Forget(path=path)]
    effects.extend(_comments(tree, path))
    clone = tree.args.get("clone")
    if isinstance(clone, exp.Clone):
        tree.set("clone", None)
        tree.set("expression", exp.select("*").from_(clone.this.copy()))
    tree.set("properties", None)
    _clean_columns(tree)
    change: plans.Change | None = "insert" if tree.kind == "TABLE" and tree.expression else None
    return plans.Plan(sql=(write(tree),), counts=change, effects=tuple(effects), ddl=True)


def _comments(tree: exp.Create, path: catalog.Path) -> Iterator[plans.Effect]:
    for property_ in tree.find_all(exp.SchemaCommentProperty):
        yield plans.SetComment(path=path, text=property_.this.name)
    for column in tree.find_all(exp.ColumnDef):
        for comment in column.find_all(exp.CommentColumnConstraint):
            yield plans.SetComment(path=(*path, column.name.lower()), text=comment.this.name)


def _clean_columns(tree: exp.Create) -> None:
    for column in tree.find_all(exp.ColumnDef):
        kept = [c for c in column.args.get("constraints") or [] if isinstance(c.kind, _KEPT_CONSTRAINTS)]
        column.set("constraints", kept)
    if isinstance(tree.this, exp.Schema):
        columns = [found for found in tree.this.expressions if isinstance(found, exp.ColumnDef)]
        tree.this.set("expressions", columns)


def _create_schema(tree: exp.Create, session: plans.Session) -> plans.Plan:
    path = _schema_path(tree.this, session)
    if_not_exists = "IF NOT EXISTS " if tree.args.get("exists") else ""
    comments = [
        plans.SetComment(path=path, text=found.this.name)
        for found in tree.find_all(exp.SchemaCommentProperty)
    ]
    return _definition(f"CREATE SCHEMA {if_not_exists}{names.physical_schema(*path)}", *comments)


def _drop_schema(tree: exp.Drop, session: plans.Session) -> plans.Plan:
    path = _schema_path(next(tree.find_all(exp.Table)), session)
    if_exists = "IF EXISTS " if tree.args.get("exists") else ""
    cascade = " CASCADE" if tree.args.get("cascade") else ""
    sql = f"DROP SCHEMA {if_exists}{names.physical_schema(*path)}{cascade}"
    return _definition(sql, plans.Forget(path=path))


def _alter(tree: exp.Alter) -> plans.Plan:
    kept = [action for action in tree.args.get("actions") or [] if isinstance(action, _KEPT_ACTIONS)]
    if not kept:
        return plans.Plan(static=plans.Static())
    for action in kept:
        if isinstance(action, exp.AlterRename):
            # DuckDB renames within a schema and wants the bare name.
            action.set("this", exp.to_table(action.this.name))
    tree.set("actions", kept)
    _drop_column_comments(kept)
    return _definition(write(tree))


def _drop_column_comments(actions: Iterable[exp.Expr]) -> None:
    for action in actions:
        if isinstance(action, exp.ColumnDef):
            action.set("constraints", None)


def _path(table: exp.Table) -> catalog.Path:
    return (table.catalog.removeprefix(names.PREFIX), table.db, table.name)


def _schema_path(table: exp.Table, session: plans.Session) -> tuple[str, str]:
    written = [part.name.lower() for part in table.parts]
    return (written[0], written[1]) if len(written) == 2 else (session.catalog, written[0])
