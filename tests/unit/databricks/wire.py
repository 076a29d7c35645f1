"""A server that answers what a test tells it and keeps every request, for what the sandbox would not do."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass(frozen=True, kw_only=True)
class Request:
    """What came in."""

    method: str
    path: str
    authorization: str | None
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


Answer = Callable[[Request], Awaitable[web.StreamResponse]]


def answers(body: object, *, status: int = 200) -> Answer:
    """Always the same JSON."""

    async def answer(request: Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return answer


class Wire:
    """Answers by path; 404 in Databricks' manner for any other."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answers: dict[str, Answer] = {}
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._server = TestServer(app)

    @property
    def url(self) -> str:
        return str(self._server.make_url("")).rstrip("/")

    def of(self, path: str) -> list[Request]:
        """The requests to this path."""
        return [request for request in self.requests if request.path == path]

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._server.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        seen = Request(
            method=request.method,
            path=request.path,
            authorization=request.headers.get("Authorization"),
            text=await request.text(),
        )
        self.requests.append(seen)
        if answer := self.answers.get(request.path):
            return await answer(seen)
        return web.json_response({"error_code": "NOT_FOUND", "message": "no such path"}, status=404)
