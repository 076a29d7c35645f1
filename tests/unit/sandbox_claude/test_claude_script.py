"""What the scripted model says and calls, request by request."""

import json
from typing import Any

import pytest

from sandbox.claude import blocks, directives, request, script, tables
from tests.unit.sandbox_claude.driving import EXECUTE_SQL, Json, body, called, results, user

OTHER_TOOLS = (
    "Read",
    "Write",
    "Glob",
    "Bash",
    "Skill",
    "mcp__databricks__list_warehouses",
    "mcp__databricks__get_best_warehouse",
)
TOOLS = [EXECUTE_SQL, *({"name": name, "input_schema": {"type": "object"}} for name in OTHER_TOOLS)]
SQL = "mcp__databricks__execute_sql"


def replies(*messages: Json, attempt: int = 0, **more: Any) -> list[blocks.Block]:
    """The blocks of the answer to these messages."""
    asked = request.parse(body(*messages, **{"tools": TOOLS, **more}), attempt=attempt)
    return list(script.blocks(asked))


def said(*messages: Json, **more: Any) -> str:
    """The text of the answer."""
    return "".join(block.text for block in replies(*messages, **more) if isinstance(block, blocks.Text))


def call(*messages: Json, **more: Any) -> blocks.Call:
    """The one call in the answer."""
    (calls,) = [block for block in replies(*messages, **more) if isinstance(block, blocks.Calls)]
    (only,) = calls.calls
    return only


@pytest.mark.parametrize(
    ("prompt", "table", "words"),
    [
        ("which region sold most last month?", "main.sales.orders", "GROUP BY region"),
        ("Which region sold the most this year", "main.sales.orders", "'YEAR'"),
        ("revenue by month please", "main.sales.orders", "INTERVAL 11 MONTH"),
        ("what's the trend of our sales?", "main.sales.orders", "yyyy-MM"),
        ("top 3 products", "main.sales.products", "LIMIT 3"),
        ("who are our best customers this year?", "main.sales.customers", "LIMIT 5"),
        ("compare regions with their targets", "main.sales.regions", "percent_of_target"),
        ("what tables are there?", "information_schema.tables", "table_name"),
        ("describe the tickets table", "main.support.tickets", "DESCRIBE TABLE"),
        ("describe main.sales.orders", "main.sales.orders", "DESCRIBE TABLE"),
        ("how many orders did we get today?", "main.sales.orders", "current_date()"),
        ("how many orders this week", "main.sales.orders", "'WEEK'"),
        ("open tickets by priority", "main.support.tickets", "GROUP BY priority"),
        ("what are the open tickets about?", "main.support.tickets", "GROUP BY category"),
        ("sign-ups in the last 6 weeks", "main.web.events", "INTERVAL 6 WEEK"),
        ("what is the average salary?", "main.finance.salaries", "avg(annual_salary)"),
        ("who am I?", "current_user()", "SELECT"),
        ("which sensor is the warmest?", "main.iot.sensor_readings", "avg(temperature_c)"),
    ],
)
def test_a_question_becomes_a_statement(prompt: str, table: str, words: str) -> None:
    asked = call(user(prompt))
    assert asked.name == SQL
    assert table in asked.input["sql_query"]
    assert words in asked.input["sql_query"]


@pytest.mark.parametrize(
    ("prompt", "tool", "arguments"),
    [
        ("list the warehouses", "mcp__databricks__list_warehouses", {}),
        ("which warehouse is best?", "mcp__databricks__get_best_warehouse", {}),
        ("show the file plans/q3.md", "Read", {"file_path": "plans/q3.md"}),
        ("read the report", "Read", {"file_path": "report.md"}),
        ("what files are there?", "Glob", {"pattern": "**/*"}),
        ("remember that we use euros", "Read", {"file_path": "CLAUDE.md"}),
        ("use the skill bricks:pipelines", "Skill", {"skill": "bricks:pipelines"}),
        ("run the command `ls -l`", "Bash", {"command": "ls -l"}),
        ("run this SQL: SELECT 1", SQL, {"sql_query": "SELECT 1"}),
        (
            "run `SELECT 1`\n```sql\nSELECT *\n  -- all of it\nFROM t\n```",
            SQL,
            {"sql_query": "SELECT *\n  -- all of it\nFROM t"},
        ),
        ("please run: DROP TABLE main.sales.orders", SQL, {"sql_query": "DROP TABLE main.sales.orders"}),
    ],
)
def test_an_errand_becomes_a_call(prompt: str, tool: str, arguments: Json) -> None:
    asked = call(user(prompt))
    assert (asked.name, asked.input) == (tool, arguments)


