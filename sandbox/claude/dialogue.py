"""Multi-step answers written as plain generators, replayed from the messages of each request.

The Messages API keeps no state: after a tool call the whole conversation comes again, with the results at its end.
A dialogue is a generator that yields what it wants to say and receives the results of the calls it yields, as if it
had waited for them. ``replay`` runs it anew for every request, hands it the results of the rounds that are over,
drops what was said in them, and passes on what follows up to the next call.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.claude.blocks import Block, Call, Calls, Cut, Failure, Stall
from sandbox.claude.request import Request, Result, Round


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Something that goes wrong at this point for the first ``times`` attempts of the client (None: for all)."""

    block: Failure | Stall | Cut
    times: int | None = None


Step = Block | Trouble
Dialogue = Generator[Step, Round, None]


def call(asked: Request, tool: str, arguments: dict[str, Any]) -> Generator[Step, Round, Result]:
    """Call one tool by its short name and return its result: ``result = yield from call(…)``."""
    offered = asked.tool(tool)
    name = offered.name if offered else tool
    results = yield Calls(calls=(Call(name=name, input=arguments),))
    return results[0]


def replay(dialogue: Dialogue, asked: Request) -> Iterator[Block]:
    """What the dialogue says in answer to this request."""
    step = _until_calls(dialogue, next(dialogue, None), rounds=asked.rounds)
    attempt = asked.attempt
    while step is not None:
        if isinstance(step, Trouble):
            if step.times is None or attempt < step.times:
                yield step.block
                return
            attempt -= step.times
        else:
            yield step
        if isinstance(step, Calls):
            return
        step = next(dialogue, None)


def _until_calls(dialogue: Dialogue, step: Step | None, *, rounds: tuple[Round, ...]) -> Step | None:
    """The first step after all rounds; None when the dialogue had fewer calls than there were rounds."""
    for results in rounds:
        while step is not None and not isinstance(step, Calls):
            step = next(dialogue, None)
        if step is None:
            return None
        step = _send(dialogue, results)
    return step


def _send(dialogue: Dialogue, results: Round) -> Step | None:
    try:
        return dialogue.send(results)
    except StopIteration:
        return None
