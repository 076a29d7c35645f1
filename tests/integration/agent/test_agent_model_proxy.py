"""The way to the model: what passes, what is replaced, and who gets through."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import yarl
from aiohttp import web
from structlog.testing import capture_logs

from agent import model_proxy, upstream
from agent.databricks import errors, oauth
from sandbox import claude, people
from sandbox.databricks.oidc import SERVICE_PRINCIPAL_SECRET
from sandbox.world import World
from storage import errors as storage_errors
from tests.integration.agent import scene as scenes

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLER = model_proxy.Caller(turn_id=uuid.uuid4(), team_id=people.TEAM.id, sender_id=people.ADA.id)
OPERATOR_KEY = "sk-ant-operators-own"
SERVICE_PRINCIPAL = "5b2c1f0e-6f9d-4f0a-9d7e-0c1a5e2b7a11"
HELLO = {
    "model": "claude-opus-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "!!say hello"}],
}


@dataclass
class Origin:
    """A server behind the proxy that keeps what it was sent and answers as it is told."""

    url: str = ""
    paths: list[str] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.raw_path)
        self.headers, self.body = request.headers, await request.read()
        response = web.StreamResponse(status=418, headers={"anthropic-ratelimit": "7", "X-Api-Key": "leak"})
        await response.prepare(request)
        await response.write(b"first ")
        await self.go_on.wait()
        await response.write(b"second")
        await response.write_eof()
        return response


@pytest_asyncio.fixture(loop_scope="session")
async def origin() -> AsyncIterator[Origin]:
    made = Origin()
    async with served(made.answer) as made.url:
        yield made


@asynccontextmanager
async def served(handler: Any) -> AsyncIterator[str]:
    """The address of a server with this one handler."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def proxy_to(
    behind: model_proxy.Upstream, folder: Path
) -> AsyncIterator[tuple[model_proxy.ModelProxy, "Client"]]:
    """A proxy, and a client of it whose key is admitted."""
    proxy = model_proxy.ModelProxy(upstream=behind, socket=folder / f"{uuid.uuid4().hex[:8]}.sock")
    await proxy.start()
    key = proxy.issue_key()
    key.admit(CALLER)
    try:
        async with aiohttp.ClientSession(proxy.url, auto_decompress=False) as session:
            yield proxy, Client(session=session, key=key)
    finally:
        await proxy.stop()


@dataclass(frozen=True, kw_only=True)
class Client:
    """What stands where the CLI would."""

    session: aiohttp.ClientSession
    key: model_proxy.SessionKey

    async def post(self, sent: Any = HELLO, *, path: str = "/v1/messages", **headers: str) -> tuple[int, Any]:
        """Status and JSON of a request with the client's key."""
        given = {"x-api-key": self.key.value, "anthropic-version": "2023-06-01", **headers}
        async with self.session.post(path, json=sent, headers=given) as answer:
            return answer.status, await answer.json(content_type=None)


def to(url: str) -> upstream.AnthropicUpstream:
    return upstream.AnthropicUpstream(base_url=url, api_key=OPERATOR_KEY)


async def test_headers_and_body_pass_untouched_but_for_the_key(origin: Origin, folder: Path) -> None:
    origin.go_on.set()
    body = b'{ "odd":  "spacing", "\\u00e9": "\xc3\xa9" }'
    async with proxy_to(to(origin.url), folder) as (proxy, client):
        sent = {"x-api-key": client.key.value, "anthropic-beta": "a,b", "X-Claude-Code-Session-Id": "s1"}
        path = "/v1/messages?beta=true&x=%2F"
        url = yarl.URL(f"{proxy.url}{path}", encoded=True)
        async with client.session.post(url, data=body, headers=sent) as answer:
            assert (answer.status, await answer.read()) == (418, b"first second")
            assert answer.headers["anthropic-ratelimit"] == "7"
            assert "X-Api-Key" not in answer.headers
    assert origin.paths == [path]
    assert origin.body == body
    assert origin.headers["anthropic-beta"] == "a,b"
    assert origin.headers["X-Claude-Code-Session-Id"] == "s1"
    assert origin.headers["x-api-key"] == OPERATOR_KEY
    assert client.key.value not in str(origin.headers)


async def test_the_answer_streams_as_it_comes(origin: Origin, folder: Path) -> None:
    async with proxy_to(to(origin.url), folder) as (_, client):
        async with client.session.post("/v1/messages", headers={"x-api-key": client.key.value}) as answer:
            first = await answer.content.readany()
            origin.go_on.set()
            rest = await answer.content.read()
    assert (first, rest) == (b"first ", b"second")