@pytest.mark.parametrize(
    "prompt", ["hello", "Hi there!", "help", "what can you do?", "who are you?", "sing me a song"]
)
def test_anything_else_says_what_it_can_do(prompt: str) -> None:
    text = said(user(prompt))
    assert "which region sold most last month?" in text
    assert "scripted" in text


def test_the_newest_line_counts_and_not_what_the_bot_put_before_it() -> None:
    wrapped = """<thread>
Ben Lindqvist: list the warehouses
> what tables are there?
</thread>
Ada Okafor writes in #sales:
<message>which region sold most last month?</message>"""
    assert "GROUP BY region" in call(user(wrapped)).input["sql_query"]


def test_the_statement_goes_into_the_argument_that_the_tool_names() -> None:
    tool = {"name": "execute_sql", "input_schema": {"properties": {"statement": {}, "warehouse_id": {}}}}
    asked = call(user("who am I?"), tools=[tool])
    assert asked == blocks.Call(name="execute_sql", input={"statement": "SELECT current_user() AS user"})


def test_a_tool_that_is_not_offered_is_missed_aloud() -> None:
    text = said(user("who am I?"), tools=[])
    assert "`execute_sql`, and nobody offers it" in text


ROWS = {
    "columns": ["region", "orders", "units", "revenue"],
    "rows": [["North", "7", "9", "1234.5"], ["South", "5", "5", "1000"]],
}
AS_JSON = json.dumps(ROWS)
AS_MARKDOWN = """2 rows in 0.3 s
| region | orders | units | revenue |
|---|---|---|---|
| North | 7 | 9 | 1234.5 |
| South | 5 | 5 | 1000 |"""


@pytest.mark.parametrize(
    "result", [AS_JSON, AS_MARKDOWN, f"Done.\n{json.dumps({'statement_id': 'x', 'result': ROWS})}"]
)
def test_an_answer_is_made_of_the_rows_that_came_back(result: str) -> None:
    text = said(user("which region sold most last month?"), called(SQL), results(result))
    assert text.startswith("**North** sold most last month: **€1,234.50**, 23 % ahead of South.")
    assert "| **North** | **7** | **9** | **1,234.50** |" in text
    assert "You could ask next: _compare the regions with their targets_" in text


def test_a_refusal_is_passed_on_as_it_came() -> None:
    refused = results("[INSUFFICIENT_PERMISSIONS] User lacks SELECT on main.finance.salaries", is_error=True)
    text = said(user("average salary?"), called(SQL), refused)
    assert "You may not do that" in text
    assert "> [INSUFFICIENT_PERMISSIONS] User lacks SELECT" in text


def test_no_rows_are_said_to_be_no_rows() -> None:
    text = said(user("top products"), called(SQL), results('{"columns": ["a"], "rows": []}'))
    assert text.startswith("The statement ran and found no rows.")


def test_other_columns_than_expected_are_shown_all_the_same() -> None:
    text = said(user("revenue by month"), called(SQL), results('{"columns": ["a"], "rows": [["5"]]}'))
    assert "| 5 |" in text


def test_a_report_is_written_with_the_rows_and_the_statement() -> None:
    prompt = user("save a report about the top products as best.md")
    rows = results(json.dumps({"columns": ["product", "revenue"], "rows": [["Brick", "5"]]}))
    written = call(prompt, called(SQL), rows)
    assert (written.name, written.input["file_path"]) == ("Write", "best.md")
    assert "| Brick | 5 |" in written.input["content"]
    assert "```sql\nSELECT p.name" in written.input["content"]


def test_a_csv_is_written_as_one() -> None:
    written = call(user("export the regions to regions.csv"), called(SQL), results(AS_JSON))
    assert written.input["content"] == "region,orders,units,revenue\nNorth,7,9,1234.5\nSouth,5,5,1000\n"


