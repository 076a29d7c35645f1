"""Counting and cutting."""

import pytest

from bot.views import limits


@pytest.mark.parametrize(("text", "length"), [("", 0), ("abc", 3), ("é", 1), ("🙂", 2), ("👩🏽‍💻", 7)])
def test_length_counts_utf16_units(text: str, length: int) -> None:
    assert limits.length(text) == length


def test_two_hundred_characters_become_one_hundred_and_fifty() -> None:
    assert limits.clip("x" * 200, 150) == "x" * 149 + "…"


def test_what_fits_is_left_alone() -> None:
    assert limits.clip("x" * 150, 150) == "x" * 150


@pytest.mark.parametrize("limit", range(30))
def test_a_cut_never_tears_an_emoji(limit: int) -> None:
    piece = limits.head("👩🏽‍💻🙂" * 5, limit)
    assert limits.length(piece) <= limit
    assert piece.count("👩") == piece.count("💻")


def test_one_line_is_one_line() -> None:
    assert limits.one_line("select *\n  from  t", 100) == "select * from t"
