"""The small records that the parts of the sandbox's Slack hand to each other."""

from dataclasses import dataclass, field
from typing import Any

#: A JSON object as it travels: Slack's own shapes stay plain dictionaries, so that nothing is lost on the way.
Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call of the Web API or of a response URL, for tests that ask what the bot did."""

    #: The Web API method ("chat.update"), or "response_url".
    method: str
    path: str
    #: The arguments as the method read them, without the token.
    arguments: Json
    #: "bot", "app", "none" or "wrong".
    token: str
    #: Seconds of the monotonic clock.
    at: float
    ok: bool
    error: str
    status: int


@dataclass(frozen=True, kw_only=True)
class Version:
    """A message as it stood from ``at`` (monotonic seconds) until the next version."""

    at: float
    message: Json
    deleted: bool = False


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the app said to one payload: acknowledged or not, and with which body."""

    acked: bool
    payload: Json = field(default_factory=dict)
    #: Slack's word for the failure: "dispatch_failed" or "operation_timeout"; "" when acknowledged.
    error: str = ""
    #: Why it will be sent again ("timeout", "http_timeout", "http_error", "connection_failed").
    reason: str = ""
    #: The app asked Slack not to send this again (``X-Slack-No-Retry``).
    final: bool = False


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a person got for a slash command; the messages themselves are among their ephemerals."""

    acked: bool
    payload: Json
    error: str


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """One payload on its way to the app, in either mode."""

    #: "events_api", "slash_commands" or "interactive".
    type: str
    payload: Json
    accepts_response_payload: bool = False
    retry_attempt: int = 0
    retry_reason: str = ""
