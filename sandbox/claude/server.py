"""The Messages API on loopback: logs every request, refuses what the real one refuses, lets a brain answer the rest.

Errors, checks, counting and the wire live in the neighbouring modules; what is said is the brain's business.
"""

import asyncio
import json
import secrets
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.claude import answer, checks, request, script, usage, wire
from sandbox.claude.blocks import Brain, Failure, Thinking
from sandbox.claude.errors import ApiError

log = structlog.get_logger(__name__)
T = TypeVar("T")
_REQUEST_ID = web.RequestKey("request_id", str)

API_KEY = "sk-ant-sandbox"
MODELS = ("claude-opus-5-5", "claude-sonnet-5", "claude-haiku-4-5")


@dataclass(frozen=True, kw_only=True)
class RequestRecord:
    """One request as it arrived; those that were refused are recorded too."""

    method: str
    path: str
    #: seconds of the loop's clock
    at: float
    #: the key or bearer token as sent
    token: str | None
    headers: Mapping[str, str]
    #: the parsed JSON; None when it was none
    body: Any
    #: bytes of the body
    size: int


class ClaudeSandbox:
    """A Claude model on loopback.

    ``latency`` (seconds before the first byte) and ``chunk_delay`` (seconds after each word) may be changed at any
    time. ``brain`` maps a request to the blocks of its answer; the default is the script.
    """

    def __init__(
        self,
        *,
        api_keys: Sequence[str] = (API_KEY,),
        brain: Brain = script.answer,
        latency: float = 0.0,
        chunk_delay: float = 0.0,
    ) -> None:
        self.api_keys = tuple(api_keys)
        self.brain = brain
        self.latency = latency
        self.chunk_delay = chunk_delay
        self.requests: deque[RequestRecord] = deque(maxlen=10_000)
        #: answers under way now
        self.open_answers = 0
        self._faults: deque[Failure] = deque()
        self._attempts: Counter[str] = Counter()
        self._cache = usage.PromptCache()
        self._change = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._url: str | None = None

    @property
    def url(self) -> str:
        """The base URL, for ``ANTHROPIC_BASE_URL``; ``RuntimeError`` unless started."""
        if self._url is None:
            raise RuntimeError("The Claude sandbox is not running: call start() first.")
        return self._url

    @property
    def asked(self) -> list[RequestRecord]:
        """The records of ``POST /v1/messages`` alone."""
        return [record for record in self.requests if record.path == "/v1/messages"]

    async def start(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes a free one."""
        # An answer ends when its reader goes away, and a stalled one must not hold up stop().
        self._runner = web.AppRunner(
            self._app(), handler_cancellation=True, shutdown_timeout=0.1, access_log=None
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self._url = f"http://{host}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Break what is under way and stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = self._url = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def fail_next(
        self, status: int, *, type_: str | None = None, times: int = 1, retry_after: float | None = None
    ) -> None:
        """Refuse the next Messages requests with this status, whatever they ask."""
        fault = Failure(status=status, type=type_ or ApiError(status, "").type, retry_after=retry_after)
        self._faults.extend([fault] * times)

    def wait_for(self, predicate: Callable[[], T], *, timeout: float = 10) -> Coroutine[Any, Any, T]:
        """The predicate's first true value, asked for again at every request and at every answer's end.

        ``TimeoutError`` after so many seconds.
        """
        return asyncio.wait_for(self._until(predicate), timeout)

    async def _until(self, predicate: Callable[[], T]) -> T:
        while not (value := predicate()):
            await self._change.wait()
        return value

    def _app(self) -> web.Application:
        # Twice the limit, so that a body too large is read and refused instead of cut off.
        app = web.Application(client_max_size=2 * checks.MAX_BODY, middlewares=[self._frame])
        app.router.add_post("/v1/messages", self._messages)
        app.router.add_post("/v1/messages/count_tokens", self._count_tokens)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/api/hello", self._hello)
        return app

    @web.middleware
    async def _frame(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Record the request, and put every refusal into Anthropic's shape."""
        request[_REQUEST_ID] = f"req_01{secrets.token_hex(11)}"
        self._record(request, await request.read())
        try:
            response = await handler(request)
        except ApiError as error:
            response = _refusal(error, request_id=request[_REQUEST_ID])
        except web.HTTPClientError as error:
            refused = ApiError(error.status, error.reason)
            response = _refusal(refused, request_id=request[_REQUEST_ID])
        if not response.prepared:
            response.headers["request-id"] = request[_REQUEST_ID]
        return response

    async def _messages(self, http: web.Request) -> web.StreamResponse:
        body = await self._checked(http, counting=False)
        if self._faults:
            fault = self._faults.popleft()
            raise ApiError(fault.status, fault.message, type_=fault.type, retry_after=fault.retry_after)
        asked = request.parse(body, attempt=self._count_attempt(body))
        growing = answer.Answer(
            model=asked.model, input_usage=self._cache.measure(body), delay=self.chunk_delay
        )
        out = wire.Wire(http, growing, is_streamed=bool(body.get("stream")), request_id=http[_REQUEST_ID])
        self.open_answers += 1
        try:
            await asyncio.sleep(self.latency)
            return await self._answer(asked, out)
        except ConnectionResetError:
            log.debug("reader of an answer is gone", request_id=http[_REQUEST_ID])
            return out.broken_off()
        finally:
            self.open_answers -= 1
            self._notify()

    async def _answer(self, asked: request.Request, out: wire.Wire) -> web.StreamResponse:
        async for block in self.brain(asked):
            if isinstance(block, Thinking) and not asked.wants_thinking:
                continue
            if not await out.send(block):
                return out.broken_off()
        return await out.finish()

    async def _count_tokens(self, http: web.Request) -> web.Response:
        body = await self._checked(http, counting=True)
        return web.json_response({"input_tokens": usage.count(body)})

    async def _models(self, http: web.Request) -> web.Response:
        checks.check_headers(http.headers, api_keys=self.api_keys)
        data = [
            {"type": "model", "id": name, "display_name": name, "created_at": "2026-01-01T00:00:00Z"}
            for name in MODELS
        ]
        page = {"data": data, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]}
        return web.json_response(page)

    async def _hello(self, http: web.Request) -> web.Response:
        return web.json_response({"message": "hello"})

    async def _checked(self, http: web.Request, *, counting: bool) -> request.Json:
        checks.check_headers(http.headers, api_keys=self.api_keys)
        raw = await http.read()
        if len(raw) > checks.MAX_BODY:
            raise ApiError(413, "Request exceeds the maximum size")
        return checks.check(_parsed(raw), counting=counting)

    def _count_attempt(self, body: request.Json) -> int:
        digest = usage.digest(body)
        self._attempts[digest] += 1
        return self._attempts[digest] - 1

    def _record(self, http: web.Request, raw: bytes) -> None:
        bearer = http.headers.get("authorization", "").partition(" ")[2]
        record = RequestRecord(
            method=http.method,
            path=http.path,
            at=asyncio.get_running_loop().time(),
            token=http.headers.get("x-api-key") or bearer or None,
            headers=http.headers,
            body=_parsed(raw),
            size=len(raw),
        )
        self.requests.append(record)
        self._notify()

    def _notify(self) -> None:
        self._change.set()
        self._change = asyncio.Event()


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _refusal(error: ApiError, *, request_id: str) -> web.Response:
    headers = {}
    if error.retry_after is not None:
        headers["retry-after"] = f"{error.retry_after:g}"
    return web.json_response(error.body(request_id=request_id), status=error.status, headers=headers)
