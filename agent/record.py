"""What a turn leaves behind in the database besides its state: the messages, the usage, and a line in the audit."""

from dataclasses import dataclass, field

from agent import events
from storage import audit, database, turns, usage


@dataclass(kw_only=True)
class Record:
    """Collects a turn's events as they happen and writes them in the turn's last transaction."""

    _steps: list[events.ToolStarted | events.TextDelta] = field(default_factory=list)
    _ends: dict[str, events.ToolFinished] = field(default_factory=dict)

    def add(self, event: events.Event) -> None:
        """Remember what was said and done; progress marks are not kept."""
        match event:
            case events.TextDelta(text=text):
                last = self._steps[-1] if self._steps else None
                if isinstance(last, events.TextDelta):
                    self._steps[-1] = events.TextDelta(text=last.text + text)
                else:
                    self._steps.append(event)
            case events.TextWithdrawn(text=text):
                last = self._steps[-1] if self._steps else None
                if isinstance(last, events.TextDelta):
                    self._steps[-1] = events.TextDelta(text=last.text.removesuffix(text))
            case events.ToolStarted():
                self._steps.append(event)
            case events.ToolFinished():
                self._ends[event.call_id] = event
            case _:
                return

    async def write(self, tx: database.Transaction, *, turn: turns.Turn, finished: events.Finished) -> None:
        """Store messages, usage and audit line; everything is keyed by the turn."""
        messages = turns.Messages(tx)
        await messages.add(turn.id, role="user", kind="text", content={"text": turn.prompt})
        for step in self._steps:
            if isinstance(step, events.TextDelta):
                if not step.text:
                    continue
                await messages.add(turn.id, role="assistant", kind="text", content={"text": step.text})
            else:
                await messages.add(turn.id, role="tool", kind=step.name, content=self._tool_content(step))
        await usage.UsageLedger(tx).add(_usage(turn, finished))
        await audit.Audit(tx).record(
            team_id=turn.team_id,
            user_id=turn.sender_id,
            action="turn.run",
            outcome=finished.outcome,
            identity=finished.acting_as,
            project_id=turn.project_id,
            turn_id=turn.id,
        )

    def _tool_content(self, started: events.ToolStarted) -> dict[str, object]:
        end = self._ends.get(started.call_id)
        content: dict[str, object] = {"call": started.summary, "ok": end.ok if end else None}
        return content | {"result": end.summary if end else ""}


def _usage(turn: turns.Turn, finished: events.Finished) -> usage.Usage:
    spent = finished.usage
    return usage.Usage(
        turn_id=turn.id,
        model=spent.model,
        input_tokens=spent.input_tokens,
        output_tokens=spent.output_tokens,
        cache_read_tokens=spent.cache_read_tokens,
        cache_write_tokens=spent.cache_write_tokens,
        cost_usd=spent.cost_usd,
        duration_ms=round(finished.duration * 1000),
    )
