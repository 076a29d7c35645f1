"""SQL failures in Databricks' words: what sqlglot and DuckDB complain about, as error conditions with an SQLSTATE.

Names and texts: docs.databricks.com/aws/en/error-messages/error-classes. What has no counterpart here keeps DuckDB's
own first line under ``SANDBOX_UNSUPPORTED``, so that nobody takes it for the real thing.
"""

import re
from collections.abc import Callable

import duckdb
from sqlglot import errors as sqlglot_errors

from sandbox.databricks import errors

UNSUPPORTED = "SANDBOX_UNSUPPORTED"


def table_not_found(shown: str, *, text: str) -> errors.SqlError:
    """A table or view that is not there; ``shown`` has backticks."""
    return errors.SqlError(
        "TABLE_OR_VIEW_NOT_FOUND",
        f"The table or view {shown} cannot be found. Verify the spelling and correctness of the schema and"
        " catalog.\nIf you did not qualify the name with a schema, verify the current_schema() output, or qualify"
        " the name with the correct schema and catalog.\nTo tolerate the error on drop use DROP VIEW IF EXISTS or"
        " DROP TABLE IF EXISTS.",
        sql_state="42P01",
        position=_position(text, shown),
    )


def schema_not_found(shown: str) -> errors.SqlError:
    """A schema that is not there."""
    return errors.SqlError(
        "SCHEMA_NOT_FOUND",
        f"The schema {shown} cannot be found. Verify the spelling and correctness of the schema and catalog.",
        sql_state="42704",
    )


def catalog_not_found(shown: str) -> errors.SqlError:
    """A catalog that is not there."""
    return errors.SqlError(
        "NO_SUCH_CATALOG_EXCEPTION", f"Catalog '{shown}' was not found.", sql_state="42704"
    )


def insufficient_permissions(what: str) -> errors.SqlError:
    """A privilege that the user lacks, e.g. ``SELECT on Table 'main.finance.salaries'``."""
    return errors.SqlError(
        "INSUFFICIENT_PERMISSIONS",
        f"Insufficient privileges:\nUser does not have {what}.",
        sql_state="42501",
        error_code="PERMISSION_DENIED",
    )


def already_exists(kind: str, name: str) -> errors.SqlError:
    """An object that cannot be made twice."""
    return errors.SqlError(
        f"{kind}_ALREADY_EXISTS",
        f"Cannot create {kind.lower()} `{name}` because it already exists.",
        sql_state="42P06",
    )


def not_constant(expression: str) -> errors.SqlError:
    """IDENTIFIER of something that is not known before the statement runs."""
    return errors.SqlError(
        "NOT_A_CONSTANT_STRING.NOT_CONSTANT",
        f"The expression {expression} used for the routine or clause IDENTIFIER must be a constant STRING which is"
        " NOT NULL.",
        sql_state="42601",
    )


def unresolved_table_function(name: str) -> errors.SqlError:
    """A table function that is not there."""
    return errors.SqlError(
        "UNRESOLVABLE_TABLE_VALUED_FUNCTION",
        f"Could not resolve `{name}` to a table-valued function. Please make sure that `{name}` is defined as a"
        " table-valued function and that all required parameters are provided correctly.",
        sql_state="42883",
    )


def unsupported(what: str) -> errors.SqlError:
    """Something that Databricks can do and the sandbox cannot."""
    return errors.SqlError(UNSUPPORTED, f"The sandbox does not know {what}.", sql_state="0A000")


def unbound_parameter(name: str) -> errors.SqlError:
    """A parameter marker without a value."""
    return errors.SqlError(
        "UNBOUND_SQL_PARAMETER",
        f"Found the unbound parameter: {name}. Please, fix `args` and provide a mapping of the parameter to"
        " either a SQL literal or collection constructor functions such as `map()`, `array()`, `struct()`.",
        sql_state="42P02",
    )


