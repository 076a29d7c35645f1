"""The default brain: which errand a request asks for.

Literal lines win over everything. Otherwise the lines of the prompt are read from the last to the first, because what
a bot adds (names, an earlier part of the thread) stands before what the person wrote.
"""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator

from sandbox.claude import directives, errands, questions
from sandbox.claude.blocks import Block, Calls, Text
from sandbox.claude.dialogue import Dialogue, replay
from sandbox.claude.request import Request

CONFESSION = "I am the sandbox's scripted model"
_CONFESSION_LINE = f"\n\n_{CONFESSION}: I know the sample data and little else._"
_TAGS = re.compile(r"</?[a-zA-Z][^>\n]*>")

Errand = Callable[[Request, str], Dialogue]
#: what is not a question about the data: pattern, the tool it needs, the errand
_ERRANDS: tuple[tuple[str, str | None, Errand], ...] = (
    (r"\bremember\b", "Write", errands.remember),
    (
        r"\bwho are you\b|\bwhat are you\b|\bare you (a |an )?(real|claude|ai|bot|human)",
        None,
        errands.introduce,
    ),
    (r"\b(best|right|which)\b.*\bwarehouse\b", "get_best_warehouse", errands.best_warehouse),
    (r"\bwarehouses?\b", "list_warehouses", errands.list_warehouses),
    (
        r"\b(read|show|open|print|cat|what is in)\b.*(\bfile\b|\breport\b|\bnotes\b|\w\.(md|csv|txt|sql|py|json)\b)",
        "Read",
        errands.show_file,
    ),
    (r"\b(list|show|what|which)\b.*\bfiles\b", "Glob", errands.list_files),
    (r"\b(run|execute)\b.*\bcommand\b", "Bash", errands.run_command),
    (r"\b(use|load|follow|try)\b.*\bskill\b", "Skill", errands.use_skill),
)
_SMALL_TALK: tuple[tuple[str, Errand], ...] = (
    (r"^\W*(hi|hello|hey|good (morning|evening|afternoon)|help|what can you do)\b.{0,40}$", errands.greet),
    (r"^\W*(thanks|thank you|thx|great|ok)\b.{0,40}$", errands.thank),
)
_WRITES_FILE = re.compile(
    r"\b(write|save|create|make|export|put)\b.*\b(report|file|csv|summary|\w+\.(md|csv|txt))\b", re.I
)


async def answer(asked: Request) -> AsyncIterator[Block]:
    """The blocks of the answer to one request."""
    for block in blocks(asked):
        yield block


def blocks(asked: Request) -> Iterator[Block]:
    """The same, without a loop."""
    schema = _schema(asked)
    if schema is not None:
        yield Text(text=json.dumps(_fill(schema)))
        return
    literal = directives.find(asked.prompt)
    if literal:
        yield from replay(directives.run(literal, asked), asked)
        return
    is_waiting = False
    for block in replay(choose(asked), asked):
        is_waiting = isinstance(block, Calls)
        yield block
    if not is_waiting and not asked.said_before(CONFESSION):
        yield Text(text=_CONFESSION_LINE)


def choose(asked: Request) -> Dialogue:
    """The dialogue for a prompt in plain words."""
    statement = errands.statement_in(asked.prompt)
    if statement:
        return _with_tool("execute_sql", errands.run_sql(asked, statement), asked)
    lines = _lines(asked.prompt)
    for line in lines:
        dialogue = _errand(asked, line)
        if dialogue is not None:
            return dialogue
    for line in lines:
        for pattern, talk in _SMALL_TALK:
            if re.search(pattern, line, re.IGNORECASE):
                return talk(asked, line)
    return errands.give_up(asked, asked.prompt)


def _errand(asked: Request, line: str) -> Dialogue | None:
    question = questions.find(line)
    if _WRITES_FILE.search(line):
        return _with_tool("Write", errands.report(asked, question or questions.DEFAULT, line), asked)
    for pattern, tool, errand in _ERRANDS:
        if re.search(pattern, line, re.IGNORECASE):
            return _with_tool(tool, errand(asked, line), asked)
    if question is not None:
        return _with_tool("execute_sql", errands.ask(asked, question, line), asked)
    return None


def _with_tool(tool: str | None, dialogue: Dialogue, asked: Request) -> Dialogue:
    """The dialogue, which has not begun yet, if the tool it needs is offered."""
    return dialogue if tool is None or asked.tool(tool) else errands.do_without(tool)


def _lines(prompt: str) -> list[str]:
    """The lines worth reading, the last one first; quotes and tags are not the person's words."""
    bare = (_TAGS.sub("", line).strip() for line in prompt.splitlines())
    return [line for line in bare if line and not line.startswith((">", "&gt;"))][::-1]


def _schema(asked: Request) -> dict[str, object] | None:
    """The schema of a request that wants JSON, such as the CLI's for a session's title."""
    wanted = (asked.body.get("output_config") or {}).get("format") or {}
    schema = wanted.get("schema")
    return schema if isinstance(schema, dict) and not asked.tools else None


def _fill(schema: dict[str, object]) -> object:
    """The smallest value that a schema allows, as far as such schemas go."""
    properties = schema.get("properties")
    match schema.get("type"):
        case "object" if isinstance(properties, dict):
            return {name: _fill(inner) for name, inner in properties.items()}
        case "string":
            return "Sandbox"
        case "array":
            return []
        case "boolean":
            return False
        case _:
            return 0
