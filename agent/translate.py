"""From the Claude SDK's messages to a turn's events: one translator per turn, no I/O.

Text arrives twice, as deltas while it is written and whole in the message that follows; the deltas are used, and the
whole text only where a message came without any (the CLI falls back to a plain call when a stream stalls).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import claude_agent_sdk as sdk

from agent import events
from agent.tools import summaries

# What a person is told for each cause that the CLI reports in ``AssistantMessage.error`` (SDK types, 0.2.187).
MODEL_ERRORS: Mapping[str, str] = {
    "authentication_failed": "The model's service refused Bricklayer's credentials. Tell whoever runs Bricklayer.",
    "billing_error": "The account that pays for the model has no credit left. Tell whoever runs Bricklayer.",
    "rate_limit": "The model is taking no more requests for the moment. Send your message again in a minute.",
    "server_error": "The model's service is failing. Send your message again in a minute.",
    "overloaded": "The model's service is overloaded. Send your message again in a minute.",
    "invalid_request": "The model refused this request. Start a new thread, or ask for less at once.",
    "max_output_tokens": "The answer grew too long for the model. Ask for it in parts.",
}
# Where the status says more than the CLI's own cause, which for these is "unknown" or "server_error".
STATUS_ERRORS: Mapping[int, str] = {
    400: "invalid_request",
    413: "invalid_request",
    429: "rate_limit",
    529: "overloaded",
}
UNKNOWN_ERROR = "The model could not answer. Send your message again."
RESULT_ERRORS: Mapping[str, str] = {
    "error_max_turns": "I stopped after very many steps without an end. Say “continue” if I should go on.",
    "error_max_budget_usd": "This turn reached its budget. Say “continue” if I should go on.",
}


class Translator:
    """Folds one turn's SDK messages into events."""

    def __init__(self, *, project_dir: Path) -> None:
        self._project_dir = project_dir
        self._tools: dict[str, str] = {}
        self.text = ""
        self.error_kind: str | None = None
        self._streamed: set[str] = set()
        self._message_id = ""
        self._unfinished = ""
        self._begins_paragraph = False

    def read(self, message: sdk.Message) -> Iterator[events.Event]:
        """What this message says to people, in order; results and bookkeeping say nothing."""
        if getattr(message, "parent_tool_use_id", None) is not None:
            return
        match message:
            case sdk.StreamEvent():
                yield from self._stream(message.event)
            case sdk.AssistantMessage():
                yield from self._assistant(message)
            case sdk.UserMessage(content=list() as blocks):
                for block in blocks:
                    if isinstance(block, sdk.ToolResultBlock):
                        yield self._finished(block)
            case sdk.SystemMessage(subtype="api_retry"):
                yield _retrying(message.data)
            case _:
                return

    def _stream(self, event: Mapping[str, Any]) -> Iterator[events.Event]:
        match event:
            case {"type": "message_start", "message": {"id": str() as message_id}}:
                yield from self._withdrawn()
                self._message_id = message_id
            case {"type": "message_stop"}:
                self._unfinished = ""
            case {"type": "content_block_start", "content_block": {"type": "text"}}:
                self._begins_paragraph = bool(self.text)
            case {"type": "content_block_start", "content_block": {"type": "thinking"}}:
                yield events.Thinking()
            case {"type": "content_block_delta", "delta": {"type": "text_delta", "text": str() as text}} if (
                text
            ):
                self._streamed.add(self._message_id)
                yield self._said(self._paragraph(text))
            case _:
                return

    def _assistant(self, message: sdk.AssistantMessage) -> Iterator[events.Event]:
        if message.error is not None:
            # The text of such a message is the CLI's own wording of the fault, not the model's.
            self.error_kind = message.error
            return
        for block in message.content:
            if isinstance(block, sdk.TextBlock) and message.message_id not in self._streamed and block.text:
                yield from self._withdrawn()
                self._begins_paragraph = bool(self.text)
                yield self._said(self._paragraph(block.text))
                self._unfinished = ""
            elif isinstance(block, sdk.ToolUseBlock):
                self._tools[block.id] = block.name
                said = summaries.summarize(block.name, block.input, project_dir=self._project_dir)
                yield events.ToolStarted(call_id=block.id, name=block.name, summary=said)

    def _paragraph(self, text: str) -> str:
        """The text, set off from an earlier block by one blank line, however the model began it."""
        if not self._begins_paragraph:
            return text
        self._begins_paragraph = False
        return "\n\n" + text.lstrip("\n")

    def _finished(self, block: sdk.ToolResultBlock) -> events.ToolFinished:
        ok = not block.is_error
        name = self._tools.get(block.tool_use_id, "")
        said = summaries.summarize_result(name, block.content, is_error=not ok)
        return events.ToolFinished(call_id=block.tool_use_id, ok=ok, summary=said)

    def _withdrawn(self) -> Iterator[events.TextWithdrawn]:
        """What a stream had said that broke off before its end: the CLI asks again, and it is all said again."""
        if self._unfinished:
            self.text = self.text.removesuffix(self._unfinished)
            yield events.TextWithdrawn(text=self._unfinished)
            self._unfinished = ""

    def _said(self, text: str) -> events.TextDelta:
        self.text += text
        self._unfinished += text
        return events.TextDelta(text=text)

    def failure(self, result: sdk.ResultMessage) -> str | None:
        """The sentence for a result that is an error, else ``None``."""
        if result.subtype in RESULT_ERRORS:
            return RESULT_ERRORS[result.subtype]
        if not result.is_error:
            return None
        kind = STATUS_ERRORS.get(result.api_error_status or 0, self.error_kind or "")
        return MODEL_ERRORS.get(kind, UNKNOWN_ERROR)


def _retrying(data: Mapping[str, Any]) -> events.Retrying:
    delay = data.get("retry_delay_ms") or data.get("delay_ms") or 0
    reason = str(data.get("error_status") or data.get("error") or "no answer")
    return events.Retrying(
        attempt=int(data.get("attempt") or 1), delay=float(delay) / 1000, reason=reason[:80]
    )
