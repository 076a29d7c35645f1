"""Claude through Databricks: the Anthropic paths of model serving and of the AI gateway, passed on to a model stand-in.

The workspace takes a Databricks bearer token where Anthropic takes an API key, and sends the rest on as it came,
streamed. Documented at docs.databricks.com/aws/en/machine-learning/foundation-model-apis; older endpoints refuse body
fields that they do not know (github.com/anthropics/claude-code/issues/21612).
"""

import json

import aiohttp
from aiohttp import web

from sandbox.databricks import errors, parts

_PREFIXES = ("/serving-endpoints/anthropic", "/ai-gateway/anthropic")
_TIMEOUT = aiohttp.ClientTimeout(total=600)
#: Not passed on: hop-by-hop, recomputed, or meant for the workspace alone.
_DROPPED = {
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "host",
    "keep-alive",
    "transfer-encoding",
    "x-api-key",
}
#: Body fields of the Messages API without beta headers (docs.claude.com/en/api/messages).
_KNOWN_FIELDS = {
    "max_tokens",
    "messages",
    "metadata",
    "model",
    "service_tier",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
}


class Serving:
    """The model endpoints of one sandbox."""

    def __init__(self) -> None:
        #: Base URL of the model stand-in; None: there is no such endpoint.
        self.model_url: str | None = None
        #: The API key that the stand-in wants.
        self.model_key = "sk-ant-sandbox"
        #: Refuse body fields outside of the plain Messages API, as older endpoints do.
        self.refuse_unknown_fields = False
        self._session: aiohttp.ClientSession | None = None

    def routes(self) -> list[web.RouteDef]:
        """The routes of this part."""
        found = []
        for prefix in _PREFIXES:
            found += [
                web.post(prefix + "/{path:v1/messages}", self._forward),
                web.post(prefix + "/{path:v1/messages/count_tokens}", self._forward),
                web.get(prefix + "/{path:v1/models}", self._forward),
            ]
        return found

    async def start(self) -> None:
        """Open the client that passes requests on."""
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT, auto_decompress=True)

    async def stop(self) -> None:
        """Close it."""
        if self._session is not None:
            await self._session.close()

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        if self.model_url is None or self._session is None:
            raise errors.not_found("The endpoint 'anthropic' does not exist.")
        content = await request.read()
        if request.method == "POST" and self.refuse_unknown_fields:
            refused = _unknown_field(await parts.json_body(request))
            if refused is not None:
                return _extra_input(refused)
        headers = {key: value for key, value in request.headers.items() if key.lower() not in _DROPPED}
        url = f"{self.model_url}/{request.match_info['path']}"
        async with self._session.request(
            request.method,
            url,
            params=request.query,
            data=content or None,
            headers={**headers, "x-api-key": self.model_key},
        ) as answer:
            return await _stream(request, answer)


async def _stream(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    headers = {key: value for key, value in answer.headers.items() if key.lower() not in _DROPPED}
    response = web.StreamResponse(status=answer.status, headers=headers)
    await response.prepare(request)
    async for chunk in answer.content.iter_any():
        await response.write(chunk)
    await response.write_eof()
    return response


def _unknown_field(body: parts.JsonObject) -> str | None:
    return next((field for field in body if field not in _KNOWN_FIELDS), None)


def _extra_input(field: str) -> web.Response:
    error = {"type": "invalid_request_error", "message": f"{field}: Extra inputs are not permitted"}
    return web.Response(
        status=400, text=json.dumps({"type": "error", "error": error}), content_type="application/json"
    )
