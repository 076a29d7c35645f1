"""A table in words: the rows of DESCRIBE and the text of SHOW CREATE TABLE."""

from sandbox.databricks import accounts, catalog, names, values


def columns(table: catalog.Table) -> tuple[values.Row, ...]:
    """DESCRIBE TABLE: name, type and comment of each column."""
    return tuple((column.name, column.type.lower(), column.comment) for column in table.columns)


def extended(table: catalog.Table) -> tuple[values.Row, ...]:
    """DESCRIBE TABLE EXTENDED: the columns, then what is known about the table."""
    details = {
        "Catalog": table.name.catalog,
        "Database": table.name.schema,
        "Table": table.name.name,
        "Type": table.kind,
        "Comment": table.comment or "",
        "Provider": "delta",
        "Owner": accounts.PEOPLE[0].user_name,
    }
    blank = ("", "", "")
    heading = ("# Detailed Table Information", "", "")
    return (*columns(table), blank, heading, *((name, value, "") for name, value in details.items()))


def create_statement(table: catalog.Table) -> str:
    """SHOW CREATE TABLE."""
    lines = ",\n".join(f"  {_column(column)}" for column in table.columns)
    comment = f"\nCOMMENT {_text(table.comment)}" if table.comment else ""
    shown = names.backticked([table.name.catalog, table.name.schema, table.name.name]).replace("`", "")
    return f"CREATE TABLE {shown} (\n{lines})\nUSING delta{comment}\n"


def _column(column: catalog.Column) -> str:
    nullable = "" if column.nullable else " NOT NULL"
    comment = f" COMMENT {_text(column.comment)}" if column.comment else ""
    return f"{column.name} {column.type}{nullable}{comment}"


def _text(text: str) -> str:
    return "'" + text.replace("'", "\\'") + "'"
