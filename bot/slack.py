"""The Slack clients of the service: one HTTP session for all calls, and the retries that fit each kind of call."""

from dataclasses import dataclass

import aiohttp
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

REQUEST_TIMEOUT = 30  # seconds
# What Slack says of a token that time does not mend: docs.slack.dev/reference/methods/auth.test, "Errors".
REFUSALS = frozenset(
    (
        "access_denied",
        "account_inactive",
        "invalid_auth",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "token_expired",
        "token_revoked",
    )
)


@dataclass(frozen=True, kw_only=True)
class Installation:
    """What ``auth.test`` says about our token: the team it is installed in, and who we are there."""

    team_id: str
    team_name: str
    bot_user_id: str
    bot_id: str


def client(*, token: str, api_url: str, session: aiohttp.ClientSession) -> AsyncWebClient:
    """A client of all Web API methods; the outbox takes the retries out of its own copy and plans them itself."""
    handlers = [
        AsyncConnectionErrorRetryHandler(),
        AsyncRateLimitErrorRetryHandler(max_retry_count=2),
        AsyncServerErrorRetryHandler(max_retry_count=2),
    ]
    return AsyncWebClient(
        token=token, base_url=f"{api_url}/", timeout=REQUEST_TIMEOUT, session=session, retry_handlers=handlers
    )


async def installation(client: AsyncWebClient) -> Installation:
    """Who we are; raises SlackApiError for a token that Slack refuses."""
    answer = await client.auth_test()
    return Installation(
        team_id=str(answer["team_id"]),
        team_name=str(answer.get("team") or answer["team_id"]),
        bot_user_id=str(answer["user_id"]),
        bot_id=str(answer.get("bot_id") or ""),
    )
