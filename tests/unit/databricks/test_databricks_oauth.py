"""The token client tells apart what a person, the operator, or time must mend."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import structlog
from aiohttp import web

from agent.databricks import errors, oauth
from tests.unit.databricks.wire import Request, Wire, answers

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
GRANT = {
    "access_token": "at-2",
    "refresh_token": "rt-2",
    "token_type": "Bearer",
    "expires_in": 3600,
    "scope": "sql",
}


def discovery(root: str) -> dict[str, str]:
    return {"authorization_endpoint": f"{root}/v1/authorize", "token_endpoint": f"{root}/v1/token"}


@pytest.fixture
async def client(wire: Wire) -> AsyncIterator[oauth.OAuthClient]:
    wire.answers["/oidc/.well-known/oauth-authorization-server"] = answers(discovery(f"{wire.url}/oidc"))
    client = made(wire)
    yield client
    await client.close()


def made(wire: Wire, *, secret: str | None = "bricklayer-secret") -> oauth.OAuthClient:
    return oauth.OAuthClient(
        host=wire.url,
        client_id="bricklayer",
        client_secret=secret,
        scopes=("all-apis", "offline_access"),
        redirect_uri="http://127.0.0.1:8000/auth/callback",
        now=lambda: NOW,
    )


def form(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.text).items()}


async def test_the_authorization_url_carries_the_s256_challenge(client: oauth.OAuthClient) -> None:
    # The pair of RFC 7636, appendix B.
    url = await client.authorization_url(state="s", verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    query = parse_qs(urlsplit(url).query)
    assert query["code_challenge"] == ["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"]
    assert query["code_challenge_method"] == ["S256"]
    assert query["scope"] == ["all-apis offline_access"]


async def test_an_account_host_is_discovered_by_its_metadata(wire: Wire) -> None:
    root = f"{wire.url}/oidc/accounts/acc-1"
    wire.answers["/.well-known/databricks-config"] = answers(
        {"oidc_endpoint": f"{wire.url}/oidc/accounts/{{account_id}}", "account_id": "acc-1"}
    )
    wire.answers["/oidc/accounts/acc-1/.well-known/oauth-authorization-server"] = answers(discovery(root))
    client = made(wire)
    assert (await client.endpoints()).token == f"{root}/v1/token"
    await client.close()


async def test_an_endpoint_without_encryption_is_refused(wire: Wire) -> None:
    wire.answers["/oidc/.well-known/oauth-authorization-server"] = answers(
        discovery("http://elsewhere.example")
    )
    client = made(wire)
    with pytest.raises(errors.OAuthUnavailableError):
        await client.endpoints()
    await client.close()


async def test_a_refresh_brings_everything_with_an_expiry_in_utc(
    client: oauth.OAuthClient, wire: Wire
) -> None:
    wire.answers["/oidc/v1/token"] = answers(GRANT)
    grant = await client.refresh("rt-1")
    assert grant == oauth.Grant(
        access_token="at-2", refresh_token="rt-2", expires_at=NOW + timedelta(hours=1), scopes=("sql",)
    )
    assert form(wire.of("/oidc/v1/token")[0]) == {
        "grant_type": "refresh_token",
        "refresh_token": "rt-1",
        "client_id": "bricklayer",
        "client_secret": "bricklayer-secret",
    }


async def test_a_public_client_sends_its_verifier_and_no_secret(
    client: oauth.OAuthClient, wire: Wire
) -> None:
    wire.answers["/oidc/v1/token"] = answers(GRANT)
    public = made(wire, secret=None)
    await public.exchange(code="c", verifier="v")
    await public.close()
    sent = form(wire.of("/oidc/v1/token")[0])
    assert sent["code_verifier"] == "v"
    assert "client_secret" not in sent


@pytest.mark.parametrize(
    "answer",
    [
        {"error": "invalid_grant", "error_description": "expired"},
        {"error": "invalid_request", "error_description": "Refresh token is invalid"},
    ],
)
async def test_a_dead_refresh_token_means_sign_in_again(
    client: oauth.OAuthClient, wire: Wire, answer: dict[str, str]
) -> None:
    wire.answers["/oidc/v1/token"] = answers(answer, status=400)
    with pytest.raises(errors.SignInNeededError):
        await client.refresh("rt-1")


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (400, {"error": "invalid_request", "error_description": "unknown parameter"}),
        (400, {"error": "temporarily_unavailable"}),
        (429, {"error": "invalid_grant"}),
        (500, {"error": "invalid_grant"}),
        (503, "down"),
        (200, {"access_token": ""}),
        (200, ["not an object"]),
        (302, {}),
    ],
)
async def test_what_time_may_mend_never_ends_a_sign_in(
    client: oauth.OAuthClient, wire: Wire, status: int, answer: object
) -> None:
    wire.answers["/oidc/v1/token"] = answers(answer, status=status)
    with pytest.raises(errors.OAuthUnavailableError):
        await client.refresh("rt-1")


async def test_a_refused_app_is_told_loudly_and_ends_no_sign_in(
    client: oauth.OAuthClient, wire: Wire
) -> None:
    wire.answers["/oidc/v1/token"] = answers({"error": "invalid_client"}, status=401)
    with structlog.testing.capture_logs() as logs, pytest.raises(errors.OAuthMisconfiguredError):
        await client.refresh("rt-1")
    assert [(entry["log_level"], entry["event"]) for entry in logs] == [
        ("error", "databricks refuses the oauth app")
    ]


async def test_a_hanging_server_is_given_up(
    client: oauth.OAuthClient, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(request: Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return web.json_response(GRANT)

    wire.answers["/oidc/v1/token"] = answer
    monkeypatch.setattr(oauth, "TIMEOUT", httpx.Timeout(0.05))
    hasty = made(wire)
    with pytest.raises(errors.OAuthUnavailableError):
        await hasty.refresh("rt-1")
    await hasty.close()


async def test_an_absent_server_is_unavailable_at_once() -> None:
    client = oauth.OAuthClient(host="http://127.0.0.1:9", client_id="bricklayer", client_secret=None)
    began = time.monotonic()
    with pytest.raises(errors.OAuthUnavailableError):
        await client.refresh("rt-1")
    assert await client.revoke("rt-1", kind="refresh_token") is False
    assert time.monotonic() - began < 3
    await client.close()


async def test_the_endpoints_are_asked_for_once(client: oauth.OAuthClient, wire: Wire) -> None:
    await client.endpoints()
    asked = len(wire.requests)
    await client.endpoints()
    assert len(wire.requests) == asked


def test_no_token_is_in_a_grants_representation() -> None:
    grant = oauth.Grant(access_token="at-secret", refresh_token="rt-secret", expires_at=NOW, scopes=None)
    assert "secret" not in repr(grant)
