"""From the SDK's messages to events."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import claude_agent_sdk as sdk
import pytest

from agent import events
from agent.translate import MODEL_ERRORS, RESULT_ERRORS, UNKNOWN_ERROR, Translator

PROJECT = Path("/projects/p/files")


@pytest.fixture
def translator() -> Translator:
    return Translator(project_dir=PROJECT)


def test_text_is_said_once_although_it_arrives_twice(translator: Translator) -> None:
    said = read(
        translator, *streamed("m1", "Hello ", "there"), whole("m1", sdk.TextBlock(text="Hello there"))
    )
    assert said == [events.TextDelta(text="Hello "), events.TextDelta(text="there")]
    assert translator.text == "Hello there"


def test_a_message_without_deltas_is_said_whole(translator: Translator) -> None:
    assert read(translator, whole("m1", sdk.TextBlock(text="Hello"))) == [events.TextDelta(text="Hello")]


def test_a_later_message_without_deltas_is_said_after_a_streamed_one(translator: Translator) -> None:
    read(translator, *streamed("m1", "one"), whole("m1", sdk.TextBlock(text="one")))
    read(translator, whole("m2", sdk.TextBlock(text="two")))
    assert translator.text == "one\n\ntwo"


def test_blocks_of_text_are_paragraphs(translator: Translator) -> None:
    read(translator, *streamed("m1", "one"), *streamed("m2", "two"))
    assert translator.text == "one\n\ntwo"


def test_a_block_without_text_leaves_no_gap(translator: Translator) -> None:
    read(translator, *streamed("m1", "one"), *streamed("m2"), *streamed("m3", "\ntwo"))
    assert translator.text == "one\n\ntwo"


def test_words_that_broke_off_are_taken_back_when_they_are_said_again(translator: Translator) -> None:
    said = read(translator, *streamed("m1", "one"), *broken_off("m2", "tw"), *streamed("m3", "two"))

    assert said[2] == events.TextWithdrawn(text="\n\ntw")
    assert translator.text == "one\n\ntwo"


def test_a_plain_call_in_place_of_a_broken_stream_is_said_once(translator: Translator) -> None:
    read(translator, *broken_off("m1", "hel"), whole("m2", sdk.TextBlock(text="hello")))

    assert translator.text == "hello"


def test_thinking_shows_without_its_words(translator: Translator) -> None:
    start = {"type": "content_block_start", "content_block": {"type": "thinking", "thinking": ""}}
    delta = {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "secret"}}
    assert read(translator, stream(start), stream(delta)) == [events.Thinking()]


def test_a_tool_call_has_a_line_for_its_beginning_and_its_end(translator: Translator) -> None:
    call = sdk.ToolUseBlock(
        id="c1", name="Write", input={"file_path": f"{PROJECT}/report.md", "content": "x"}
    )
    result = sdk.ToolResultBlock(tool_use_id="c1", content="The file was created.\nmore")
    assert read(translator, whole("m1", call), sdk.UserMessage(content=[result])) == [
        events.ToolStarted(call_id="c1", name="Write", summary="report.md"),
        events.ToolFinished(call_id="c1", ok=True, summary="The file was created."),
    ]


def test_a_result_is_summed_up_by_the_tool_that_gave_it(translator: Translator) -> None:
    call = sdk.ToolUseBlock(id="c1", name="mcp__databricks__execute_sql", input={"statement": "SELECT 1"})
    rows = [{"type": "text", "text": '{"row_count": 5, "rows": [], "truncated": false}'}]
    said = read(
        translator,
        whole("m1", call),
        sdk.UserMessage(content=[sdk.ToolResultBlock(tool_use_id="c1", content=rows)]),
    )
    assert said[-1] == events.ToolFinished(call_id="c1", ok=True, summary="5 rows")


def test_a_refusal_reaches_people_without_the_clis_wrapping(translator: Translator) -> None:
    refused = "PreToolUse:Read hook error: Outside of this project's folder: /etc/passwd."
    assert _failed(translator, "Read", refused) == "Outside of this project's folder: /etc/passwd."
    assert _failed(translator, "Edit", "<tool_use_error>No such file.</tool_use_error>") == "No such file."


def test_what_a_subagent_says_stays_with_it(translator: Translator) -> None:
    inner = sdk.AssistantMessage(
        content=[sdk.TextBlock(text="inner")], model="m", parent_tool_use_id="c1", message_id="m1"
    )
    assert read(translator, inner) == []


def test_a_prompt_that_is_echoed_says_nothing(translator: Translator) -> None:
    assert read(translator, sdk.UserMessage(content="which region sold most?")) == []


def test_a_retry_is_told_with_its_delay(translator: Translator) -> None:
    data = {"attempt": 2, "retry_delay_ms": 1500, "error_status": 529, "error": "overloaded"}
    said = read(translator, sdk.SystemMessage(subtype="api_retry", data=data))
    assert said == [events.Retrying(attempt=2, delay=1.5, reason="529")]


@pytest.mark.parametrize("kind", sorted(MODEL_ERRORS))
def test_the_clis_words_about_an_error_are_replaced_by_ours(translator: Translator, kind: Any) -> None:
    message = sdk.AssistantMessage(content=[sdk.TextBlock(text="API Error")], model="m", error=kind)
    assert read(translator, message) == []
    assert translator.failure(result(is_error=True)) == MODEL_ERRORS[kind]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "invalid_request"), (413, "invalid_request"), (429, "rate_limit"), (529, "overloaded")],
)
def test_a_status_says_more_than_the_kind(translator: Translator, status: int, kind: str) -> None:
    translator.error_kind = "unknown"
    assert translator.failure(result(is_error=True, status=status)) == MODEL_ERRORS[kind]


@pytest.mark.parametrize("subtype", sorted(RESULT_ERRORS))
def test_a_turn_that_was_cut_short_says_how_to_go_on(translator: Translator, subtype: str) -> None:
    assert translator.failure(result(subtype=subtype, is_error=True)) == RESULT_ERRORS[subtype]


def test_an_unknown_error_is_still_a_sentence(translator: Translator) -> None:
    assert translator.failure(result(subtype="error_during_execution", is_error=True)) == UNKNOWN_ERROR


def test_a_success_is_no_failure(translator: Translator) -> None:
    assert translator.failure(result()) is None


def _failed(translator: Translator, tool: str, text: str) -> str:
    call = sdk.ToolUseBlock(id="c1", name=tool, input={})
    block = sdk.ToolResultBlock(tool_use_id="c1", content=text, is_error=True)
    *_, ended = read(translator, whole("m1", call), sdk.UserMessage(content=[block]))
    assert isinstance(ended, events.ToolFinished)
    assert not ended.ok
    return ended.summary


def read(translator: Translator, *messages: sdk.Message) -> list[events.Event]:
    """Everything that these messages say."""
    return [event for message in messages for event in translator.read(message)]


def stream(event: dict[str, Any]) -> sdk.StreamEvent:
    return sdk.StreamEvent(uuid="u", session_id="s", event=event)


def streamed(message_id: str, *pieces: str) -> Iterable[sdk.StreamEvent]:
    """A message that is one block of text, as it streams."""
    yield stream({"type": "message_start", "message": {"id": message_id}})
    yield stream({"type": "content_block_start", "content_block": {"type": "text", "text": ""}})
    for piece in pieces:
        yield stream({"type": "content_block_delta", "delta": {"type": "text_delta", "text": piece}})
    yield stream({"type": "message_stop"})


def broken_off(message_id: str, *pieces: str) -> Iterable[sdk.StreamEvent]:
    """The same, but for its end."""
    yield from list(streamed(message_id, *pieces))[:-1]


def whole(message_id: str, *blocks: sdk.ContentBlock) -> sdk.AssistantMessage:
    return sdk.AssistantMessage(content=list(blocks), model="m", message_id=message_id)


def result(
    *, subtype: str = "success", is_error: bool = False, status: int | None = None
) -> sdk.ResultMessage:
    return sdk.ResultMessage(
        subtype=subtype,
        duration_ms=1,
        duration_api_ms=1,
        is_error=is_error,
        num_turns=1,
        session_id="s",
        api_error_status=status,
    )