def syntax(near: str, *, text: str, line: int = 1, column: int = 0) -> errors.SqlError:
    """A statement that cannot be parsed."""
    pointer = "-" * max(column, 0) + "^^^"
    return errors.SqlError(
        "PARSE_SYNTAX_ERROR",
        f"Syntax error at or near {near}.",
        sql_state="42601",
        position=f" (line {line}, pos {column})\n\n== SQL ==\n{text}\n{pointer}\n",
    )


def from_parser(
    error: sqlglot_errors.ParseError | sqlglot_errors.TokenError, *, text: str
) -> errors.SqlError:
    """What sqlglot could not read."""
    details = error.errors[0] if isinstance(error, sqlglot_errors.ParseError) and error.errors else {}
    token = str(details.get("highlight") or "").strip()
    if not token:
        return syntax("end of input", text=text, column=len(text))
    line = int(details.get("line") or 1)
    column = max(int(details.get("col") or 1) - len(token), 0)
    return syntax(f"'{token}'", text=text, line=line, column=column)


def from_duckdb(error: duckdb.Error, *, text: str) -> errors.SqlError:
    """What DuckDB refused to plan or failed to run."""
    message = str(error)
    for pattern, translate in _TRANSLATIONS:
        if found := pattern.search(message):
            return translate(found, text)
    first_line = message.partition("\n")[0]
    return errors.SqlError(UNSUPPORTED, first_line, sql_state="0A000")


Translation = Callable[[re.Match[str], str], errors.SqlError]


def _unresolved_column(found: re.Match[str], text: str) -> errors.SqlError:
    name = found["name"].split(".")[-1]
    candidates = re.findall(r'"([^"]+)"', found["candidates"] or "")
    shown = ", ".join(f"`{candidate.split('.')[-1]}`" for candidate in candidates)
    condition = "UNRESOLVED_COLUMN.WITH_SUGGESTION" if shown else "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION"
    hint = f" Did you mean one of the following? [{shown}]." if shown else ""
    return errors.SqlError(
        condition,
        f"A column, variable, or function parameter with name `{name}` cannot be resolved.{hint}",
        sql_state="42703",
        position=_position(text, name),
    )


def _divide_by_zero(_found: re.Match[str], _text: str) -> errors.SqlError:
    return errors.SqlError(
        "DIVIDE_BY_ZERO",
        "Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead. If necessary set"
        ' "ansi_mode" to "false" to bypass this error.',
        sql_state="22012",
    )


def _cast(found: re.Match[str], _text: str) -> errors.SqlError:
    return errors.SqlError(
        "CAST_INVALID_INPUT",
        f"The value {found['value']} cannot be cast because it is malformed. Correct the value as per the syntax,"
        " or change its target type. Use `try_cast` to tolerate malformed input and return NULL instead.",
        sql_state="22018",
    )


def _routine(found: re.Match[str], text: str) -> errors.SqlError:
    name = found["name"].lower()
    return errors.SqlError(
        "UNRESOLVED_ROUTINE",
        f"Cannot resolve routine `{name}` on search path [`system`.`builtin`, `system`.`session`].",
        sql_state="42883",
        position=_position(text, name),
    )


def _exists(found: re.Match[str], _text: str) -> errors.SqlError:
    return errors.SqlError(
        "TABLE_OR_VIEW_ALREADY_EXISTS",
        f"Cannot create table or view `{found['name']}` because it already exists.\nChoose a different name, drop"
        " or replace the existing object, or add the IF NOT EXISTS clause to tolerate pre-existing objects.",
        sql_state="42P07",
    )


def _plain(condition: str, message: str, sql_state: str) -> Translation:
    def translate(found: re.Match[str], _text: str) -> errors.SqlError:
        return errors.SqlError(condition, message.format(**found.groupdict()), sql_state=sql_state)

    return translate


