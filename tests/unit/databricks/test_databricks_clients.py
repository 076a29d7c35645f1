"""A client acts as whom it was made for, whatever the environment says."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from databricks.sdk import WorkspaceClient, core

from agent.databricks import clients, errors
from agent.databricks.threads import CallPool
from tests.unit.databricks.wire import Request, Wire, answers

ME = "/api/2.0/preview/scim/v2/Me"
RUN_NOW = "/api/2.2/jobs/run-now"


class Tokens:
    """A token that can be swapped, and counts its renewals."""

    def __init__(self, token: str, *, next_token: str | None = None) -> None:
        self.now = token
        self.next = next_token or token
        self.renewals = 0

    def token(self) -> str:
        return self.now

    def renew(self, refused: str) -> str:
        self.renewals += 1
        self.now = self.next
        return self.now


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every variable and file from which the SDK would take somebody else's credentials or another host."""
    for attribute in core.Config.attributes():
        for name in (attribute.env, *attribute.env_aliases):
            if name:
                monkeypatch.setenv(name, "true" if "USE_" in name else "17")
    profile = "[DEFAULT]\nhost = http://127.0.0.1:9\ntoken = dapi-profile\n[service]\nhost = http://127.0.0.1:9\ntoken = dapi-profile\n"
    (tmp_path / ".databrickscfg").write_text(profile)
    for name, value in {
        "HOME": str(tmp_path),
        "DATABRICKS_CONFIG_FILE": str(tmp_path / ".databrickscfg"),
        "DATABRICKS_CONFIG_PROFILE": "service",
        "DATABRICKS_HOST": "http://127.0.0.1:9",
        "DATABRICKS_TOKEN": "dapi-service",
        "DATABRICKS_CLIENT_ID": "service",
        "DATABRICKS_CLIENT_SECRET": "dose-service",
        "DATABRICKS_USERNAME": "service",
        "DATABRICKS_PASSWORD": "service",
        "DATABRICKS_AUTH_TYPE": "oauth-m2m",
        "DATABRICKS_METADATA_SERVICE_URL": "http://127.0.0.1:9/metadata",
        "DATABRICKS_ACCOUNT_ID": "service",
        "DATABRICKS_WORKSPACE_ID": "17",
        "ARM_CLIENT_ID": "service",
        "ARM_CLIENT_SECRET": "service",
        "ARM_TENANT_ID": "service",
        "GOOGLE_CREDENTIALS": "service",
    }.items():
        monkeypatch.setenv(name, value)
    # Credentials for every host, as requests would find them.
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login service password service\n")


async def me(client: WorkspaceClient, pool: CallPool) -> str | None:
    return (await pool.call("ada", client.current_user.me, timeout=20)).user_name


@pytest.mark.usefixtures("hostile")
async def test_only_the_senders_token_is_on_the_wire(wire: Wire, pool: CallPool) -> None:
    wire.answers[ME] = answers({"id": "1", "userName": "ada@brickfield.example"})
    client = clients.workspace_client(host=wire.url, tokens=Tokens("token-of-ada"))
    assert await me(client, pool) == "ada@brickfield.example"
    assert [(request.path, request.authorization) for request in wire.requests] == [
        (ME, "Bearer token-of-ada")
    ]


@pytest.mark.usefixtures("hostile")
async def test_nothing_hostile_is_in_the_configuration(wire: Wire) -> None:
    client = clients.workspace_client(host=wire.url, tokens=Tokens("token-of-ada"))
    assert set(client.config.as_dict()) == {
        "host",
        "auth_type",
        "http_timeout_seconds",
        "retry_timeout_seconds",
    }
    assert wire.requests == []


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("token", ["", None])
async def test_no_token_means_no_request(wire: Wire, pool: CallPool, token: str) -> None:
    tokens = Tokens("")
    tokens.now = token
    with pytest.raises(errors.SignInNeededError):
        await me(clients.workspace_client(host=wire.url, tokens=tokens), pool)
    assert wire.requests == []


async def test_a_token_swapped_between_requests_is_picked_up(wire: Wire, pool: CallPool) -> None:
    wire.answers[ME] = answers({"id": "1", "userName": "ada"})
    tokens = Tokens("first")
    client = clients.workspace_client(host=wire.url, tokens=tokens)
    await me(client, pool)
    tokens.now = "second"
    await me(client, pool)
    assert [request.authorization for request in wire.requests] == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_token_that_died_early_is_renewed_once_and_the_request_repeated(
    wire: Wire, pool: CallPool, status: int
) -> None:
    async def answer(request: Request) -> web.StreamResponse:
        if request.authorization == "Bearer fresh":
            return web.json_response({"id": "1", "userName": "ada"})
        return web.json_response({"error_code": status, "message": "Invalid access token."}, status=status)

    wire.answers[ME] = answer
    tokens = Tokens("dead", next_token="fresh")
    assert await me(clients.workspace_client(host=wire.url, tokens=tokens), pool) == "ada"
    assert tokens.renewals == 1


async def test_a_missing_permission_costs_no_refresh(wire: Wire, pool: CallPool) -> None:
    wire.answers[ME] = answers(
        {"error_code": "PERMISSION_DENIED", "message": "User may not do this."}, status=403
    )
    tokens = Tokens("fine")
    with pytest.raises(OSError, match="may not"):
        await me(clients.workspace_client(host=wire.url, tokens=tokens), pool)
    assert (tokens.renewals, len(wire.requests)) == (0, 1)


async def test_a_token_does_not_follow_a_redirect_to_another_host(wire: Wire, pool: CallPool) -> None:
    async with Wire() as elsewhere:
        elsewhere.answers[ME] = answers({"message": "who are you"}, status=401)

        async def answer(request: Request) -> web.StreamResponse:
            raise web.HTTPFound(f"{elsewhere.url.replace('127.0.0.1', 'localhost')}{ME}")

        wire.answers[ME] = answer
        with pytest.raises(OSError, match="who are you"):
            await me(clients.workspace_client(host=wire.url, tokens=Tokens("token-of-ada")), pool)
        assert [request.authorization for request in elsewhere.requests] == [None]


async def test_a_post_whose_connection_broke_is_not_repeated(wire: Wire, pool: CallPool) -> None:
    async def answer(request: Request) -> web.StreamResponse:
        raise asyncio.CancelledError

    wire.answers[RUN_NOW] = answer
    client = clients.workspace_client(host=wire.url, tokens=Tokens("token-of-ada"))
    with pytest.raises(errors.OutcomeUnknownError):
        await pool.call("ada", lambda: client.jobs.run_now(7), timeout=20)
    assert len(wire.requests) == 1
