"""Statements that are answered from the catalog's snapshot: SHOW, DESCRIBE, USE, GRANT, COMMENT and their kin.

sqlglot keeps most of them as text, so they are recognised here by pattern. Column names and rows are those of
docs.databricks.com/aws/en/sql/language-manual.
"""

import fnmatch
import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.databricks import accounts, describe, names, plans, sql_errors
from sandbox.databricks import catalog as catalogs

_NAME = r"((?:`(?:[^`]|``)+`|[\w-]+)(?:\s*\.\s*(?:`(?:[^`]|``)+`|[\w-]+))*)"
_LIKE = r"(?:\s+(?:LIKE\s+)?'([^']*)')?"


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a command needs to know."""

    text: str
    session: plans.Session
    catalog: catalogs.Catalog
    metadata: catalogs.Metadata

    def table(self, written: str) -> catalogs.Table:
        """The table that this text names, information schema excluded."""
        parts = names.split(written)
        name = names.qualify(parts, catalog=self.session.catalog, schema=self.session.schema)
        return self.catalog.table(name, shown=names.backticked(parts), text=self.text)

    def schema(self, written: str | None) -> tuple[str, str]:
        """The catalog and schema that this text names, or the session's."""
        parts = names.split(written) if written else [self.session.schema]
        catalog, schema = parts[:2] if len(parts) > 1 else (self.session.catalog, parts[0])
        self.catalog.require_schema(catalog, schema)
        return catalog, schema


Command = Callable[[Context, re.Match[str]], plans.Plan]


def plan(
    text: str, *, session: plans.Session, catalog: catalogs.Catalog, metadata: catalogs.Metadata
) -> plans.Plan | None:
    """The plan of a command; None when the statement is none."""
    bare = _bare(text)
    context = Context(text=text, session=session, catalog=catalog, metadata=metadata)
    for pattern, command in _COMMANDS:
        if found := pattern.fullmatch(bare):
            return command(context, found)
    return None


def _bare(text: str) -> str:
    """Without comments before and semicolons behind, in which no command hides."""
    without = re.sub(r"^(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)+", "", text, flags=re.DOTALL)
    return without.rstrip("; \t\r\n")


def _strings(*columns: str) -> tuple[tuple[str, str], ...]:
    return tuple((column, "STRING") for column in columns)


def _matches(name: str, pattern: str | None) -> bool:
    if pattern is None:
        return True
    return any(
        fnmatch.fnmatchcase(name.lower(), one.strip().replace("%", "*").lower()) for one in pattern.split("|")
    )


def _nothing(_context: Context, _found: re.Match[str]) -> plans.Plan:
    return plans.Plan(static=plans.Static())


def _show_catalogs(context: Context, found: re.Match[str]) -> plans.Plan:
    wanted = [name for name in (*context.catalog.schemas, "system") if _matches(name, found[1])]
    return plans.rows(*_strings("catalog"), rows=tuple((name,) for name in sorted(wanted)))


def _show_schemas(context: Context, found: re.Match[str]) -> plans.Plan:
    catalog = names.split(found[1])[0] if found[1] else context.session.catalog
    context.catalog.require_catalog(catalog)
    schemas = sorted((*context.catalog.schemas[catalog], names.INFORMATION_SCHEMA))
    wanted = tuple((schema,) for schema in schemas if _matches(schema, found[2]))
    return plans.rows(*_strings("databaseName"), rows=wanted)


def _show_tables(context: Context, found: re.Match[str]) -> plans.Plan:
    catalog, schema = context.schema(found[1])
    rows = tuple(
        (schema, table.name.name, "false")
        for table in context.catalog.tables_of(catalog, schema)
        if _matches(table.name.name, found[2])
    )
    columns = (*_strings("database", "tableName"), ("isTemporary", "BOOLEAN"))
    return plans.rows(*columns, rows=rows)


def _show_views(context: Context, found: re.Match[str]) -> plans.Plan:
    catalog, schema = context.schema(found[1])
    rows = tuple(
        (schema, table.name.name, "false", "false")
        for table in context.catalog.tables_of(catalog, schema)
        if table.kind == "VIEW" and _matches(table.name.name, found[2])
    )
    flags = (("isTemporary", "BOOLEAN"), ("isMaterialized", "BOOLEAN"))
    return plans.rows(*_strings("namespace", "viewName"), *flags, rows=rows)


