"""A result says everything that it leaves out."""

import json

from agent.databricks.statements import Column, Rows
from agent.tools import results


def rows(values: list[list[str | None]], *, more: bool = False) -> Rows:
    columns = tuple(Column(name="name", type="STRING") for _ in (values[0] if values else [1, 2]))
    return Rows(statement_id="s-1", columns=columns, rows=values, more=more)


def test_duplicate_column_names_are_kept() -> None:
    answer = json.loads(results.as_json(rows([["a", None]]), warehouse="w-1"))
    assert answer == {
        "columns": [{"name": "name", "type": "STRING"}] * 2,
        "rows": [["a", None]],
        "row_count": 1,
        "truncated": False,
        "statement_id": "s-1",
        "warehouse": "w-1",
    }


def test_an_empty_result_keeps_its_columns() -> None:
    answer = json.loads(results.as_json(rows([]), warehouse="w-1"))
    assert (len(answer["columns"]), answer["rows"], answer["truncated"]) == (2, [], False)


def test_more_rows_on_the_server_are_admitted() -> None:
    answer = json.loads(results.as_json(rows([["a"]], more=True), warehouse="w-1"))
    assert answer["truncated"] is True
    assert "not the whole result" in answer["note"]


def test_text_stays_within_its_budget_and_says_how_many_rows_fell_out() -> None:
    text = results.as_json(rows([["ä" * 90]] * 5000), warehouse="w-1")
    answer = json.loads(text)
    assert len(text) <= results.LARGEST_TEXT
    assert f"{5000 - answer['row_count']} further rows" in answer["note"]


def test_a_huge_value_is_shortened_and_says_so() -> None:
    answer = json.loads(results.as_json(rows([["x" * 100_000]]), warehouse="w-1"))
    assert answer["rows"][0][0].endswith("[100000 characters in all]")
    assert answer["truncated"] is True


def test_a_row_that_fits_nowhere_is_left_out_openly() -> None:
    answer = json.loads(results.as_json(rows([["x" * 4000] * 40]), warehouse="w-1"))
    assert answer["rows"] == []
    assert "1 further rows" in answer["note"]
