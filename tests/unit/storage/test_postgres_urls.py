"""URLs, errors and states: small promises that need no database."""

import pytest

from storage.database import Database, Source
from storage.errors import DatabaseUnavailableError, InvalidUrlError
from storage.turns import TurnState
from storage.urls import normalized


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p@h:5432/d", "postgresql://u:p@h:5432/d"),
        (" postgres://u@h/d\n", "postgresql://u@h/d"),
        ("postgresql+asyncpg://u@h/d", "postgresql://u@h/d"),
        ("postgresql://u@/d?host=/run/a%20b", "postgresql://u@/d?host=%2Frun%2Fa+b"),
        ("postgresql://u@h/d?sslmode=require&channel_binding=require", "postgresql://u@h/d?sslmode=require"),
    ],
)
def test_a_url_is_made_fit_for_the_driver(url: str, expected: str) -> None:
    assert normalized(url) == expected


@pytest.mark.parametrize("url", ["", "host/db", "mysql://u:secret@h/d", "postgresql://u:secret@h:port/d"])
def test_what_is_not_a_postgres_url_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(InvalidUrlError, match="postgresql://user:password@host") as caught:
        Database(Source(url=url))
    assert "secret" not in str(caught.value)


def test_a_source_does_not_show_its_url() -> None:
    assert "secret" not in repr(Source(url="postgresql://u:secret@h/d"))


def test_an_error_is_a_sentence_with_a_reason_of_bounded_length() -> None:
    message = str(DatabaseUnavailableError("x" * 10_000))
    assert message.startswith("The database cannot be reached")
    assert len(message) < 500


@pytest.mark.parametrize("state", TurnState)
def test_a_turn_is_over_in_its_final_states_only(state: TurnState) -> None:
    assert state.is_over == (state not in {TurnState.QUEUED, TurnState.RUNNING, TurnState.WAITING})
