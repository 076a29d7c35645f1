"""A SQL result as text for the model: compact JSON within a budget, and honest about what is not in it."""

import json
from dataclasses import asdict

from agent.databricks import statements

LARGEST_TEXT = 40_000  # characters
LARGEST_VALUE = 4_000  # characters


def as_json(found: statements.Rows, *, warehouse: str) -> str:
    """Columns as a list, because names may repeat; an empty result keeps them. ``note`` says what was left out."""
    columns = [asdict(column) for column in found.columns]
    budget = LARGEST_TEXT - len(_compact(columns)) - 600
    rows, cut_values = _within(found.rows, budget)
    left_out = len(found.rows) - len(rows)
    answer: dict[str, object] = {
        "columns": columns,
        "rows": rows,
        "row_count": len(rows),
        "truncated": found.more or left_out > 0 or cut_values > 0,
        "statement_id": found.statement_id,
        "warehouse": warehouse,
    }
    if notes := _notes(found, left_out=left_out, cut_values=cut_values):
        answer["note"] = notes
    return _compact(answer)


def _within(rows: list[list[str | None]], budget: int) -> tuple[list[list[str | None]], int]:
    """As many leading rows as fit, long values shortened, and how many values that were."""
    kept: list[list[str | None]] = []
    cut = 0
    for row in rows:
        short = [_shortened(value) for value in row]
        budget -= len(_compact(short)) + 1
        if budget < 0:
            break
        kept.append(short)
        cut += sum(before != after for before, after in zip(row, short, strict=True))
    return kept, cut


def _shortened(value: str | None) -> str | None:
    if value is None or len(value) <= LARGEST_VALUE:
        return value
    return f"{value[:LARGEST_VALUE]}… [{len(value)} characters in all]"


def _notes(found: statements.Rows, *, left_out: int, cut_values: int) -> str:
    notes = []
    if left_out:
        notes.append(
            f"{left_out} further rows were read but do not fit here; select fewer columns or aggregate."
        )
    if found.more:
        notes.append("There are more rows than were asked for; this is not the whole result.")
    if cut_values:
        notes.append(f"{cut_values} long values were shortened.")
    return " ".join(notes)


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
