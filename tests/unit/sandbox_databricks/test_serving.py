"""The model behind the workspace: what is passed on, what is refused."""

from collections.abc import AsyncIterator

import httpx
import pytest
from aiohttp import web

from sandbox.databricks import DatabricksSandbox

BEARER = {"Authorization": "Bearer dapi-ada"}
BODY = {"model": "databricks-claude", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
async def seen(workspace: DatabricksSandbox) -> AsyncIterator[list[web.Request]]:
    """A model that answers in two chunks; the requests that reach it."""
    requests: list[web.Request] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        requests.append(request)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "request-id": "r1"})
        await response.prepare(request)
        await response.write(b"event: a\n\n")
        await response.write(b"event: b\n\n")
        return response

    application = web.Application()
    application.add_routes([web.post("/v1/messages", answer), web.post("/v1/messages/count_tokens", answer)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    workspace.model_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield requests
    await runner.cleanup()


@pytest.mark.parametrize(
    "path",
    [
        "/serving-endpoints/anthropic/v1/messages",
        "/serving-endpoints/anthropic/v1/messages/count_tokens",
        "/ai-gateway/anthropic/v1/messages",
    ],
)
async def test_a_request_with_a_bearer_token_reaches_the_model(
    workspace: DatabricksSandbox, seen: list[web.Request], path: str
) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.post(workspace.url + path, json=BODY, headers={**BEARER, "anthropic-beta": "x"})
    assert answer.text == "event: a\n\nevent: b\n\n"
    assert answer.headers["request-id"] == "r1"
    assert seen[0].headers["x-api-key"] == "sk-ant-sandbox"
    assert seen[0].headers["anthropic-beta"] == "x"
    assert "Authorization" not in seen[0].headers


async def test_an_api_key_is_no_bearer_token(workspace: DatabricksSandbox, seen: list[web.Request]) -> None:
    url = f"{workspace.url}/serving-endpoints/anthropic/v1/messages"
    async with httpx.AsyncClient() as http:
        answer = await http.post(url, json=BODY, headers={"x-api-key": "sk-ant-sandbox"})
    assert answer.status_code == 401
    assert seen == []


async def test_unknown_fields_can_be_refused(workspace: DatabricksSandbox, seen: list[web.Request]) -> None:
    workspace.serving.refuse_unknown_fields = True
    url = f"{workspace.url}/ai-gateway/anthropic/v1/messages"
    async with httpx.AsyncClient() as http:
        answer = await http.post(url, json={**BODY, "context_management": {}}, headers=BEARER)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "context_management: Extra inputs are not permitted"
    assert seen == []


async def test_without_a_model_there_is_no_endpoint(workspace: DatabricksSandbox) -> None:
    url = f"{workspace.url}/serving-endpoints/anthropic/v1/messages"
    async with httpx.AsyncClient() as http:
        assert (await http.post(url, json=BODY, headers=BEARER)).status_code == 404
