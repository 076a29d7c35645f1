"""One message of the model, growing: blocks in, the Messages API's stream events out.

A request that did not ask for a stream gets the same message when it is whole, so there is one way to build it
(docs.claude.com/en/docs/build-with-claude/streaming has the order of the events).
"""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator

from sandbox.claude import usage
from sandbox.claude.blocks import Call, Calls, Text, Thinking
from sandbox.claude.request import Json

#: a text is sent in at most about this many pieces, however long it is
_MOST_PIECES = 500
_PIECE_OF_JSON = 24  # characters


class Answer:
    """Collects ``content`` and tells what each addition looks like on the wire."""

    def __init__(self, *, model: str, input_usage: usage.Usage, delay: float) -> None:
        self.content: list[Json] = []
        self._id = _new_id("msg")
        self._model = model
        self._usage = input_usage
        self._delay = delay
        self._is_open = False

    def start(self) -> list[Json]:
        """The events that begin a stream."""
        return [{"type": "message_start", "message": self._message(stop_reason=None, content=[])}]

    async def add(self, block: Text | Thinking | Calls) -> AsyncIterator[Json]:
        """The events of one block; consecutive texts become one content block, as from a real model."""
        match block:
            case Text():
                async for event in self._text(block):
                    yield event
            case Thinking():
                async for event in self._thinking(block):
                    yield event
            case Calls():
                for call in block.calls:
                    for event in self._call(call):
                        yield event

    def finish(self) -> list[Json]:
        """The events that end a stream."""
        ended = {"stop_reason": self._stop_reason, "stop_sequence": None}
        total = self._usage.as_json(output_tokens=self._output_tokens)
        delta: Json = {"type": "message_delta", "delta": ended, "usage": total}
        return [*self._close(), delta, {"type": "message_stop"}]

    def whole(self) -> Json:
        """The finished message, for a request without a stream."""
        return self._message(stop_reason=self._stop_reason, content=self.content)

    @property
    def _stop_reason(self) -> str:
        return "tool_use" if any(block["type"] == "tool_use" for block in self.content) else "end_turn"

    @property
    def _output_tokens(self) -> int:
        return usage.tokens_in(json.dumps(self.content, ensure_ascii=False)) if self.content else 1

    def _message(self, *, stop_reason: str | None, content: list[Json]) -> Json:
        return {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": None,
            "usage": self._usage.as_json(output_tokens=self._output_tokens),
        }

    async def _text(self, block: Text) -> AsyncIterator[Json]:
        if not (self._is_open and self.content[-1]["type"] == "text"):
            for event in self._open({"type": "text", "text": ""}):
                yield event
        delay = self._delay if block.delay is None else block.delay
        for piece in _pieces(block.text):
            self.content[-1]["text"] += piece
            yield self._delta({"type": "text_delta", "text": piece})
            await asyncio.sleep(delay)

    async def _thinking(self, block: Thinking) -> AsyncIterator[Json]:
        for event in self._open({"type": "thinking", "thinking": "", "signature": ""}):
            yield event
        for piece in _pieces(block.text):
            self.content[-1]["thinking"] += piece
            yield self._delta({"type": "thinking_delta", "thinking": piece})
            await asyncio.sleep(self._delay)
        self.content[-1]["signature"] = secrets.token_urlsafe(48)
        yield self._delta({"type": "signature_delta", "signature": self.content[-1]["signature"]})

    def _call(self, call: Call) -> list[Json]:
        events = self._open({"type": "tool_use", "id": _new_id("toolu"), "name": call.name, "input": {}})
        written = json.dumps(call.input, ensure_ascii=False)
        for start in range(0, len(written), _PIECE_OF_JSON):
            piece = written[start : start + _PIECE_OF_JSON]
            events.append(self._delta({"type": "input_json_delta", "partial_json": piece}))
        self.content[-1]["input"] = call.input
        return events

    def _open(self, empty: Json) -> list[Json]:
        events = self._close()
        self.content.append(dict(empty))
        self._is_open = True
        started: Json = {
            "type": "content_block_start",
            "index": len(self.content) - 1,
            "content_block": empty,
        }
        # The real service sends its first ping right after the first block has begun.
        pings: list[Json] = [{"type": "ping"}] if len(self.content) == 1 else []
        return [*events, started, *pings]

    def _close(self) -> list[Json]:
        if not self._is_open:
            return []
        self._is_open = False
        return [{"type": "content_block_stop", "index": len(self.content) - 1}]

    def _delta(self, delta: Json) -> Json:
        return {"type": "content_block_delta", "index": len(self.content) - 1, "delta": delta}


def encode(event: Json) -> bytes:
    """One server-sent event."""
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


def _pieces(text: str) -> list[str]:
    """Words with the white space after them, several to a piece when there are very many."""
    words = re.findall(r"\s*\S+\s*|\s+", text)
    together = 1 + len(words) // _MOST_PIECES
    return ["".join(words[start : start + together]) for start in range(0, len(words), together)]


def _new_id(prefix: str) -> str:
    return f"{prefix}_01{secrets.token_hex(11)}"
