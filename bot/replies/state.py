"""What a turn has said so far, folded into messages. No I/O, no clock: elapsed time is an argument."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, assert_never

from agent import events
from bot.views import content, markdown, mentions, messages

_LEFT_RUNNING: Final[dict[messages.Outcome, messages.StepState]] = {
    "done": "done",
    "stopped": "stopped",
    "failed": "failed",
    "interrupted": "stopped",
}


class ReplyState:
    """Takes a turn's events in order; ``render`` gives the messages that show them.

    The text is held as full parts, which never change again, and the part that still grows, so that a long answer is
    not parsed from its beginning for every edit.
    """

    def __init__(self, *, turn_id: str, status: messages.Status | None = None) -> None:
        self._turn_id = turn_id
        self._status: messages.Status = status or messages.Working()
        self._steps: dict[str, messages.Step] = {}
        self._kept: list[content.Content] = []
        self._full: list[str] = []
        self._growing = ""
        self._arrived: list[str] = []
        self._at_paragraph = False

    @property
    def status(self) -> messages.Status:
        return self._status

    @property
    def is_over(self) -> bool:
        return isinstance(self._status, messages.Over)

    def begin(self, status: messages.Queued | messages.Working) -> None:
        """How things stand before the first event; later it changes nothing, because the events know better."""
        if isinstance(self._status, messages.Queued) or not self._has_begun():
            self._status = status

    def keep(self, shown: content.Content) -> None:
        """The answer in ``shown``, a message of an earlier process, stays; what is said from now on comes after it."""
        answer = messages.kept(shown)
        if answer.blocks:
            self._kept.append(answer)

    def fold(self, event: events.Event) -> bool:
        """Take ``event`` in; whether there is anything new to show."""
        if self.is_over:
            return False
        before = (self._status, len(self._arrived))
        match event:
            case events.TextDelta(text=text):
                self._append(text)
            case events.TextWithdrawn(text=text):
                return self._withdraw(text)
            case events.ToolStarted() | events.ToolFinished():
                self._take_step(event)
                return True
            case events.Finished():
                self._finish(event)
            case events.Working(acting_as=acting_as):
                self._status = messages.Working(acting_as=acting_as)
            case events.Thinking():
                self._say("thinking")
            case events.Retrying(delay=delay, reason=reason):
                self._say(f"{reason or 'the model is busy'}, next try in {max(1, round(delay))} s")
            case _:
                assert_never(event)
        return before != (self._status, len(self._arrived))

    @property
    def has_text(self) -> bool:
        """Whether the turn has said anything of its own."""
        return bool(self._full or self._growing or self._arrived)

    def shows_text(self) -> bool:
        """Whether any of the answer's words can be seen in what ``render`` gives."""
        self._cut()
        return bool(self._full) or bool(markdown.so_far(self._growing).strip())

    def render(self, *, elapsed: float, live: int | None = None) -> list[content.Content]:
        """The messages in order. The one at ``live``, by default the last, carries status and Stop button.

        ``elapsed`` is in seconds since the turn began.
        """
        self._cut()
        last = markdown.finish(self._growing) if self.is_over else markdown.so_far(self._growing)
        answers = [*self._kept, *map(messages.text, self._full)]
        if last.strip() or not answers:
            answers.append(messages.text(last))
        carrier = len(answers) - 1 if live is None else min(live, len(answers) - 1)
        answers[carrier] = self._with_status(answers[carrier], elapsed=elapsed)
        return answers

    def _with_status(self, answer: content.Content, *, elapsed: float) -> content.Content:
        status = self._status
        if isinstance(status, messages.Working):
            status = replace(status, elapsed=elapsed)
        steps = list(self._steps.values())
        return messages.reply(answer, steps=steps, status=status, turn_id=self._turn_id)

    def _has_begun(self) -> bool:
        return self.is_over or bool(self._steps) or self.has_text or self._acting_as() is not None

    def _acting_as(self) -> str | None:
        return self._status.acting_as if isinstance(self._status, messages.Working | messages.Over) else None

    def _say(self, activity: str) -> None:
        self._status = messages.Working(acting_as=self._acting_as(), activity=activity)

    def _append(self, text: str) -> None:
        if not text:
            return
        if isinstance(self._status, messages.Queued) or self._status != self._quiet():
            self._say("")
        if self._at_paragraph and (self._growing or self._arrived) and not text.startswith("\n"):
            self._arrived.append("\n\n")
        self._at_paragraph = False
        self._arrived.append(text)

    def _withdraw(self, text: str) -> bool:
        """Take the last words back. What stands in a full message stays: people have read it."""
        self._cut()
        before = self._growing
        self._growing = before.removesuffix(mentions.neutralise(text)).removesuffix("\n\n")
        self._at_paragraph = bool(self._growing)
        return before != self._growing

    def _quiet(self) -> messages.Working:
        return messages.Working(acting_as=self._acting_as())

    def _take_step(self, event: events.ToolStarted | events.ToolFinished) -> None:
        self._say("")
        # What is said after a tool call is a new paragraph, though no event says so.
        self._at_paragraph = True
        if isinstance(event, events.ToolStarted):
            self._steps[event.call_id] = messages.Step(name=event.name, summary=event.summary)
        elif event.call_id in self._steps:
            state: messages.StepState = "done" if event.ok else "failed"
            step = self._steps[event.call_id]
            self._steps[event.call_id] = replace(step, state=state, outcome=event.summary)

    def _finish(self, event: events.Finished) -> None:
        left = _LEFT_RUNNING[event.outcome]
        self._steps = {
            call_id: replace(step, state=left) if step.state == "running" else step
            for call_id, step in self._steps.items()
        }
        self._status = messages.Over(
            outcome=event.outcome,
            duration=event.duration,
            cost_usd=event.usage.cost_usd,
            acting_as=event.acting_as or self._acting_as(),
            error=event.error,
            changed_files=event.changed_files,
        )

    def _cut(self) -> None:
        if not self._arrived:
            return
        text = mentions.neutralise(self._growing + "".join(self._arrived))
        self._arrived.clear()
        *full, self._growing = markdown.cut(text)
        self._full += self._finished(full)

    def _finished(self, parts: Sequence[str]) -> list[str]:
        return [shown for part in parts if (shown := markdown.finish(part)).strip()]
