"""What can go wrong between us and Slack's Web API, judged once, here."""

import asyncio
from collections.abc import Awaitable, Mapping
from enum import Enum
from typing import Any, Final, TypeVar

import aiohttp
from slack_sdk.errors import SlackApiError

T = TypeVar("T")


class ReplyError(Exception):
    """A message could not be brought to Slack. Look at ``reason``, Slack's own error code where it gave one."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Slack did not take the message ({reason}).")
        self.reason = reason


class Verdict(Enum):
    """What an error asks of us."""

    #: Wait as long as Slack says; nothing is wrong with the message.
    LIMITED = "limited"
    #: Try again, later and later.
    TRANSIENT = "transient"
    #: The message can no longer be edited; a new one can be posted.
    GONE = "gone"
    #: Slack does not take these blocks; plain words may do.
    REFUSED = "refused"
    #: Nothing can be written there.
    UNREACHABLE = "unreachable"


class CallError(Exception):
    """One call of the Web API failed. It never leaves this package."""

    def __init__(
        self, verdict: Verdict, reason: str, *, retry_after: float = 0.0, may_have_landed: bool = False
    ) -> None:
        super().__init__(f"{verdict.value}: {reason}")
        self.verdict = verdict
        self.reason = reason
        self.retry_after = retry_after
        self.may_have_landed = may_have_landed


# docs.slack.dev/reference/methods/chat.update and chat.postMessage, "Errors"
_GONE: Final = frozenset(
    {
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "block_mismatch",
        "message_not_owned_by_app",
    }
)
_UNREACHABLE: Final = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "is_inactive",
        "not_in_channel",
        "thread_not_found",
        "cannot_reply_to_message",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "restricted_action_thread_only_channel",
        "messages_tab_disabled",
        "user_not_in_channel",
        "user_not_found",
        "account_inactive",
        "invalid_auth",
        "not_authed",
        "token_revoked",
        "token_expired",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "team_access_not_granted",
        "ekm_access_denied",
    }
)
_TRANSIENT: Final = frozenset(
    {
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "team_added_to_org",
        "external_error",
    }
)
_LIMITED: Final = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})


async def checked(call: Awaitable[T], *, seconds: float) -> T:
    """The result of ``call`` within ``seconds``; what the SDK or the connection raises leaves as ``CallError``.

    The SDK's own time-out does not reach a session that is shared.
    """
    try:
        async with asyncio.timeout(seconds):
            return await call
    except SlackApiError as error:
        raise _judged(error) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        never_sent = isinstance(error, aiohttp.ClientConnectorError)
        reason = type(error).__name__
        raise CallError(Verdict.TRANSIENT, reason, may_have_landed=not never_sent) from error


def _judged(error: SlackApiError) -> CallError:
    response = error.response
    # A body that is no JSON leaves the SDK with aiohttp's response instead of its own.
    status = int(getattr(response, "status_code", None) or getattr(response, "status", None) or 200)
    body = getattr(response, "data", None)
    reason = str(body.get("error", "")) if isinstance(body, Mapping) else ""
    if status == 429 or reason in _LIMITED:
        return CallError(Verdict.LIMITED, reason or "ratelimited", retry_after=_retry_after(response))
    if status >= 500 or not reason or reason in _TRANSIENT:
        return CallError(Verdict.TRANSIENT, reason or f"HTTP {status}", may_have_landed=True)
    if reason in _GONE:
        return CallError(Verdict.GONE, reason)
    if reason in _UNREACHABLE:
        return CallError(Verdict.UNREACHABLE, reason)
    # Whatever else Slack dislikes is about what we sent, and plain words are the least that can be disliked.
    return CallError(Verdict.REFUSED, reason)


def _retry_after(response: Any) -> float:
    headers = getattr(response, "headers", None) or {}
    said = str(headers.get("Retry-After", ""))
    return float(said) if said.isdecimal() else 1.0