def test_that_it_is_scripted_stands_at_the_end_of_the_first_answer_only() -> None:
    first = said(user("thanks"))
    assert first.endswith("_I am the sandbox's scripted model: I know the sample data and little else._")
    assert said(user("thanks"), {"role": "assistant", "content": first}, user("thanks")) == "You are welcome."


def test_a_title_is_given_when_the_cli_wants_one() -> None:
    schema = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
    text = said(user("<session>x</session>"), tools=[], output_config={"format": {"schema": schema}})
    assert json.loads(text) == {"title": "Sandbox"}


def test_lines_are_obeyed_wherever_they_stand_but_not_in_quotes() -> None:
    prompt = "Ada writes:\n> !!say quoted\n```\n!!say fenced\n```\n  !!say one\n<@U123> !!say two\n<m>!!say three</m>"
    assert said(user(prompt)) == "one\ntwo\nthree"


def test_each_call_is_followed_by_the_steps_after_it() -> None:
    prompt = user(
        '!!say a\n!!tool execute_sql {"sql_query": "1"}\n!!say b\n!!tool Read {"file_path": "x"}\n!!echo-results'
    )
    assert said(prompt) == "a"
    assert call(prompt).input == {"sql_query": "1"}
    assert said(prompt, called(SQL), results("r1")) == "b"
    # Ids must differ between rounds on the wire; the script does not look at them.
    assert said(prompt, called(SQL), results("r1"), called("Read"), results("r2")) == "r2"


def test_reminders_and_skills_are_no_prompt() -> None:
    skill = results("Launching skill")
    skill["content"].append({"type": "text", "text": "Base directory for this skill: /x\n\n!!say skill"})
    reminder = [{"type": "text", "text": "<system-reminder>\n!!say no\n</system-reminder>"}]
    assert said(user("!!tool Skill {}\n!!say yes"), called("Skill"), skill, user(reminder)) == "yes"


def test_a_prompt_that_was_never_answered_is_left_behind() -> None:
    merged = [
        {"type": "text", "text": text}
        for text in ("!!say old\n", "[Request interrupted by user]\n", "!!say new")
    ]
    assert said(user(merged)) == "new"


@pytest.mark.parametrize(("attempt", "expected"), [(0, 529), (1, 529), (2, 500), (3, None)])
def test_troubles_pass_with_the_clients_attempts(attempt: int, expected: int | None) -> None:
    prompt = user("!!error 529 overloaded_error 2\n!!error 500 api_error 1\n!!say through")
    (block,) = replies(prompt, attempt=attempt)
    assert (block.status if isinstance(block, blocks.Failure) else None) == expected


@pytest.mark.parametrize(
    "line", ["!!nonsense", "!!tool", "!!tool Read {", "!!big many", "!!sleep", "!!tools {}"]
)
def test_a_line_that_cannot_be_read_says_so(line: str) -> None:
    assert "The sandbox" in said(user(line))


@pytest.mark.parametrize("size", [1, 100, 5000, 40_000])
def test_a_big_text_has_exactly_the_size_asked_for(size: int) -> None:
    text = said(user(f"!!big {size}"))
    assert (len(text), text.strip()) == (size, text)


def test_what_the_model_sees_can_be_looked_at() -> None:
    assert said(user("!!whoami-system"), system="You are x") == "You are x"
    assert said(user("!!echo-tools")).splitlines()[0] == SQL
    assert said(user("context\n!!echo-prompt")) == "context\n!!echo-prompt"


def test_directives_are_listed_in_the_documentation() -> None:
    import sandbox.claude

    (unknown,) = replies(user("!!nonsense"))
    assert isinstance(unknown, blocks.Text)
    for name in directives.NAMES:
        assert f"``!!{name}" in (sandbox.claude.__doc__ or "")


def test_a_table_shows_null_pipes_and_long_results() -> None:
    table = tables.Table(columns=("name", "order_id"), rows=((None, "1001"), ("a|b\nc", "1002")) * 15)
    shown = tables.markdown(table)
    assert "| – | 1001 |" in shown
    assert "| a\\|b c | 1002 |" in shown
    assert shown.endswith("_20 of 30 rows._")