def _show_columns(context: Context, found: re.Match[str]) -> plans.Plan:
    table = context.table(f"{found[2]}.{found[1]}" if found[2] else found[1])
    return plans.rows(*_strings("col_name"), rows=tuple((column.name,) for column in table.columns))


def _show_create(context: Context, found: re.Match[str]) -> plans.Plan:
    return plans.rows(
        *_strings("createtab_stmt"), rows=((describe.create_statement(context.table(found[1])),),)
    )


def _show_properties(context: Context, found: re.Match[str]) -> plans.Plan:
    context.table(found[1])
    rows = (("delta.minReaderVersion", "1"), ("delta.minWriterVersion", "2"))
    return plans.rows(*_strings("key", "value"), rows=rows)


def _show_grants(context: Context, found: re.Match[str]) -> plans.Plan:
    table = context.table(found[1])
    readers = context.metadata.readers.get(table.name)
    principals = ["account users"] if readers is None else sorted(readers)
    rows = tuple((who, "SELECT", "TABLE", str(table.name)) for who in principals)
    return plans.rows(*_strings("Principal", "ActionType", "ObjectType", "ObjectKey"), rows=rows)


def _show_user(context: Context, _found: re.Match[str]) -> plans.Plan:
    return plans.rows(*_strings("current_user"), rows=((context.session.account.user_name,),))


def _describe_table(context: Context, found: re.Match[str]) -> plans.Plan:
    table = context.table(found[2])
    rows = describe.extended(table) if found[1] else describe.columns(table)
    return plans.rows(*_strings("col_name", "data_type", "comment"), rows=rows)


def _describe_detail(context: Context, found: re.Match[str]) -> plans.Plan:
    table = context.table(found[1])
    row = ("delta", str(table.name), table.comment)
    return plans.rows(*_strings("format", "name", "description"), rows=(row,))


def _describe_history(context: Context, found: re.Match[str]) -> plans.Plan:
    context.table(found[1])
    columns = (("version", "BIGINT"), ("timestamp", "TIMESTAMP"), *_strings("userName", "operation"))
    created = context.session.now.date().isoformat() + "T00:00:00.000Z"
    row = ("0", created, accounts.PEOPLE[0].user_name, "CREATE TABLE AS SELECT")
    return plans.rows(*columns, rows=(row,))


def _describe_schema(context: Context, found: re.Match[str]) -> plans.Plan:
    catalog, schema = context.schema(found[1])
    rows = (
        ("Catalog Name", catalog),
        ("Namespace Name", schema),
        ("Comment", context.catalog.comments.get((catalog, schema))),
        ("Owner", accounts.PEOPLE[0].user_name),
    )
    return plans.rows(*_strings("database_description_item", "database_description_value"), rows=rows)


def _describe_catalog(context: Context, found: re.Match[str]) -> plans.Plan:
    name = names.split(found[1])[0]
    context.catalog.require_catalog(name)
    rows = (
        ("Catalog Name", name),
        ("Comment", context.catalog.comments.get((name,))),
        ("Owner", accounts.PEOPLE[0].user_name),
    )
    return plans.rows(*_strings("info_name", "info_value"), rows=rows)


def _use_catalog(context: Context, found: re.Match[str]) -> plans.Plan:
    """Checked and forgotten: each statement of the API is a session of its own."""
    context.catalog.require_catalog(names.split(found[1])[0])
    return plans.Plan(static=plans.Static())


def _use_schema(context: Context, found: re.Match[str]) -> plans.Plan:
    context.schema(found[1])
    return plans.Plan(static=plans.Static())


def _create_catalog(context: Context, found: re.Match[str]) -> plans.Plan:
    name = names.split(found[2])[0]
    if name in (*context.catalog.schemas, "system"):
        if found[1]:
            return plans.Plan(static=plans.Static())
        raise sql_errors.already_exists("CATALOG", name)
    sql = (
        f"ATTACH ':memory:' AS {names.quoted(names.PREFIX + name)}",
        f"CREATE SCHEMA {names.physical_schema(name, 'default')}",
    )
    return plans.Plan(sql=sql, ddl=True)


def _comment(context: Context, found: re.Match[str]) -> plans.Plan:
    kind = found[1].upper()
    text = None if found[3] is None else found[3].replace("''", "'").replace("\\'", "'")
    return plans.Plan(
        static=plans.Static(),
        effects=(plans.SetComment(path=_commented(context, kind, found[2]), text=text),),
        ddl=True,
    )


