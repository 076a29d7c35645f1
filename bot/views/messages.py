"""The reply of a turn: the answer, what the agent did for it, and one line that says how things stand.

The answer comes first and the line last, where the eye is in a thread that grows downwards. What tools and errors say
is shown as plain text, because it is full of characters that mean something in markup.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, assert_never

from bot.views import content, elements, limits, wording

STOP_ACTION: Final = "turn.stop"
LOGIN_ACTION: Final = "identity.login"

#: More steps than this are counted, not shown.
STEPS_SHOWN: Final = 5
STEP_TEXT: Final = 150
FILES_SHOWN: Final = 3
_ERROR_TEXT: Final = 600
#: Room for the line at the end: with the part's 11,000, the steps and the error it stays under Slack's 13,000.
_STATUS_TEXT: Final = 400
_FALLBACK_TEXT: Final = 3_000

StepState = Literal["running", "done", "failed", "stopped"]
Outcome = Literal["done", "stopped", "failed", "interrupted"]

_MARKS: Final[dict[StepState, str]] = {"running": "▸", "done": "✓", "failed": "✗", "stopped": "■"}
_VERBS: Final[dict[Outcome, str]] = {
    "done": "Done in",
    "stopped": "Stopped after",
    "failed": "Failed after",
    "interrupted": "Interrupted after",
}
#: The blocks of a reply that are not the answer.
_STATE_BLOCKS: Final = frozenset({"context", "section", "actions"})
_FAILED: Final = (
    "Something went wrong on our side. Please send the message again; if it fails again, tell an admin."
)
_INTERRUPTED: Final = "A restart interrupted this. Please send the message again to go on."


@dataclass(frozen=True, kw_only=True)
class Step:
    """A tool call; ``summary`` says what was asked and ``outcome`` what came of it, each on one line."""

    name: str
    summary: str
    state: StepState = "running"
    outcome: str = ""


@dataclass(frozen=True, kw_only=True)
class Queued:
    """Accepted, not begun. ``ahead`` counts the messages of the conversation that come first."""

    ahead: int = 0
    needs_sign_in: bool = False


@dataclass(frozen=True, kw_only=True)
class Working:
    """The agent is at work. ``elapsed`` is in seconds; ``activity`` says what keeps it, when that is worth a word."""

    acting_as: str | None = None
    elapsed: float = 0.0
    activity: str = ""


@dataclass(frozen=True, kw_only=True)
class Over:
    """The turn has ended. ``duration`` is in seconds; ``error`` is one sentence with its remedy."""

    outcome: Outcome
    duration: float
    cost_usd: float = 0.0
    acting_as: str | None = None
    error: str | None = None
    changed_files: tuple[str, ...] = ()


Status = Queued | Working | Over


def text(markdown: str) -> content.Content:
    """A part of the answer, from ``views.markdown``, without its state: a message that goes on in the next one."""
    if not markdown.strip():
        return content.Content(text=limits.ELLIPSIS)
    return content.Content(text=_fallback(markdown), blocks=(elements.markdown(markdown),))


def kept(shown: content.Content) -> content.Content:
    """The answer in a message of ours as Slack gives it back, without steps, status and buttons."""
    answer = tuple(block for block in shown.blocks if block.get("type") not in _STATE_BLOCKS)
    return content.Content(text=shown.text, blocks=answer)


def reply(
    answer: content.Content, *, steps: Sequence[Step] = (), status: Status, turn_id: str
) -> content.Content:
    """The message of a reply that carries its state, with a Stop button while there is something to stop.

    ``answer`` comes from ``text`` or ``kept``; steps and status are whole and are shortened here.
    """
    line = limits.one_line(_line(status), _STATUS_TEXT)
    error = _error(status)
    blocks = list(answer.blocks)
    if steps:
        blocks.append(elements.context(_steps(steps)))
    if error:
        blocks.append(elements.literal(limits.one_line(error, _ERROR_TEXT)))
    blocks += [elements.context(line), *_buttons(status, turn_id=turn_id)]
    said = answer.text if answer.blocks and not error else _fallback(f"{error} {line}")
    return content.Content(text=said, blocks=tuple(blocks))


def _fallback(said: str) -> str:
    return content.summary(limits.clip(said.strip(), _FALLBACK_TEXT))


def _line(status: Status) -> str:
    match status:
        case Queued(needs_sign_in=True):
            return "Waiting until you have signed in to Databricks"
        case Queued(ahead=ahead):
            return f"Queued behind {wording.count(ahead, 'message')}" if ahead else "Queued"
        case Working():
            who = f"Working as {status.acting_as}" if status.acting_as else "Working"
            return _joined(who, status.activity, wording.duration(status.elapsed))
        case Over():
            return _joined(
                f"{_VERBS[status.outcome]} {wording.duration(status.duration)}",
                wording.cost(status.cost_usd) if status.cost_usd > 0 else "",
                f"as {status.acting_as}" if status.acting_as else "",
                f"changed {_files(status.changed_files)}" if status.changed_files else "",
            )
        case _:
            assert_never(status)


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _files(paths: Sequence[str]) -> str:
    return wording.some([limits.one_line(path, 80) for path in paths], at_most=FILES_SHOWN)


def _error(status: Status) -> str:
    match status:
        case Over(outcome="failed"):
            return status.error or _FAILED
        case Over(outcome="interrupted"):
            return status.error or _INTERRUPTED
        case _:
            return ""


def _buttons(status: Status, *, turn_id: str) -> list[content.Block]:
    stop = elements.button("Stop", action_id=STOP_ACTION, value=turn_id)
    match status:
        case Queued(needs_sign_in=True):
            login = elements.button("Sign in to Databricks", action_id=LOGIN_ACTION, style="primary")
            return [elements.actions(login, stop)]
        case Queued() | Working():
            return [elements.actions(stop)]
        case Over():
            return []
        case _:
            assert_never(status)


def _steps(steps: Sequence[Step]) -> str:
    shown = [_step(step) for step in steps[-STEPS_SHOWN:]]
    hidden = len(steps) - len(shown)
    return "\n".join([*shown, f"and {hidden} more"] if hidden else shown)


def _step(step: Step) -> str:
    head = f"{_MARKS[step.state]} {wording.tool(step.name)}"
    # The outcome is the news, so the question gives way to it.
    outcome = limits.one_line(step.outcome, STEP_TEXT // 2)
    room = STEP_TEXT - limits.length(head) - limits.length(outcome) - 5
    summary = limits.one_line(step.summary, max(room, 10))
    line = f"{head}  {summary}" if summary else head
    return limits.clip(f"{line} → {outcome}" if outcome else line, STEP_TEXT)
