"""Literal lines for tests: what the model is to do, written into the user's message. The package's docstring lists them.

A line counts when it begins with ``!!`` (white space, a mention or a tag may stand before it), outside of quotes and
code fences. A line that cannot be read is said so in the answer rather than skipped, so a typo fails a test loudly.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sandbox.claude.blocks import Call, Calls, Cut, Failure, Pause, Stall, Text, Thinking
from sandbox.claude.dialogue import Dialogue, Step, Trouble
from sandbox.claude.request import Request, Round

_LINE = re.compile(r"^\s*(?:<[^>\n]*>\s*)*!!([a-z-]+)(?:[ \t]+(.*?))?\s*(?:</[\w-]+>\s*)*$")
_FILLER = (
    "## Part {n}\n\nThe sandbox writes **plain filler** here, with _all_ the `marks` of an answer.\n\n"
    "- first point of part {n}\n- second point\n\n"
)


@dataclass(frozen=True, kw_only=True)
class Directive:
    """One ``!!`` line."""

    name: str
    argument: str


@dataclass(kw_only=True)
class _Scene:
    """What directives may look at while they run."""

    asked: Request
    results: Round = ()


def find(prompt: str) -> list[Directive]:
    """The directives in a prompt, in order."""
    found: list[Directive] = []
    in_fence = False
    for line in prompt.splitlines():
        if line.lstrip().startswith("```"):
            in_fence = not in_fence
        match = _LINE.match(line)
        if match and not in_fence:
            found.append(Directive(name=match[1], argument=match[2] or ""))
    return found


def run(directives: list[Directive], asked: Request) -> Dialogue:
    """Obey the lines in order. Texts that follow one another stand on lines of their own."""
    scene = _Scene(asked=asked)
    spoke = False
    for directive in directives:
        for step in _steps(directive, scene):
            if isinstance(step, Text):
                results = yield replace(step, text=f"\n{step.text}") if spoke else step
                spoke = True
            else:
                results = yield step
            if isinstance(step, Calls):
                scene.results, spoke = results, False
    if not spoke:
        yield Text(text="Done.")


def _steps(directive: Directive, scene: _Scene) -> list[Step]:
    obey = _DIRECTIVES.get(directive.name)
    if obey is None:
        return [
            Text(
                text=f"The sandbox knows no `!!{directive.name}`. It knows: {', '.join(sorted(_DIRECTIVES))}."
            )
        ]
    try:
        return list(obey(directive.argument, scene))
    except (ValueError, TypeError, KeyError) as error:
        return [Text(text=f"The sandbox cannot read `!!{directive.name} {directive.argument}`: {error}")]


def _say(argument: str, scene: _Scene) -> Iterator[Step]:
    yield Text(text=argument)


def _say_slowly(argument: str, scene: _Scene) -> Iterator[Step]:
    count, delay_ms, word = argument.split(maxsplit=2)
    words = (word.replace("{i}", str(number)) for number in range(1, int(count) + 1))
    yield Text(text=" ".join(words), delay=float(delay_ms) / 1000)


def _tool(argument: str, scene: _Scene) -> Iterator[Step]:
    name, _, arguments = argument.partition(" ")
    yield Calls(calls=(_call(name, json.loads(arguments or "{}"), scene),))


def _tools(argument: str, scene: _Scene) -> Iterator[Step]:
    listed = json.loads(argument)
    if not isinstance(listed, list):
        raise ValueError("a list of calls is wanted")
    yield Calls(calls=tuple(_call(item["name"], item.get("input", {}), scene) for item in listed))


def _call(name: str, arguments: dict[str, Any], scene: _Scene) -> Call:
    if not name:
        raise ValueError("a tool's name is missing")
    offered = scene.asked.tool(name)
    return Call(name=offered.name if offered else name, input=arguments)


def _think(argument: str, scene: _Scene) -> Iterator[Step]:
    yield Thinking(text=argument)


def _sleep(argument: str, scene: _Scene) -> Iterator[Step]:
    yield Pause(seconds=float(argument))


def _error(argument: str, scene: _Scene) -> Iterator[Step]:
    status, kind, *times = argument.split()
    # A real rate limit says when to come back.
    retry_after = 1.0 if status == "429" else None
    failure = Failure(status=int(status), type=kind, retry_after=retry_after)
    yield Trouble(block=failure, times=_times(times))


def _stall(argument: str, scene: _Scene) -> Iterator[Step]:
    yield Trouble(block=Stall(), times=_times(argument.split()))


def _cut(argument: str, scene: _Scene) -> Iterator[Step]:
    yield Trouble(block=Cut(), times=_times(argument.split()))


def _times(words: list[str]) -> int | None:
    return int(words[0]) if words else None


def _big(argument: str, scene: _Scene) -> Iterator[Step]:
    size = int(argument)
    part = _FILLER.format(n=1)
    text = "".join(_FILLER.format(n=number) for number in range(1, size // len(part) + 2))
    # Ends in a letter: an answer is trimmed on its way, and its length is what the test asked for.
    yield Text(text=text[: max(0, size - 1)] + "z" * min(1, size))


def _markdown(argument: str, scene: _Scene) -> Iterator[Step]:
    yield Text(text=str(json.loads(argument)))


def _echo_results(argument: str, scene: _Scene) -> Iterator[Step]:
    yield Text(text="\n".join(result.text for result in scene.results) or "(no tool results)")


def _whoami_system(argument: str, scene: _Scene) -> Iterator[Step]:
    yield Text(text=scene.asked.system or "(no system prompt)")


def _prompt(argument: str, scene: _Scene) -> Iterator[Step]:
    yield Text(text=scene.asked.prompt)


def _offered(argument: str, scene: _Scene) -> Iterator[Step]:
    yield Text(text="\n".join(tool.name for tool in scene.asked.tools) or "(no tools)")


_DIRECTIVES: Mapping[str, Callable[[str, _Scene], Iterator[Step]]] = {
    "say": _say,
    "say-slowly": _say_slowly,
    "tool": _tool,
    "tools": _tools,
    "think": _think,
    "sleep": _sleep,
    "error": _error,
    "stall": _stall,
    "cut": _cut,
    "big": _big,
    "markdown": _markdown,
    "echo-results": _echo_results,
    "whoami-system": _whoami_system,
    "echo-prompt": _prompt,
    "echo-tools": _offered,
}
NAMES = tuple(_DIRECTIVES)
