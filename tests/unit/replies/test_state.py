"""Folding a turn's events into messages, without Slack."""

from typing import Any

import pytest

from agent import events
from bot.replies.state import ReplyState
from bot.views import content, messages

TURN = "turn-1"


def folded(*said: events.Event) -> ReplyState:
    state = ReplyState(turn_id=TURN)
    for event in said:
        state.fold(event)
    return state


def finished(outcome: Any = "done", **values: Any) -> events.Finished:
    return events.Finished(outcome=outcome, duration=14.2, **values)


def blocks(message: content.Content, kind: str) -> list[content.Block]:
    return [block for block in message.blocks if block["type"] == kind]


def answer(message: content.Content) -> str:
    return "".join(block["text"] for block in blocks(message, "markdown"))


def notes(message: content.Content) -> list[str]:
    return [element["text"] for block in blocks(message, "context") for element in block["elements"]]


def only(state: ReplyState, *, elapsed: float = 0.0) -> content.Content:
    (message,) = state.render(elapsed=elapsed)
    return message


def test_working_says_as_whom_and_for_how_long_and_can_be_stopped() -> None:
    message = only(folded(events.Working(acting_as="ada@brickfield.example")), elapsed=12.4)
    assert notes(message) == ["Working as ada@brickfield.example · 12 s"]
    (stop,) = blocks(message, "actions")[0]["elements"]
    assert (stop["action_id"], stop["value"]) == ("turn.stop", TURN)


def test_queued_says_behind_how_many() -> None:
    state = ReplyState(turn_id=TURN)
    state.begin(messages.Queued(ahead=2))
    assert notes(only(state)) == ["Queued behind 2 messages"]
    state.fold(events.Working(acting_as=None))
    assert notes(only(state)) == ["Working · 0 s"]


def test_a_late_queue_position_does_not_hide_that_the_turn_began() -> None:
    state = folded(events.Working(acting_as="ada"), events.TextDelta(text="Hello"))
    state.begin(messages.Queued(ahead=1))
    assert notes(only(state)) == ["Working as ada · 0 s"]


def test_what_is_over_does_not_begin_again() -> None:
    state = folded(events.Finished(outcome="interrupted", duration=1.0))
    state.begin(messages.Working())
    assert state.is_over


def test_text_before_and_after_a_tool_are_two_paragraphs() -> None:
    state = folded(
        events.TextDelta(text="I will look."),
        events.ToolStarted(call_id="1", name="mcp__databricks__execute_sql", summary="select 1"),
        events.ToolFinished(call_id="1", ok=True, summary="1 row"),
        events.TextDelta(text="It is "),
        events.TextDelta(text="one."),
    )
    message = only(state)
    assert answer(message) == "I will look.\n\nIt is one."
    assert notes(message)[0] == "✓ execute_sql  select 1 → 1 row"


def test_only_the_last_steps_are_listed() -> None:
    started = [
        events.ToolStarted(call_id=str(number), name="Read", summary=f"file{number}") for number in range(12)
    ]
    lines = notes(only(folded(*started)))[0].split("\n")
    assert lines[-1] == "and 7 more"
    assert [line.split()[-1] for line in lines[:-1]] == [f"file{number}" for number in range(7, 12)]


def test_the_end_says_how_long_what_it_cost_as_whom_and_what_changed() -> None:
    state = folded(
        events.Working(acting_as="ada"),
        events.TextDelta(text="Done."),
        finished(usage=events.Usage(cost_usd=0.034), changed_files=("report.md", "a", "b", "c", "d")),
    )
    message = only(state)
    assert notes(message) == ["Done in 14 s · $0.03 · as ada · changed report.md, a, b and 2 more"]
    assert not blocks(message, "actions")


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        ("stopped", "Stopped after 14 s"),
        ("failed", "Failed after 14 s"),
        ("interrupted", "Interrupted after 14 s"),
    ],
)
def test_other_ends_keep_the_text_and_say_what_happened(outcome: str, line: str) -> None:
    message = only(folded(events.TextDelta(text="So far so"), finished(outcome)))
    assert answer(message) == "So far so"
    assert notes(message) == [line]


def test_a_failure_is_one_sentence_with_its_remedy() -> None:
    message = only(folded(finished("failed", error="The warehouse is stopped. Start it and ask again.")))
    (section,) = blocks(message, "section")
    assert section["text"]["text"] == "The warehouse is stopped. Start it and ask again."
    assert message.text.startswith("The warehouse is stopped.")


def test_a_step_that_never_ended_does_not_run_for_ever() -> None:
    running = events.ToolStarted(call_id="1", name="Bash", summary="sleep 1000")
    assert notes(only(folded(running, finished("stopped"))))[0].startswith("■ Bash")


def test_nothing_changes_after_the_end() -> None:
    state = folded(events.TextDelta(text="The end"), finished())
    assert not state.fold(events.TextDelta(text=" and more"))
    assert answer(only(state)) == "The end"


def test_an_event_that_shows_nothing_new_is_no_change() -> None:
    state = ReplyState(turn_id=TURN)
    assert state.fold(events.Thinking())
    assert not state.fold(events.Thinking())
    assert not state.fold(events.TextDelta(text=""))


def test_half_of_a_bold_word_is_not_visible_text() -> None:
    state = folded(events.TextDelta(text="**"))
    assert not state.shows_text()
    state.fold(events.TextDelta(text="North"))
    assert state.shows_text()
    assert answer(only(state)) == "**North**"


def test_a_long_answer_goes_on_and_only_the_last_message_can_be_stopped() -> None:
    state = folded(
        *(events.TextDelta(text=f"Paragraph {number}. {'word ' * 100}\n\n") for number in range(60))
    )
    first, *_, last = state.render(elapsed=0)
    assert not blocks(first, "actions")
    assert not blocks(first, "context")
    assert blocks(last, "actions")


def test_full_messages_never_change_again() -> None:
    state = ReplyState(turn_id=TURN)
    shown: list[str] = []
    for number in range(60):
        state.fold(events.TextDelta(text=f"Paragraph {number}. {'word ' * 100}\n\n"))
        full = [answer(message) for message in state.render(elapsed=0)[:-1]]
        assert full[: len(shown)] == shown
        shown = full
    assert len(shown) >= 2


def test_a_mention_torn_over_two_pieces_is_still_broken() -> None:
    message = only(folded(events.TextDelta(text="Hey <!chan"), events.TextDelta(text="nel> all"), finished()))
    assert "<!channel>" not in answer(message)
    assert "<!channel>" not in message.text


def test_withdrawn_words_are_gone_and_what_came_before_stays() -> None:
    state = folded(
        events.TextDelta(text="One."),
        events.TextDelta(text="\n\nTw"),
        events.TextWithdrawn(text="\n\nTw"),
        events.TextDelta(text="\n\nTwo."),
        finished(),
    )
    assert answer(only(state)) == "One.\n\nTwo."