@pytest.mark.parametrize("header", ["x-api-key", "authorization"])
async def test_a_key_opens_only_while_its_caller_is_admitted(world: World, folder: Path, header: str) -> None:
    async with proxy_to(scenes.anthropic(world.claude), folder) as (proxy, client):
        given = {header: f"Bearer {client.key.value}" if header == "authorization" else client.key.value}
        if header == "authorization":
            given["x-api-key"] = ""
        assert (await client.post(**given))[0] == 200
        client.key.dismiss()
        status, error = await client.post(**given)
        assert (status, error["error"]["type"]) == (403, "permission_error")
        client.key.admit(CALLER)
        assert (await client.post(**given))[0] == 200
        proxy.revoke_key(client.key)
        assert (await client.post(**given))[0] == 403


@pytest.mark.parametrize("key", ["", "sk-brick-guessed", claude.API_KEY])
async def test_any_other_key_is_refused_and_goes_nowhere(world: World, folder: Path, key: str) -> None:
    before = len(world.claude.requests)
    async with proxy_to(scenes.anthropic(world.claude), folder) as (_, client):
        status, error = await client.post(**{"x-api-key": key})
    assert (status, error["type"]) == (403, "error")
    assert len(world.claude.requests) == before


async def test_a_model_that_is_away_is_overloaded_in_anthropics_words(folder: Path) -> None:
    async with proxy_to(to("http://127.0.0.1:9"), folder) as (_, client):
        status, error = await client.post()
    assert status == 529
    assert error == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "The model's service cannot be reached."},
    }


async def test_a_refusal_of_the_model_passes_as_it_is(world: World, folder: Path) -> None:
    async with proxy_to(to(world.claude.url), folder) as (_, client):
        status, error = await client.post()
    assert (status, error["error"]["type"]) == (401, "authentication_error")


async def test_an_answer_that_breaks_off_breaks_off_for_the_client(world: World, folder: Path) -> None:
    cut = HELLO | {"stream": True, "messages": [{"role": "user", "content": "!!say hello\n!!cut"}]}
    async with proxy_to(scenes.anthropic(world.claude), folder) as (_, client):
        with pytest.raises(aiohttp.ClientPayloadError):
            await client.post(cut)
        assert (await client.post())[0] == 200


async def test_a_client_that_goes_away_ends_the_models_answer(world: World, folder: Path) -> None:
    endless = HELLO | {"stream": True, "messages": [{"role": "user", "content": "!!say-slowly 1000 20 word"}]}
    async with proxy_to(scenes.anthropic(world.claude), folder) as (_, client):
        given = {"x-api-key": client.key.value, "anthropic-version": "2023-06-01"}
        async with client.session.post("/v1/messages", json=endless, headers=given) as answer:
            await answer.content.readany()
            assert world.claude.open_answers == 1
        await world.claude.wait_for(lambda: world.claude.open_answers == 0, timeout=2)


@pytest.mark.parametrize(
    "target",
    [
        "/api/2.0/secrets/list",
        "/v1/files",
        "/v1/messages/../../api/2.0/secrets/list",
        "/v1/messages/%2e%2e/files",
        "http://elsewhere.example/v1/files",
    ],
)
async def test_the_credential_opens_the_messages_api_alone(origin: Origin, folder: Path, target: str) -> None:
    origin.go_on.set()
    async with proxy_to(to(origin.url), folder) as (proxy, client):
        assert await raw(proxy.url, target, client.key.value) in {400, 404, 405}
    assert not origin.paths


@pytest.mark.parametrize("target", ["http://elsewhere.example/v1/messages", "munity://x/v1/messages"])
async def test_a_target_that_names_another_host_goes_to_the_model_all_the_same(
    origin: Origin, folder: Path, target: str
) -> None:
    # Appended to https://api.anthropic.com, the second would lead to a host of the community domain.
    origin.go_on.set()
    async with proxy_to(to(origin.url), folder) as (proxy, client):
        assert await raw(proxy.url, target, client.key.value) == 418
    assert origin.paths == ["/v1/messages"]


