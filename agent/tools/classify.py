"""Does a SQL statement change anything? Decided on its parse tree, and in doubt the answer is yes.

Reading is a short list of statement kinds, without any node below them that writes and without functions that act.
Everything else is a write: what sqlglot does not know, what it cannot parse, and what it may read differently from
Spark. The last matters because the text comes from a model that reads untrusted data: where a backslash, a nested
comment or a bare carriage return can shift the border between comment, string and code, a single verb of change
anywhere in the text is enough.
"""

import logging
import re
from collections.abc import Iterator

import sqlglot
from sqlglot import exp

from agent.databricks import errors
from agent.tools.registry import Effect

LONGEST_STATEMENT = 200_000  # characters

# It warns of each statement it keeps as plain text, and quotes it.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

_READS = (exp.Select, exp.SetOperation, exp.Subquery, exp.Values, exp.Describe, exp.Use)
_WRITES_WITHIN = (exp.DML, exp.DDL, exp.Into, exp.Command, exp.Merge, exp.Drop, exp.Alter)
# Kept as text by sqlglot; EXPLAIN plans a statement without running it.
_READING_COMMANDS = re.compile(r"(?:SHOW|EXPLAIN(?!\s+ANALYZE))\b", re.IGNORECASE)
_LIST_FILES = re.compile(r"LIST\s+'[^'\\;]*'(?:\s+LIMIT\s+\d+)?\s*;?", re.IGNORECASE)
# Functions that call out or run code: an HTTP service, a model endpoint (which may be an agent), Python, the JVM,
# another database (docs.databricks.com/en/sql/language-manual/sql-ref-functions-builtin).
_ACTING = frozenset(
    {"http_request", "ai_query", "remote_query", "python_exec", "java_method", "reflect", "try_reflect"}
)
# Spark goes on with a line comment after a backslash at its end, knows raw strings, and nests comments.
_AMBIGUOUS = re.compile(r"\\|\r(?!\n)|/\*(?:(?!\*/).)*/\*|\b[rR]['\"]", re.DOTALL)
_VERBS = re.compile(
    r"\b(?:INSERT|UPDATE|DELETE|MERGE|CREATE|REPLACE|DROP|ALTER|TRUNCATE|COPY|GRANT|REVOKE|CALL|EXECUTE|RESTORE|UNDROP"
    r"|OPTIMIZE|VACUUM|REFRESH|ANALYZE|MSCK|LOAD|PUT|REMOVE|SET|COMMENT|SYNC|DECLARE|BEGIN|CACHE|UNCACHE)"
    r"\b(?!\s*\()",
    re.IGNORECASE,
)


class EmptyStatementError(errors.DatabricksError):
    """There was nothing but comments and white space."""

    sentence = "There is no SQL in this statement; nothing was run."


class SeveralStatementsError(errors.DatabricksError):
    """One call runs one statement."""

    sentence = (
        "These are several statements; nothing was run. Send them one by one, each in a call of its own."
    )


class StatementTooLongError(errors.DatabricksError):
    """Too long to be judged."""

    sentence = (
        f"The statement is longer than {LONGEST_STATEMENT:,} characters; nothing was run. Make it shorter."
    )


def effect(statement: str) -> Effect:
    """What running this would do; raises the errors above. Takes milliseconds for long texts."""
    if len(statement) > LONGEST_STATEMENT:
        raise StatementTooLongError
    if _LIST_FILES.fullmatch(statement.strip()):
        return Effect.READ
    try:
        parsed = list(_statements(statement))
    except (sqlglot.errors.SqlglotError, RecursionError):
        return Effect.WRITE
    if not parsed:
        raise EmptyStatementError
    if len(parsed) > 1:
        raise SeveralStatementsError
    if _AMBIGUOUS.search(statement) and _VERBS.search(statement):
        return Effect.WRITE
    return Effect.READ if _only_reads(parsed[0]) else Effect.WRITE


def _statements(text: str) -> Iterator[exp.Expr]:
    for parsed in sqlglot.parse(text, read="databricks"):
        if parsed is not None and not isinstance(parsed, exp.Semicolon):
            yield parsed


def _only_reads(statement: exp.Expr) -> bool:
    if isinstance(statement, exp.Command):
        return _READING_COMMANDS.match(f"{statement.name} {statement.text('expression')}") is not None
    if not isinstance(statement, _READS):
        return False
    return not any(isinstance(node, _WRITES_WITHIN) or _acts(node) for node in statement.walk())


def _acts(node: exp.Expr) -> bool:
    if not isinstance(node, exp.Func):
        return False
    name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
    return name.casefold() in _ACTING
