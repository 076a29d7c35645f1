"""Structured logs: one JSON line per event on standard error, from us and from the libraries alike.

Nothing that looks like a credential leaves, whatever a library chose to print at debug level.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# Slack, Anthropic, Databricks and Google-style tokens, JWTs, our own session keys, OAuth parameters, URL passwords.
_SECRETS = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+|sk-(?:ant|brick)-[\w-]+|dapi[\w-]{4,}|dose[\w-]{8,}|eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"
    r"|(?<=[Bb]earer )[\w.~+/=-]{8,}|(?<=[Bb]asic )[\w+/=]{8,}"
    r"|(?<=[?&'\" ])(?:code|state|code_verifier|ticket|access_token|refresh_token|client_secret|token)=[^\s&'\"]+"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)|gAAAAA[\w=-]{20,}"
)
HIDDEN = "[hidden]"
# Their debug level prints whole requests and responses, the scheduler's information every run of every job; what we need
# of them is in our own lines.
_TALKATIVE = {
    **dict.fromkeys(
        (
            "markdown_it",
            "slack_sdk",
            "slack_bolt",
            "databricks",
            "urllib3",
            "httpx",
            "httpcore",
            "claude_agent_sdk",
            "mcp",
        ),
        logging.INFO,
    ),
    "apscheduler": logging.WARNING,
    # It reports a failed job with its stack; ``schedule`` does in one line.
    "apscheduler.executors": logging.CRITICAL,
    "alembic": logging.WARNING,
    # Bolt warns of SLACK_BOT_TOKEN in the environment, which it reads although it was given a client.
    "slack_bolt.app": logging.ERROR,
}


def configure(level: str) -> None:
    """Set logging up for the process; ``level`` is debug, info, warning or error."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                hide_secrets,
                structlog.processors.JSONRenderer(default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name, lowest in _TALKATIVE.items():
        logging.getLogger(name).setLevel(max(lowest, root.level))


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: everything that looks like a credential becomes ``[hidden]``."""
    for key, value in event.items():
        event[key] = _hidden(value)
    return event


def _hidden(value: object) -> object:
    match value:
        case str():
            return _SECRETS.sub(HIDDEN, value)
        case dict():
            return {key: _hidden(item) for key, item in value.items()}
        case list() | tuple():
            return [_hidden(item) for item in value]
        case bool() | int() | float() | None:
            return value
        case _:
            return _SECRETS.sub(HIDDEN, str(value))