async def raw(url: str, target: str, key: str) -> int:
    """The status of a request whose target no client library would send."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST {target} HTTP/1.1\r\nHost: x\r\nx-api-key: {key}\r\nContent-Length: 0\r\n\r\n"
    writer.write(head.encode())
    line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return int(line.split()[1])


async def test_the_socket_serves_the_same_and_only_its_owner(world: World, folder: Path) -> None:
    async with proxy_to(scenes.anthropic(world.claude), folder) as (proxy, client):
        mode = await asyncio.to_thread(proxy.socket.stat)
        assert mode.st_mode & 0o777 == 0o600
        connector = aiohttp.UnixConnector(str(proxy.socket))
        async with aiohttp.ClientSession("http://model.bricklayer.internal", connector=connector) as session:
            status, answer = await Client(session=session, key=client.key).post()
    assert (status, answer["content"][0]["text"]) == (200, "hello")


async def test_a_socket_left_by_a_crash_is_no_obstacle(world: World, folder: Path) -> None:
    behind = scenes.anthropic(world.claude)
    left = folder / "left.sock"
    await asyncio.to_thread(left.touch)
    proxy = model_proxy.ModelProxy(upstream=behind, socket=left)
    await proxy.start()
    await proxy.stop()


async def test_nothing_of_a_request_is_logged(world: World, folder: Path, caplog: Any) -> None:
    secret = HELLO | {"messages": [{"role": "user", "content": "!!say the-secret-word"}]}
    with capture_logs() as logged:
        async with proxy_to(scenes.anthropic(world.claude), folder) as (_, client):
            await client.post(secret)
        async with proxy_to(to("http://127.0.0.1:9"), folder) as (_, other):
            await other.post(secret)
    said = json.dumps(logged, default=str) + caplog.text
    for word in ("the-secret-word", client.key.value, other.key.value, claude.API_KEY, OPERATOR_KEY):
        assert word not in said
    assert OPERATOR_KEY not in repr(to("http://x"))


class Penniless(model_proxy.Upstream):
    """An upstream without a credential for anybody."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    @property
    def base_url(self) -> str:
        return "http://127.0.0.1:9"

    async def credentials(self, caller: model_proxy.Caller) -> Mapping[str, str]:
        raise self.error

    async def instead(
        self, caller: model_proxy.Caller, refused: Mapping[str, str], *, status: int, body: bytes
    ) -> Mapping[str, str] | None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (errors.SignInNeededError(), 403, errors.SignInNeededError.sentence),
        (errors.OAuthUnavailableError(), 529, "The model's service cannot be reached."),
        (storage_errors.DatabaseUnavailableError(), 529, "The model's service cannot be reached."),
    ],
)
async def test_without_a_credential_the_reason_is_given(
    folder: Path, error: Exception, status: int, sentence: str
) -> None:
    async with proxy_to(Penniless(error), folder) as (_, client):
        got, body = await client.post()
    assert (got, body["error"]["message"]) == (status, sentence)


async def test_databricks_serves_the_model_as_the_sender(world: World, folder: Path) -> None:
    tokens = Tokens({people.ADA.id: "dapi-ada", people.BEN.id: "dapi-ben"})
    async with proxy_to(databricks(world, tokens), folder) as (_, client):
        assert (await client.post())[0] == 200
        client.key.admit(model_proxy.Caller(turn_id=uuid.uuid4(), team_id="T", sender_id=people.BEN.id))
        assert (await client.post())[0] == 200
    assert model_users(world)[-2:] == [people.ADA.email, people.BEN.email]


async def test_a_token_that_is_refused_before_its_time_is_replaced(world: World, folder: Path) -> None:
    tokens = Tokens({people.ADA.id: "dead"}, fresh="dapi-ada")
    async with proxy_to(databricks(world, tokens), folder) as (_, client):
        status, answer = await client.post()
    assert (status, answer["content"][0]["text"]) == (200, "hello")
    assert tokens.renewals == ["dead"]


async def test_a_token_without_a_successor_is_refused_once(world: World, folder: Path) -> None:
    tokens = Tokens({people.ADA.id: "dead"}, fresh="dead")
    before = len(world.databricks.requests)
    async with proxy_to(databricks(world, tokens), folder) as (_, client):
        assert (await client.post())[0] in {401, 403}
    assert len(world.databricks.requests) == before + 1


class Tokens(upstream.Tokens):
    """Tokens by sender, and what each of them is replaced by."""

    def __init__(self, tokens: Mapping[str, str], *, fresh: str = "") -> None:
        self._tokens, self._fresh = tokens, fresh
        self.renewals: list[str] = []

    async def __call__(self, caller: model_proxy.Caller) -> str:
        return self._tokens[caller.sender_id]

    async def renewed(self, caller: model_proxy.Caller, *, refused: str) -> str:
        self.renewals.append(refused)
        return self._fresh


async def test_databricks_serves_the_model_as_the_service_with_one_token(world: World, folder: Path) -> None:
    client_id, secret = SERVICE_PRINCIPAL, SERVICE_PRINCIPAL_SECRET
    service = oauth.OAuthClient(host=world.databricks.url, client_id=client_id, client_secret=secret)
    async with proxy_to(databricks(world, upstream.ServiceTokens(service)), folder) as (_, client):
        for _ in range(2):
            assert (await client.post())[0] == 200
    await service.close()
    assert model_users(world)[-2:] == [SERVICE_PRINCIPAL] * 2
    asked = [request for request in world.databricks.requests if request.path == "/oidc/v1/token"]
    assert len(asked) == 1


def databricks(world: World, token: upstream.Tokens) -> upstream.DatabricksUpstream:
    base_url = f"{world.databricks.url}/serving-endpoints/anthropic"
    return upstream.DatabricksUpstream(base_url=base_url, token=token)


def model_users(world: World) -> list[str | None]:
    """As whom the model was asked through the workspace, in order."""
    return [request.user for request in world.databricks.requests if request.path.endswith("/v1/messages")]
