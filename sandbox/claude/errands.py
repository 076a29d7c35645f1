"""What the script does for people, as dialogues: ask a question, run a statement, write, read and remember.

Everything that is said about data comes out of a tool's answer of this very turn. When a tool refuses, the refusal is
shown as it came: a sandbox that hides errors would teach a wrong picture of the bot.
"""

import csv
import io
import re
from collections.abc import Generator, Sequence

from sandbox.claude import tables
from sandbox.claude.blocks import Text
from sandbox.claude.dialogue import Dialogue, Step, call
from sandbox.claude.questions import Question
from sandbox.claude.request import Request, Result, Round

NOTES = "CLAUDE.md"
DEFAULT_REPORT = "report.md"
ABILITIES = """I can look things up in the sample data, run SQL and keep files. Try one of these:

- which region sold most last month?
- revenue by month
- top 5 products, or top customers this year
- compare the regions with their targets
- how many orders today?
- open tickets by priority
- sign-ups in the last 6 weeks
- what tables are there? · describe main.sales.orders
- which warehouse is best?
- run this SQL: `SELECT count(*) FROM main.sales.orders`
- write a report about the regions · show the file report.md
- remember that we report in euros
- who am I?"""
_LONGEST_REFUSAL = 600  # characters
_LONGEST_FILE = 6000  # characters
_SKILL_LIMIT = "A real model would follow it now; I can only follow my script."
_STATEMENT_NAMES = ("sql_query", "statement", "sql", "query")
_PATH = re.compile(r"(?<![\w/.-])[\w./-]*\w\.(?:md|csv|txt|sql|py|json|ya?ml|ipynb)\b")
_LINE_NUMBER = re.compile(r"^ *\d+(?:\t|→)", re.MULTILINE)
_SQL_FENCE = re.compile(r"```(?:sql)?[ \t]*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_SQL_INLINE = re.compile(r"\b(?:run|execute)\b[^\n:`]*\bsql\b[^\n:`]*[:\s]\s*(.+)", re.DOTALL | re.IGNORECASE)
_SQL_STARTS = r"select|with|show|describe|insert|update|delete|merge|create|drop|alter|truncate"
_SQL_BARE = re.compile(
    rf"^\s*(?:please )?(?:run|execute)[:\s]+((?:{_SQL_STARTS})\b.+)", re.DOTALL | re.IGNORECASE
)


def statement_in(prompt: str) -> str | None:
    """The SQL that a prompt asks to run: a fenced block, or what follows "run this SQL:"."""
    fence = _SQL_FENCE.search(prompt)
    if fence and (re.match(_SQL_STARTS, fence[1].strip(), re.IGNORECASE) or "```sql" in prompt.lower()):
        return fence[1].strip()
    found = _SQL_INLINE.search(prompt) or _SQL_BARE.search(prompt)
    return found[1].strip().strip("`").strip() if found else None


def path_in(line: str, *, default: str) -> str:
    """The file that a line names."""
    found = _PATH.search(line)
    return found[0] if found else default


def ask(asked: Request, question: Question, line: str) -> Dialogue:
    """One question about the data, answered with a sentence, a table and what to ask next."""
    yield Text(text=question.opening)
    result = yield from _execute(asked, question.sql(line))
    table = _table(result)
    if table is None or not table.rows:
        yield Text(text=_no_rows(result))
        return
    shown = tables.markdown(table, bold_row=0 if question.bold_first else None)
    comment = _comment(question, table, line)
    yield Text(text=f"{comment}\n\n{shown}\n\nYou could ask next: _{question.follow_up}_")


def run_sql(asked: Request, statement: str) -> Dialogue:
    """Exactly this statement."""
    yield Text(text="I run that statement as it stands.")
    result = yield from _execute(asked, statement)
    table = _table(result)
    if table is None:
        yield Text(text=_refusal(result.text) if result.is_error else f"It ran:\n\n{result.text}")
        return
    count = len(table.rows)
    yield Text(text=f"**{count:,} row{'' if count == 1 else 's'}**\n\n{tables.markdown(table)}")


def report(asked: Request, question: Question, line: str) -> Dialogue:
    """A question's answer as a file of the project."""
    path = path_in(line, default=DEFAULT_REPORT)
    yield Text(text=f"{question.opening} Then I write it to `{path}`.")
    statement = question.sql(line)
    result = yield from _execute(asked, statement)
    table = _table(result)
    if table is None or not table.rows:
        yield Text(text=_no_rows(result))
        return
    comment = _comment(question, table, line)
    content = _csv(table) if path.endswith(".csv") else _report(question, table, comment, statement)
    written = yield from _write(asked, path, content)
    if written.is_error:
        yield Text(text=f"{comment}\n\nBut I could not write `{path}`.\n\n{_quote(written.text)}")
        return
    size = f"{len(content.splitlines())} lines"
    yield Text(text=f"{comment}\n\nIt is in **`{path}`** now ({size}). Ask me to _show the file {path}_.")


def show_file(asked: Request, line: str) -> Dialogue:
    """A file of the project, in a code block."""
    path = path_in(line, default=NOTES if "note" in line.lower() else DEFAULT_REPORT)
    yield Text(text=f"Let me read `{path}`.")
    result = yield from call(asked, "Read", {"file_path": path})
    if result.is_error:
        yield Text(text=f"I could not read `{path}`.\n\n{_quote(result.text)}")
        return
    content = _file_content(result)[:_LONGEST_FILE]
    yield Text(text=content if path.endswith(".md") else f"```\n{content}\n```")


def list_files(asked: Request, line: str) -> Dialogue:
    """The names of the project's files."""
    yield Text(text="Let me look around in the project.")
    result = yield from call(asked, "Glob", {"pattern": "**/*"})
    names = [name for name in result.text.splitlines() if name.strip()]
    if result.is_error or not names or names[0].startswith("No files"):
        yield Text(text=f"There are no files yet.\n\n{_quote(result.text)}")
        return
    yield Text(text="\n".join(f"- `{name}`" for name in names[: tables.MOST_ROWS]))


def remember(asked: Request, line: str) -> Dialogue:
    """A sentence for the project's notes, which every later conversation begins with."""
    note = re.sub(r"^.*?\bremember(?: that)?[,:]?\s*", "", line, flags=re.IGNORECASE).strip().rstrip(".")
    yield Text(text="I keep that in the project's notes.")
    found = yield from call(asked, "Read", {"file_path": NOTES})
    before = "# Project notes" if found.is_error else _file_content(found).rstrip()
    written = yield from call(asked, "Write", _file(NOTES, f"{before}\n- {note}.\n"))
    if written.is_error:
        yield Text(text=f"I could not write `{NOTES}`.\n\n{_quote(written.text)}")
        return
    yield Text(text=f"Noted in `{NOTES}`: **{note}**.")


def list_warehouses(asked: Request, line: str) -> Dialogue:
    """The workspace's SQL warehouses."""
    yield Text(text="Let me list the SQL warehouses.")
    result = yield from call(asked, "list_warehouses", {})
    table = _table(result)
    if table is None:
        yield Text(text=_no_rows(result))
        return
    yield Text(text=f"There are **{len(table.rows)} warehouses**.\n\n{tables.markdown(table)}")


def best_warehouse(asked: Request, line: str) -> Dialogue:
    """The warehouse that the tools would take."""
    yield Text(text="Let me see which warehouse is the best one now.")
    result = yield from call(asked, "get_best_warehouse", {})
    if result.is_error:
        yield Text(text=_refusal(result.text))
        return
    yield Text(text=f"The tools would take this one:\n\n```\n{result.text}\n```")


def run_command(asked: Request, line: str) -> Dialogue:
    """A shell command in the project's folder."""
    command = re.sub(r"^.*?\bcommand\b[:\s]*", "", line, flags=re.IGNORECASE).strip("` ")
    yield Text(text=f"I run `{command}`.")
    result = yield from call(asked, "Bash", {"command": command})
    yield Text(text=_refusal(result.text) if result.is_error else f"```\n{result.text[:_LONGEST_FILE]}\n```")


def use_skill(asked: Request, line: str) -> Dialogue:
    """A skill by its name, which loads its text into the conversation."""
    named = re.search(r"\bskill\s+`?([\w:-]+)", line) or re.search(r"([\w:-]+)`?\s+skill\b", line)
    name = named[1] if named else ""
    yield Text(text=f"I load the skill `{name}`.")
    result = yield from call(asked, "Skill", {"skill": name})
    yield Text(text=_refusal(result.text) if result.is_error else f"`{name}` is loaded. {_SKILL_LIMIT}")


def introduce(asked: Request, line: str) -> Dialogue:
    """An answer to "who are you?"."""
    yield Text(
        text="I am the sandbox's scripted model, not a real Claude: I recognise a dozen requests about the sample"
        f" data and answer them by really calling tools.\n\n{ABILITIES}"
    )


def greet(asked: Request, line: str) -> Dialogue:
    """A greeting, or a call for help."""
    yield Text(text=f"Hello! {ABILITIES}")


def thank(asked: Request, line: str) -> Dialogue:
    """A short answer to thanks."""
    yield Text(text="You are welcome.")


def give_up(asked: Request, line: str) -> Dialogue:
    """Anything that the script does not know."""
    yield Text(text=f"I am scripted, and that is not in my script. {ABILITIES}")


def do_without(tool: str) -> Dialogue:
    """What to say when the tool that is needed is not offered."""
    yield Text(text=f"For that I would need the tool `{tool}`, and nobody offers it to me here.")


def _execute(asked: Request, statement: str) -> Generator[Step, Round, Result]:
    offered = asked.tool("execute_sql")
    names = offered.properties if offered else {}
    name = next((name for name in _STATEMENT_NAMES if name in names), _STATEMENT_NAMES[0])
    return (yield from call(asked, "execute_sql", {name: statement}))


def _write(asked: Request, path: str, content: str) -> Generator[Step, Round, Result]:
    written = yield from call(asked, "Write", _file(path, content))
    if written.is_error and "read" in written.text.lower():
        # The CLI overwrites only what was read in this session.
        yield from call(asked, "Read", {"file_path": path})
        written = yield from call(asked, "Write", _file(path, content))
    return written


def _file(path: str, content: str) -> dict[str, str]:
    return {"file_path": path, "content": content}


def _file_content(result: Result) -> str:
    return _LINE_NUMBER.sub("", result.text).rstrip()


def _table(result: Result) -> tables.Table | None:
    return None if result.is_error else tables.parse(result.text)


def _comment(question: Question, table: tables.Table, line: str) -> str:
    try:
        return question.comment(table, line)
    except (KeyError, IndexError):
        # A tool that names columns otherwise still has rows worth showing.
        return "This is what came back."


def _no_rows(result: Result) -> str:
    if result.is_error:
        return _refusal(result.text)
    if tables.parse(result.text) is not None:
        return "The statement ran and found no rows."
    return f"The tool answered:\n\n{_quote(result.text)}"


def _refusal(text: str) -> str:
    if re.search(r"permission|denied|not authorized|forbidden|privilege", text, re.IGNORECASE):
        return f"**You may not do that**, so neither may I. The answer was:\n\n{_quote(text)}"
    return f"That did not work. The answer was:\n\n{_quote(text)}"


def _quote(text: str) -> str:
    cut = text.strip()[:_LONGEST_REFUSAL]
    return "\n".join(f"> {line}" for line in cut.splitlines() if line.strip())


def _report(question: Question, table: tables.Table, comment: str, statement: str) -> str:
    shown = tables.markdown(table)
    return f"# {question.title}\n\n{comment}\n\n{shown}\n\n## How\n\n```sql\n{statement}\n```\n"


def _csv(table: tables.Table) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    rows: Sequence[Sequence[str | None]] = table.rows
    writer.writerows([table.columns, *rows])
    return out.getvalue()
