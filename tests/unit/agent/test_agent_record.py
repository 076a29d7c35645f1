"""What a turn leaves behind, as far as it needs no database."""

import pytest

from agent import errors, events, record


def test_pieces_of_text_become_one_message_until_a_tool_runs() -> None:
    leaves = record.Record()
    for event in (
        events.Thinking(),
        events.TextDelta(text="Let me "),
        events.TextDelta(text="look."),
        events.ToolStarted(call_id="c1", name="Read", summary="x.md"),
        events.ToolFinished(call_id="c1", ok=True, summary="3 lines"),
        events.TextDelta(text="Found."),
    ):
        leaves.add(event)
    assert [getattr(step, "text", "tool") for step in leaves._steps] == ["Let me look.", "tool", "Found."]


@pytest.mark.parametrize(
    "kind", [errors.AgentError, errors.SessionStartError, errors.SessionLostError, errors.TurnOverError]
)
def test_every_error_is_a_sentence_for_people(kind: type[errors.AgentError]) -> None:
    assert str(kind()) == kind.sentence
    assert kind.sentence.endswith(".")