_CANDIDATES = r"(?:.*?Candidate bindings?: (?P<candidates>[^\n]+))?"
_TRANSLATIONS: tuple[tuple[re.Pattern[str], Translation], ...] = (
    (re.compile(r"DIVIDE_BY_ZERO|Division by zero"), _divide_by_zero),
    (
        re.compile(r'Referenced column "(?P<name>[^"]+)" (?:not found|was not)' + _CANDIDATES, re.DOTALL),
        _unresolved_column,
    ),
    (
        re.compile(r'does not have a column named "(?P<name>[^"]+)"' + _CANDIDATES, re.DOTALL),
        _unresolved_column,
    ),
    (
        re.compile(r'Referenced table "(?P<name>[^"]+)" not found' + _CANDIDATES, re.DOTALL),
        _unresolved_column,
    ),
    (re.compile(r"Could not convert string (?P<value>'.*') to"), _cast),
    (re.compile(r'field value out of range: (?P<value>".*")'), _cast),
    (re.compile(r"Function with name \"?(?P<name>\w+)\"? does not exist"), _routine),
    (re.compile(r'(?:Table|View) with name "(?P<name>[^"]+)" already exists'), _exists),
    (
        re.compile(r'Schema with name "(?P<name>[^"]+)" already exists'),
        _plain("SCHEMA_ALREADY_EXISTS", "Cannot create schema `{name}` because it already exists.", "42P06"),
    ),
    (
        re.compile(r"Cannot drop entry \"(?P<name>[^\"]+)\""),
        _plain("SCHEMA_NOT_EMPTY", "Cannot drop a schema `{name}` because it contains objects.", "2BP01"),
    ),
    (
        re.compile(r'Schema with name "?(?P<name>[^"\s]+)"? does not exist'),
        _plain("SCHEMA_NOT_FOUND", "The schema `{name}` cannot be found.", "42704"),
    ),
    (
        re.compile(r'column "(?P<name>[^"]+)" must appear in the GROUP BY'),
        _plain(
            "MISSING_AGGREGATION",
            'The non-aggregating expression "{name}" is based on columns which are not participating in the GROUP BY'
            " clause.",
            "42803",
        ),
    ),
    (
        re.compile(r'Ambiguous reference to column name "(?P<name>[^"]+)"'),
        _plain("AMBIGUOUS_REFERENCE", "Reference `{name}` is ambiguous.", "42704"),
    ),
    (
        re.compile(r"NOT NULL constraint failed: (?P<name>\S+)"),
        _plain(
            "DELTA_NOT_NULL_CONSTRAINT_VIOLATED", "NOT NULL constraint violated for column: {name}.", "23502"
        ),
    ),
    (
        re.compile(r"Out of Range Error: (?P<what>[^\n]+)"),
        _plain("ARITHMETIC_OVERFLOW", "{what} Use `try_add` and the like to tolerate overflow.", "22003"),
    ),
    (
        re.compile(
            r"No function matches the given name and argument types '(?P<what>[^']+)'|best candidate function"
        ),
        _plain("DATATYPE_MISMATCH", "Cannot resolve the expression due to data type mismatch.", "42K09"),
    ),
    (
        re.compile(r'Parser Error: syntax error at or near "(?P<near>[^"]*)"'),
        lambda found, text: syntax(f"'{found['near']}'", text=text),
    ),
    (
        re.compile(r"Permission Error|file system operations are disabled"),
        _plain("INSUFFICIENT_PERMISSIONS", "The sandbox has no files to read or write.", "42501"),
    ),
)


def _position(text: str, name: str) -> str:
    """``; line 1 pos 14``, where the statement has this name; empty when it is not to be found."""
    plain = name.replace("`", "").lower()
    index = text.replace("`", "").lower().find(plain)
    if index < 0:
        return ""
    before = text[:index]
    return f"; line {before.count(chr(10)) + 1} pos {index - (before.rfind(chr(10)) + 1)}"
