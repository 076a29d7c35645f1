"""Each call and outcome in one line."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.tools.summaries import summarize, summarize_result

PROJECT = Path("/projects/sales")


@pytest.mark.parametrize(
    ("name", "input", "expected"),
    [
        ("mcp__databricks__execute_sql", {"statement": "-- why\nSELECT 1\n  FROM t"}, "SELECT 1 FROM t"),
        ("Read", {"file_path": "/projects/sales/src/report.py"}, "src/report.py"),
        ("Write", {"file_path": "/elsewhere/x", "content": "secret"}, "/elsewhere/x"),
        ("Grep", {"path": "/projects/sales", "pattern": "region"}, "region"),
        ("Bash", {"command": "ls -l\nwc -l", "description": "count"}, "ls -l wc -l"),
        ("Skill", {"skill": "bricklayer:sql"}, "bricklayer:sql"),
        ("mcp__databricks__list_warehouses", {}, ""),
        ("Unheard", {"number": 1, "text": "the first text"}, "the first text"),
        ("Read", {"file_path": 7}, ""),
    ],
)
def test_a_call_is_told_by_its_telling_argument(name: str, input: dict[str, Any], expected: str) -> None:
    assert summarize(name, input, project_dir=PROJECT) == expected


def test_a_long_statement_is_cut_and_a_token_in_it_hidden() -> None:
    line = summarize("execute_sql", {"statement": "SELECT 'dapi0123456789', " + "column, " * 100})
    assert len(line) <= 100
    assert "dapi" not in line


@pytest.mark.parametrize(
    ("name", "content", "is_error", "expected"),
    [
        ("mcp__databricks__execute_sql", json.dumps({"row_count": 1, "truncated": False}), False, "1 row"),
        (
            "mcp__databricks__execute_sql",
            json.dumps({"row_count": 1200, "truncated": True}),
            False,
            "1,200 rows, more exist",
        ),
        ("mcp__databricks__list_warehouses", json.dumps({"warehouses": [{}, {}]}), False, "2 warehouses"),
        ("mcp__databricks__get_best_warehouse", json.dumps({"id": "1", "name": "Starter"}), False, "Starter"),
        (
            "mcp__databricks__execute_sql",
            "The statement failed: no such table\nmore",
            True,
            "The statement failed: no such table",
        ),
        ("Bash", [{"type": "text", "text": "first\nsecond"}], False, "first"),
        ("Bash", None, False, ""),
        ("Bash", "{not json", False, "{not json"),
    ],
)
def test_an_outcome_is_one_line(name: str, content: Any, is_error: bool, expected: str) -> None:
    assert summarize_result(name, content, is_error=is_error) == expected
