"""Logs are JSON lines, and what looks like a credential does not leave."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from cryptography.fernet import Fernet

from bot import logs

SECRETS = [
    "xoxb-1234-abcd-EFGH",
    "xapp-1-A012-345-abc",
    "sk-ant-api03-abcDEF_123",
    "sk-brick-abcDEF_123",
    "dapi0123456789abcdef",
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl",
    Fernet(Fernet.generate_key()).encrypt(b"token").decode(),
]


@pytest.fixture
def restored() -> Iterator[None]:
    """Logging is afterwards as it was before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {logger.name: logger.level for logger in _loggers()}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for logger in _loggers():
        logger.setLevel(levels.get(logger.name, logging.NOTSET))
    structlog.reset_defaults()


def _loggers() -> list[logging.Logger]:
    known = logging.getLogger().manager.loggerDict.values()
    return [logger for logger in known if isinstance(logger, logging.Logger)]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_credential_is_hidden_wherever_it_stands(secret: str) -> None:
    event = {
        "event": f"got {secret} back",
        "nested": {"list": [secret, {"deep": f"token={secret}"}]},
        "tuple": (secret,),
        "error": ValueError(f"refused {secret}"),
    }

    hidden = str(logs.hide_secrets(None, "info", event))

    assert secret not in hidden
    assert logs.HIDDEN in hidden


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abcDEF123456", "Authorization: Bearer [hidden]"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [hidden]"),
        (
            "GET /auth/callback?code=s3cr3t&state=st4te HTTP/1.1",
            "GET /auth/callback?[hidden]&[hidden] HTTP/1.1",
        ),
        ("wss://slack/link/?ticket=t1cket&app_id=1", "wss://slack/link/?[hidden]&app_id=1"),
        ("postgresql://brick:p4ss@db.example/main", "postgresql://[hidden]@db.example/main"),
    ],
)
def test_the_secret_part_is_hidden_and_the_rest_stays(text: str, shown: str) -> None:
    assert logs.hide_secrets(None, "info", {"event": text})["event"] == shown


@pytest.mark.parametrize(
    "text", ["turn 3f2a queued", "daphne", "https://example.com/a?b=c", "ada@example.com"]
)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    assert logs.hide_secrets(None, "info", {"event": text, "n": 3, "none": None}) == {
        "event": text,
        "n": 3,
        "none": None,
    }


@pytest.mark.usefixtures("restored")
def test_every_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    structlog.get_logger("bot.test").info("turn\nqueued", turn="1")
    logging.getLogger("some.library").warning("connection %s lost", "x")

    ours, theirs = map(json.loads, capsys.readouterr().err.splitlines())

    assert (ours["event"], ours["turn"], ours["level"]) == ("turn\nqueued", "1", "info")
    assert (theirs["event"], theirs["logger"]) == ("connection x lost", "some.library")


@pytest.mark.usefixtures("restored")
def test_secrets_of_libraries_and_of_tracebacks_are_hidden(
    restored: None, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("info")
    try:
        raise ValueError("token dapi0123456789abcdef refused")
    except ValueError:
        structlog.get_logger("bot.test").exception("it failed")
    logging.getLogger("some.library").error("sent %s", "xoxb-1-2-3")

    printed = capsys.readouterr().err

    assert "ValueError" in printed
    assert "dapi0123456789abcdef" not in printed
    assert "xoxb-1-2-3" not in printed


@pytest.mark.usefixtures("restored")
def test_libraries_that_print_requests_are_kept_quiet_at_debug(
    restored: None, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("debug")
    logging.getLogger("slack_sdk.web").debug("Sending a request - url: …, headers: …")
    structlog.get_logger("bot.test").debug("our own word")

    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "our own word"
