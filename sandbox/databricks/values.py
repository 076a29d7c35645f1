"""Types and values as the Statement Execution API shows them: Databricks type names, and every value a string.

The formats are those of JSON_ARRAY results (docs.databricks.com/api/workspace/statementexecution).
"""

import base64
import datetime
import decimal
import json
import re

from sqlglot import exp

Cell = str | None
Row = tuple[Cell, ...]

_DUCKDB_ONLY = {
    "HUGEINT": "BIGINT",
    "UHUGEINT": "BIGINT",
    "UBIGINT": "BIGINT",
    "UINTEGER": "BIGINT",
    "USMALLINT": "INT",
    "UTINYINT": "SMALLINT",
    "TIMESTAMP": "TIMESTAMP WITH TIME ZONE",
    "TIMESTAMP_S": "TIMESTAMP WITH TIME ZONE",
    "TIMESTAMP_MS": "TIMESTAMP WITH TIME ZONE",
    "TIMESTAMP_NS": "TIMESTAMP WITH TIME ZONE",
    "JSON": "VARCHAR",
    "UUID": "VARCHAR",
    "TIME": "VARCHAR",
}
#: ``type_name`` of the API where it is not simply the first word of the type.
_TYPE_NAMES = {"BIGINT": "LONG", "SMALLINT": "SHORT", "TINYINT": "BYTE", "VOID": "NULL"}


def type_text(duckdb_type: str) -> str:
    """The Databricks spelling of a DuckDB type, e.g. ``ARRAY<BIGINT>``."""
    if duckdb_type in {'"NULL"', "NULL"}:
        return "VOID"
    known = _DUCKDB_ONLY.get(duckdb_type, duckdb_type)
    text = exp.DataType.build(known, dialect="duckdb").sql(dialect="databricks")
    return re.sub(r"(\d), (\d)", r"\1,\2", text.replace("INT128", "BIGINT"))


def type_name(text: str) -> str:
    """The ``type_name`` of a Databricks type, e.g. ``DECIMAL`` of ``DECIMAL(12,2)``."""
    first = re.split(r"[(<]", text, maxsplit=1)[0]
    return _TYPE_NAMES.get(first, first)


def cell(value: object) -> Cell:
    """A value of DuckDB's Python client as a string; NULL stays None."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case float():
            return _double(value)
        case bytes():
            return base64.b64encode(value).decode()
        case list() | tuple() | dict():
            return json.dumps(_nested(value), separators=(",", ":"))
        case datetime.datetime():
            return _timestamp(value)
        case datetime.timedelta():
            return _interval(value)
        case _:
            return str(value)


def _timestamp(value: datetime.datetime) -> str:
    return value.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _interval(value: datetime.timedelta) -> str:
    """A day-time interval: ``1 02:03:04.000000000``."""
    sign = "-" if value < datetime.timedelta() else ""
    value = abs(value)
    minutes, seconds = divmod(value.seconds, 60)
    clock = f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}.{value.microseconds:06}000"
    return f"{sign}{value.days} {clock}"


def _double(value: float) -> str:
    """Java's ``Double.toString``: plain between 1e-3 and 1e7, otherwise ``1.5E10``."""
    if value != value:
        return "NaN"
    if value in {float("inf"), float("-inf")}:
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return str(value)
    sign, digits, exponent = decimal.Decimal(repr(value)).as_tuple()
    shown = "".join(map(str, digits)).rstrip("0")
    power = int(exponent) + len(digits) - 1
    return f"{'-' if sign else ''}{shown[0]}.{shown[1:] or '0'}E{power}"


def _nested(value: object) -> object:
    match value:
        case dict():
            return {str(key): _nested(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_nested(inner) for inner in value]
        case None | bool():
            return value
        case _:
            return cell(value)
