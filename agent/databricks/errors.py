"""What can go wrong with Databricks, as one branch of the agent's tree.

Texts of the platform are treated as dangerous: the SDK appends the host and the names of environment variables to
every 401 and 403, and bodies can echo what was sent. ``from_sdk`` makes one scrubbed, shortened sentence with a
remedy out of any of them; nothing else in this package shows a platform's text to people or to the model.
"""

import re

import requests
from databricks.sdk import errors as sdk_errors
from databricks.sdk.errors import base as sdk_base

from agent import errors

LONGEST_TEXT = 400  # characters

_TOKENS = re.compile(
    r"\b(?:dapi|dose|doau|dkea|dsapi)[0-9A-Za-z_-]{4,}"
    r"|\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"
    r"|\b(?:xox[a-z]|xapp|sk-ant)-[\w-]+"
    r"|(?<=Bearer )\S+|(?<=Basic )\S+"
    r"|(?<=[?&])(?:code|state|token|sig)=[^\s&\"']+"
    r"|\b(?:access_token|refresh_token|client_secret|password)[\"']?\s*[=:]\s*[\"']?[^\s&\"',]+",
    re.IGNORECASE,
)
_APPENDED = re.compile(r"[.\s]*\b(?:Config: host=|Config: |Env: [A-Z]).*", re.DOTALL)


class DatabricksError(errors.AgentError):
    """Databricks could not do what was asked."""

    sentence = "Databricks could not do that. Please try again."


class SignInNeededError(DatabricksError):
    """The person has no living sign-in: never linked, signed out, or Databricks ended it."""

    sentence = "You are not signed in to Databricks. Use /brick login and send your message again."


class OAuthUnavailableError(DatabricksError):
    """Databricks' sign-in service did not do its part; the person's sign-in itself is not in doubt."""

    sentence = "Databricks' sign-in service is not answering right now. Please try again in a minute."


class OAuthMisconfiguredError(OAuthUnavailableError):
    """Databricks refuses the OAuth app itself: only whoever runs Bricklayer can mend that."""

    sentence = (
        "Databricks refuses the OAuth app that Bricklayer signs people in through. "
        "Whoever runs Bricklayer must check DATABRICKS_OAUTH_CLIENT_ID and DATABRICKS_OAUTH_CLIENT_SECRET."
    )


class SignInNotSetUpError(DatabricksError):
    """No OAuth app or public address is configured."""

    sentence = (
        "Signing in to Databricks is not set up. Whoever runs Bricklayer must set DATABRICKS_HOST, "
        "DATABRICKS_OAUTH_CLIENT_ID and PUBLIC_URL."
    )


class CallTimeoutError(DatabricksError):
    """A call took longer than its caller was ready to wait."""

    sentence = "Databricks did not answer in time. Please try again."


class PoolBusyError(DatabricksError):
    """Too many calls of one sender are waiting already."""

    sentence = "Too many of your Databricks calls are waiting already. Let some finish, then try again."


class PoolClosedError(DatabricksError):
    """The service is stopping and takes no further calls."""

    sentence = "Bricklayer is restarting; nothing was done. Please try again in a minute."


class OutcomeUnknownError(DatabricksError):
    """The connection broke after a request with an effect had been sent, so it must not simply be repeated."""

    sentence = (
        "The connection to Databricks broke before it answered, so it is not known whether the request took effect. "
        "Look at the current state before repeating it."
    )


class PlatformError(DatabricksError):
    """Databricks answered with an error; ``code`` is its own error code, ``""`` where there was none."""

    def __init__(self, sentence: str, *, code: str = "") -> None:
        super().__init__(sentence)
        self.code = code


class AccessDeniedError(PlatformError):
    """Databricks says that this identity may not do that."""


class NotFoundError(PlatformError):
    """Databricks says that there is no such thing, or none that this identity may see."""


def scrub(text: str, *, limit: int = LONGEST_TEXT) -> str:
    """One line without tokens and without what the SDK appended, cut at ``limit`` characters."""
    line = " ".join(_TOKENS.sub("[hidden]", _APPENDED.sub("", text)).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def from_sdk(error: Exception) -> DatabricksError:
    """The error of ours that says what the SDK's says: one sentence, and the remedy where one is known."""
    match error:
        case DatabricksError():
            return error
        case sdk_errors.Unauthenticated():
            return AccessDeniedError(
                _sentence("Databricks did not accept the sign-in", error), code="UNAUTHENTICATED"
            )
        case sdk_errors.PermissionDenied():
            return AccessDeniedError(_sentence("Databricks refused this", error), code=_code(error))
        case sdk_errors.NotFound():
            return NotFoundError(_sentence("Databricks has no such thing", error), code=_code(error))
        case sdk_errors.TooManyRequests():
            return PlatformError(
                "Databricks asks for fewer requests. Wait a minute and try again.", code=_code(error)
            )
        case sdk_base.DatabricksError():
            return PlatformError(_sentence("Databricks reports", error), code=_code(error))
        case TimeoutError() | requests.Timeout():
            return CallTimeoutError()
        case requests.ConnectionError():
            return DatabricksError(
                "The Databricks workspace cannot be reached right now. Please try again in a minute."
            )
        case _:
            return DatabricksError(
                f"The call to Databricks failed ({type(error).__name__}). Please try again."
            )


def _sentence(lead: str, error: sdk_base.DatabricksError) -> str:
    return f"{lead}: {scrub(str(error))}"


def _code(error: sdk_base.DatabricksError) -> str:
    return str(error.error_code or "")