def _commented(context: Context, kind: str, written: str) -> catalogs.Path:
    match kind:
        case "CATALOG":
            path = (names.split(written)[0],)
            context.catalog.require_catalog(path[0])
            return path
        case "SCHEMA" | "DATABASE":
            return context.schema(written)
        case "COLUMN":
            table, _, column = written.rpartition(".")
            return (*catalogs.path_of(context.table(table).name), names.split(column)[0])
        case _:
            return catalogs.path_of(context.table(written).name)


def _grant(context: Context, found: re.Match[str]) -> plans.Plan:
    """Accepted for everything; it has an effect on restricted tables, which only their readers may pass on."""
    verb, kind, written, principal = (part or "" for part in found.groups())
    if kind.upper() not in {"", "TABLE", "VIEW"}:
        return plans.Plan(static=plans.Static())
    table = context.table(written)
    if not context.metadata.may_use(table.name, context.session.account.user_name):
        raise sql_errors.insufficient_permissions(f"MANAGE on Table '{table.name}'")
    effect = plans.ChangeReaders(
        table=table.name, user_name=principal.strip("`"), allowed=verb.upper() == "GRANT"
    )
    return plans.Plan(static=plans.Static(), effects=(effect,))


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text.replace(" ", r"\s+"), re.IGNORECASE | re.DOTALL)


_IN = r"(?: (?:IN|FROM) " + _NAME + ")?"
_COMMANDS: tuple[tuple[re.Pattern[str], Command], ...] = (
    (_pattern(r"SHOW CATALOGS" + _LIKE), _show_catalogs),
    (_pattern(r"SHOW (?:SCHEMAS|DATABASES)" + _IN + _LIKE), _show_schemas),
    (_pattern(r"SHOW TABLES" + _IN + _LIKE), _show_tables),
    (_pattern(r"SHOW VIEWS" + _IN + _LIKE), _show_views),
    (_pattern(r"SHOW COLUMNS (?:IN|FROM) " + _NAME + _IN), _show_columns),
    (_pattern(r"SHOW CREATE TABLE " + _NAME), _show_create),
    (_pattern(r"SHOW TBLPROPERTIES " + _NAME), _show_properties),
    (_pattern(r"SHOW GRANTS? ON (?:(?:TABLE|VIEW) )?" + _NAME), _show_grants),
    (_pattern(r"SHOW CURRENT_USER(?:\(\))?"), _show_user),
    (_pattern(r"(?:DESCRIBE|DESC) (?:SCHEMA|DATABASE) (?:EXTENDED )?" + _NAME), _describe_schema),
    (_pattern(r"(?:DESCRIBE|DESC) CATALOG (?:EXTENDED )?" + _NAME), _describe_catalog),
    (_pattern(r"(?:DESCRIBE|DESC) DETAIL " + _NAME), _describe_detail),
    (_pattern(r"(?:DESCRIBE|DESC) HISTORY " + _NAME), _describe_history),
    (_pattern(r"(?:DESCRIBE|DESC) (?:TABLE )?((?:EXTENDED|FORMATTED) )?" + _NAME), _describe_table),
    (_pattern(r"USE CATALOG " + _NAME), _use_catalog),
    (_pattern(r"USE (?:(?:SCHEMA|DATABASE) )?" + _NAME), _use_schema),
    (_pattern(r"CREATE CATALOG (IF NOT EXISTS )?" + _NAME + r"(?: COMMENT '.*')?"), _create_catalog),
    (
        _pattern(
            r"COMMENT ON (TABLE|VIEW|COLUMN|SCHEMA|DATABASE|CATALOG) "
            + _NAME
            + r" IS (?:'((?:[^']|'')*)'|NULL)"
        ),
        _comment,
    ),
    (
        _pattern(
            r"(GRANT|REVOKE) [\w ,]+ ON (?:(TABLE|VIEW|SCHEMA|DATABASE|CATALOG|VOLUME|FUNCTION) )?"
            + _NAME
            + r" (?:TO|FROM) (`[^`]+`|\S+)"
        ),
        _grant,
    ),
    (_pattern(r"(?:OPTIMIZE|ANALYZE|VACUUM|REFRESH|MSCK|CACHE|UNCACHE|SET|RESET|FSCK) .*"), _nothing),
)
