"""One answer on its way to the client: as a stream of events, or whole when no stream was asked for."""

import asyncio

from aiohttp import web

from sandbox.claude.answer import Answer, encode
from sandbox.claude.blocks import Block, Cut, Failure, Pause, Stall
from sandbox.claude.errors import ApiError
from sandbox.claude.request import Json

_STREAM_HEADERS = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}


class Wire:
    """Sends blocks. Nothing goes out before the first block that is heard, so a failure can still be a status."""

    def __init__(self, http: web.Request, answer: Answer, *, is_streamed: bool, request_id: str) -> None:
        self._http = http
        self._answer = answer
        self._is_streamed = is_streamed
        self._request_id = request_id
        self._stream: web.StreamResponse | None = None

    async def send(self, block: Block) -> bool:
        """Send one block; False when it was the last that this answer can have."""
        match block:
            case Pause():
                await asyncio.sleep(block.seconds)
            case Failure():
                await self._fail(block)
                return False
            case Stall():
                await self._open()
                await asyncio.Event().wait()
            case Cut():
                await self._open()
                self._break()
                return False
            case _:
                await self._open()
                async for event in self._answer.add(block):
                    await self._write(event)
        return True

    async def finish(self) -> web.StreamResponse:
        """The end of an answer that went well."""
        if not self._is_streamed:
            return web.json_response(self._answer.whole())
        await self._open()
        for event in self._answer.finish():
            await self._write(event)
        return self.broken_off()

    def broken_off(self) -> web.StreamResponse:
        """What went out so far, for an answer that ended early."""
        return self._stream or web.Response()

    async def _open(self) -> None:
        if self._stream is not None or not self._is_streamed:
            return
        self._stream = web.StreamResponse(headers={**_STREAM_HEADERS, "request-id": self._request_id})
        await self._stream.prepare(self._http)
        for event in self._answer.start():
            await self._write(event)

    async def _fail(self, failure: Failure) -> None:
        error = ApiError(failure.status, failure.message, type_=failure.type, retry_after=failure.retry_after)
        if self._stream is None:
            raise error
        await self._write(error.body(request_id=self._request_id))

    def _break(self) -> None:
        if self._http.transport is not None:
            self._http.transport.abort()

    async def _write(self, event: Json) -> None:
        if self._stream is not None:
            await self._stream.write(encode(event))
