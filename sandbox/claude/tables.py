"""Rows out of a tool's answer, and rows into Markdown.

A tool may answer with JSON (``{"columns": […], "rows": […]}``, or objects in a list) or with a Markdown table, with
sentences around either. Values stay text until somebody counts with them, because a workspace sends numbers as text.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

MOST_ROWS = 20
_RULE = re.compile(r"^\|?[\s:|-]*-[\s:|-]*\|?$")
_OPENING = re.compile(r"[{\[]")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
#: columns whose numbers are names rather than amounts
_NAMING = ("id", "year", "month", "week", "day", "date", "code")


@dataclass(frozen=True, kw_only=True)
class Table:
    """A result: column names, and rows of text (None stands for NULL)."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]

    def column(self, name: str) -> list[str | None]:
        """One column's values; ``KeyError`` when the result has none of this name."""
        if name not in self.columns:
            raise KeyError(name)
        return [row[self.columns.index(name)] for row in self.rows]

    def numbers(self, name: str) -> list[float]:
        """One column's values as numbers, NULL as 0."""
        return [number(value) or 0.0 for value in self.column(name)]


def parse(text: str) -> Table | None:
    """The first table in a text, or None."""
    for value in _json_values(text):
        table = _from_json(value)
        if table is not None:
            return table
    return _from_markdown(text)


def markdown(table: Table, *, bold_row: int | None = None) -> str:
    """The table in Markdown, long ones cut after ``MOST_ROWS`` with a line that says so."""
    right = [_is_numeric(table, index) for index in range(len(table.columns))]
    lines = [_line(table.columns), _line(["---:" if is_right else "---" for is_right in right])]
    for number_, row in enumerate(table.rows[:MOST_ROWS]):
        cells = [show(value, column=name) for name, value in zip(table.columns, row, strict=False)]
        lines.append(_line([f"**{cell}**" for cell in cells] if number_ == bold_row else cells))
    if len(table.rows) > MOST_ROWS:
        lines += ["", f"_{MOST_ROWS} of {len(table.rows):,} rows._"]
    return "\n".join(lines)


def show(value: str | None, *, column: str = "") -> str:
    """A value for people: thousands apart, two decimals, no line breaks or pipes."""
    if value is None:
        return "–"
    amount = number(value)
    if amount is None or column.lower().split("_")[-1] in _NAMING:
        return re.sub(r"\s+", " ", value).replace("|", "\\|")
    return f"{amount:,.2f}" if "." in value or "e" in value.lower() else f"{amount:,.0f}"


def number(value: str | None) -> float | None:
    """The value as a number, None when it is not one."""
    return float(value) if value is not None and _NUMBER.fullmatch(value.strip()) else None


def _json_values(text: str) -> Iterator[Any]:
    decoder, start = json.JSONDecoder(), 0
    while opening := _OPENING.search(text, start):
        try:
            value, start = decoder.raw_decode(text, opening.start())
        except ValueError:
            start = opening.end()
            continue
        yield value


def _from_json(value: Any) -> Table | None:
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        columns = tuple(value[0])
        return Table(columns=columns, rows=tuple(_row(item.get(name) for name in columns) for item in value))
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("columns"), list) and isinstance(value.get("rows"), list):
        return _from_columns(value["columns"], value["rows"])
    for inner in value.values():
        table = _from_json(inner) if isinstance(inner, list | dict) else None
        if table is not None:
            return table
    return None


def _from_columns(columns: list[Any], rows: list[Any]) -> Table:
    names = tuple(str(column["name"]) if isinstance(column, dict) else str(column) for column in columns)
    parsed = [_row(row.get(name) for name in names) if isinstance(row, dict) else _row(row) for row in rows]
    return Table(columns=names, rows=tuple(parsed))


def _row(values: Any) -> tuple[str | None, ...]:
    return tuple(None if value is None else _text(value) for value in values)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _from_markdown(text: str) -> Table | None:
    lines = text.splitlines()
    for index in range(1, len(lines)):
        if "|" in lines[index - 1] and "|" in lines[index] and _RULE.match(lines[index].strip()):
            rows = []
            for line in lines[index + 1 :]:
                if "|" not in line:
                    break
                rows.append(tuple(_cells(line)))
            return Table(columns=tuple(_cells(lines[index - 1])), rows=tuple(rows))
    return None


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [cell.strip().strip("*").replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]


def _is_numeric(table: Table, index: int) -> bool:
    values = [row[index] for row in table.rows if index < len(row) and row[index] is not None]
    return bool(values) and all(number(value) is not None for value in values)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
