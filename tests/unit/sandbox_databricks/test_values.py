"""How values and types are spelled."""

import datetime
import decimal

import pytest

from sandbox.databricks import values


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, "true"),
        (7, "7"),
        (0.5, "0.5"),
        (1e10, "1.0E10"),
        (-1.25e-5, "-1.25E-5"),
        (12345678.9, "1.23456789E7"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        (decimal.Decimal("1.10"), "1.10"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC), "2026-01-02T03:04:05.000Z"),
        (b"ab", "YWI="),
        ([1, None], '["1",null]'),
        ({"a": {"b": 2}}, '{"a":{"b":"2"}}'),
    ],
)
def test_a_value_is_shown_as_databricks_shows_it(value: object, shown: str | None) -> None:
    assert values.cell(value) == shown


@pytest.mark.parametrize(
    ("duckdb_type", "shown"),
    [
        ("VARCHAR", "STRING"),
        ("HUGEINT", "BIGINT"),
        ("INTEGER", "INT"),
        ("DECIMAL(12,2)", "DECIMAL(12,2)"),
        ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP"),
        ("TIMESTAMP", "TIMESTAMP"),
        ("INTEGER[]", "ARRAY<INT>"),
        ('"NULL"', "VOID"),
    ],
)
def test_a_type_is_spelled_as_databricks_spells_it(duckdb_type: str, shown: str) -> None:
    assert values.type_text(duckdb_type) == shown
