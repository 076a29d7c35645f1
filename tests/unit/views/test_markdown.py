"""Cutting the model's Markdown into messages."""

import random
import re
from collections.abc import Callable

import pytest
from markdown_it import MarkdownIt

from bot.views import limits, markdown

PARSER = MarkdownIt("commonmark").enable("table")
Maker = Callable[[random.Random], str]


def table(*, rows: int, columns: int = 3, cell: str = "v") -> str:
    names = " | ".join(f"c{number}" for number in range(columns))
    lines = [
        "| " + " | ".join(f"{cell}{row}x{column}" for column in range(columns)) + " |" for row in range(rows)
    ]
    return "\n".join([f"| {names} |", f"|{'---|' * columns}", *lines]) + "\n"


def fence(*, lines: int, language: str = "python") -> str:
    body = "\n".join(f"    value_{number} = compute({number})" for number in range(lines))
    return f"```{language}\n{body}\n```\n"


def prose(*, words: int, start: int = 0) -> str:
    return " ".join(f"word{number}" for number in range(start, start + words)) + "\n"


def indented(text: str) -> str:
    return "".join(f"   {line}" for line in text.splitlines(keepends=True))


MAKERS: tuple[Maker, ...] = (
    lambda rng: prose(words=rng.randint(1, 900), start=rng.randint(0, 10_000)),
    lambda rng: f"{'#' * rng.randint(1, 4)} Heading{rng.randint(0, 999)}\n",
    lambda rng: table(rows=rng.randint(1, 250), columns=rng.randint(1, 24), cell=f"r{rng.randint(0, 99)}"),
    lambda rng: fence(lines=rng.randint(1, 500), language=rng.choice(["sql", "python", ""])),
    lambda rng: "".join(
        f"{number}. item{rng.randint(0, 999)} text\n" for number in range(rng.randint(1, 400))
    ),
    lambda rng: "".join(f"> quoted{number}\n" for number in range(rng.randint(1, 30))),
    lambda rng: f"- item\n\n{indented(table(rows=3))}\n  and\n\n{indented(table(rows=2))}",
    lambda rng: f"1. step\n\n{indented(fence(lines=rng.randint(1, 400)))}",
    lambda rng: "🙂 " * rng.randint(1, 6_000) + "\n",
)


def document(seed: int) -> str:
    rng = random.Random(seed)
    return "\n".join(rng.choice(MAKERS)(rng) for _ in range(rng.randint(1, 8)))


def tables_in(part: str) -> int:
    return sum(token.type == "table_open" for token in PARSER.parse(part))


def languages_in(part: str) -> list[str]:
    return [token.info for token in PARSER.parse(part) if token.type == "fence"]


def words(text: str) -> set[str]:
    return set(re.findall(r"[\w🙂]+", text))


@pytest.mark.parametrize("seed", range(25))
def test_every_part_fits_and_together_they_carry_every_word(seed: int) -> None:
    text = document(seed)
    parts = markdown.split(text)
    assert all(limits.length(part) <= limits.MARKDOWN_TEXT for part in parts)
    assert all(tables_in(part) <= limits.MESSAGE_TABLES for part in parts)
    assert words(text) == words("\n".join(parts))


@pytest.mark.parametrize("seed", range(8))
def test_a_growing_text_ends_in_the_parts_of_the_whole_one(seed: int) -> None:
    text = document(seed)
    full: list[str] = []
    tail = ""
    for start in range(0, len(text), 997):
        *more, tail = markdown.cut(tail + text[start : start + 997])
        full += more
    shown = [markdown.finish(part) for part in [*full, tail] if part.strip()]
    assert shown == markdown.split(text)


def test_a_short_text_is_one_part_as_it_was() -> None:
    text = f"# Title\n\n{prose(words=20)}\n{fence(lines=3)}\n{table(rows=2)}\n- a\n- b"
    assert markdown.split(text) == [text]


@pytest.mark.parametrize("text", ["", "  \n\n "])
def test_no_text_makes_no_parts(text: str) -> None:
    assert markdown.split(text) == []


def test_a_fence_cut_in_two_is_closed_and_opened_again_with_its_language() -> None:
    parts = markdown.split(fence(lines=800, language="sql"))
    assert len(parts) > 1
    assert [languages_in(part) for part in parts] == [["sql"]] * len(parts)


def test_a_fence_in_a_list_is_closed_within_its_item() -> None:
    parts = markdown.split(f"1. step\n\n{indented(fence(lines=800))}\n2. next\n")
    assert len(parts) > 1
    assert all(languages_in(part) == ["python"] for part in parts)


def test_a_table_cut_in_two_repeats_its_header() -> None:
    parts = markdown.split(table(rows=250))
    assert [part.split("\n")[0] for part in parts] == ["| c0 | c1 | c2 |"] * 3
    assert all(len(part.split("\n")) - 1 <= limits.TABLE_ROWS for part in parts)


def test_a_second_table_goes_with_its_heading_into_the_next_message() -> None:
    first, second = markdown.split(f"# One\n\n{table(rows=2)}\n# Two\n\n{table(rows=2)}")
    assert first.startswith("# One")
    assert second.startswith("# Two")


def test_a_table_with_too_many_columns_is_shown_as_code() -> None:
    (part,) = markdown.split(table(rows=2, columns=30))
    assert tables_in(part) == 0
    assert languages_in(part) == [""]
    assert "v1x29" in part


def test_a_table_in_a_fence_is_no_table() -> None:
    text = f"```\n{table(rows=2)}```\n\n{table(rows=2)}"
    assert markdown.split(text) == [text.rstrip()]


def test_a_word_longer_than_a_message_is_cut_and_kept() -> None:
    parts = markdown.split("x" * 30_000)
    assert "".join(parts) == "x" * 30_000


def test_an_emoji_is_never_torn() -> None:
    parts = markdown.split("👩🏽‍💻" * 3_000)
    assert set(re.findall("👩🏽‍💻|.", "".join(parts))) == {"👩🏽‍💻"}


def test_an_open_fence_is_closed_at_the_end() -> None:
    assert markdown.split("```sql\nselect 1") == ["```sql\nselect 1\n```"]
