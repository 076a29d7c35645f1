"""What of a growing text is shown."""

import pytest

from bot.views import markdown


@pytest.mark.parametrize(
    ("so_far", "shown"),
    [
        ("plain words", "plain words"),
        ("Done!", "Done!"),
        ("some **bo", "some **bo**"),
        ("some **bold*", "some **bold**"),
        ("some **bold**", "some **bold**"),
        ("some **", "some"),
        ("some _italic_", "some _italic_"),
        ("2 ** 3 is 8", "2 ** 3 is 8"),
        ("some ~~old", "some ~~old~~"),
        ("run `sel", "run `sel`"),
        ("run `select 1`", "run `select 1`"),
        ("run `a ** b`", "run `a ** b`"),
        ("**run `sel", "**run `sel`**"),
        ("see [the do", "see"),
        ("see [the docs](https://exam", "see"),
        ("see [the docs](https://example.com)", "see [the docs](https://example.com)"),
        ("an image ![al", "an image"),
    ],
)
def test_open_marks_are_closed_or_wait(so_far: str, shown: str) -> None:
    assert markdown.so_far(so_far) == shown


@pytest.mark.parametrize("line", ["-", "---", "#", "1.", "1", "|", "```", ">", "* "])
def test_a_line_of_markup_alone_waits_for_its_words(line: str) -> None:
    assert markdown.so_far(f"Intro\n{line}") == "Intro"


def test_a_table_waits_for_its_first_whole_row() -> None:
    rows = "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4"
    for end in range(1, rows.index("| 3")):
        assert markdown.so_far(f"Intro\n\n{rows[:end]}") == "Intro"
    assert markdown.so_far(f"Intro\n\n{rows}") == "Intro\n\n| a | b |\n|---|---|\n| 1 | 2 |"


def test_an_open_fence_is_closed_for_display() -> None:
    assert markdown.so_far("```sql\nselect 1") == "```sql\nselect 1\n```"


@pytest.mark.parametrize("so_far", ["Intro\n\n```", "Intro\n\n```sq", "Intro\n\n```sql\n"])
def test_a_fence_without_code_is_not_shown(so_far: str) -> None:
    assert markdown.so_far(so_far) == "Intro"


def test_half_a_closing_fence_is_not_shown_as_code() -> None:
    assert markdown.so_far("```\nselect 1\n``") == "```\nselect 1\n```"


def test_every_beginning_of_a_text_shows_no_word_of_markup_twice() -> None:
    text = "# Title\n\nSome **bold** text.\n\n- one\n- two\n\n```py\nx = 1\n```\n\n| a |\n|---|\n| 1 |\n"
    for end in range(len(text)):
        shown = markdown.so_far(text[:end])
        assert shown.count("**") % 2 == 0
        assert shown.count("```") % 2 == 0
