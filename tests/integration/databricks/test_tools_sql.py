"""execute_sql against the sandbox: as the sender, whole or honestly cut, and never left running."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from agent.databricks import errors, statements
from agent.tools import sql
from agent.tools.registry import ToolCall
from agent.tools.warehouses import NoWarehouseError
from sandbox.databricks import DatabricksSandbox
from sandbox.people import ADA, BEN
from storage.database import Database
from tests.integration.databricks.stage import Replica, link, tool_call, use

STARTER, FINANCE, NIGHTLY = "8f3a1c5d2b6e4f70", "5e0c8a2f9d7b1463", "2d9b7e4a6c1f3058"
STATEMENTS = "/api/2.0/sql/statements"


@pytest.fixture
async def ada(replica: Replica) -> ToolCall:
    await link(replica, ADA)
    return await tool_call(replica, ADA)


async def run(call: ToolCall, statement: str, **arguments: object) -> Any:
    return json.loads((await use(call, "execute_sql", statement=statement, **arguments)).text)


async def until(condition: Callable[[], bool]) -> None:
    """The sandbox has no signal for it."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_query_comes_back_with_columns_rows_and_where_it_ran(
    ada: ToolCall, workspace: DatabricksSandbox
) -> None:
    answer = await run(ada, "SELECT 1 AS a, 'x' AS a, CAST(NULL AS INT) AS n", warehouse_id=STARTER)
    assert [column["name"] for column in answer["columns"]] == ["a", "a", "n"]
    assert answer["rows"] == [["1", "x", None]]
    assert (answer["truncated"], answer["warehouse"]) == (False, STARTER)
    assert answer["statement_id"] == workspace.statements[-1].id


async def test_an_empty_result_keeps_its_columns(ada: ToolCall) -> None:
    answer = await run(ada, "SELECT region FROM main.sales.regions WHERE 1 = 0")
    assert (len(answer["columns"]), answer["rows"], answer["row_count"]) == (1, [], 0)


async def test_all_chunks_are_followed(ada: ToolCall, workspace: DatabricksSandbox) -> None:
    workspace.results.chunk_rows = 7
    answer = await run(ada, "SELECT order_id FROM main.sales.orders ORDER BY 1", row_limit=100)
    assert len({row[0] for row in answer["rows"]}) == 100
    assert answer["truncated"] is True


async def test_exactly_as_many_rows_as_asked_for_is_not_called_truncated(ada: ToolCall) -> None:
    answer = await run(ada, "SELECT order_id FROM main.sales.orders LIMIT 100", row_limit=100)
    assert (answer["row_count"], answer["truncated"]) == (100, False)


async def test_five_thousand_wide_rows_are_cut_to_fit_and_say_so(ada: ToolCall) -> None:
    result = await use(ada, "execute_sql", statement="SELECT * FROM main.sales.orders", row_limit=5000)
    answer = json.loads(result.text)
    assert len(result.text) <= 40_000
    assert "do not fit" in answer["note"]
    assert "more rows" in answer["note"]


async def test_every_request_carries_its_senders_token(
    replica: Replica, workspace: DatabricksSandbox
) -> None:
    for person in (ADA, BEN):
        await link(replica, person)
    calls = {person.email: await tool_call(replica, person) for person in (ADA, BEN)}
    workspace.requests.clear()
    await asyncio.gather(
        *(
            run(call, f"SELECT '{email}' AS who", warehouse_id=STARTER)
            for email, call in calls.items()
            for _ in range(8)
        )
    )
    submitted = [request for request in workspace.requests if request.path == STATEMENTS]
    assert len(submitted) == 16
    assert all(isinstance(seen.body, dict) and str(seen.user) in seen.body["statement"] for seen in submitted)


async def test_a_statement_is_tagged_with_its_turn_project_and_sender(
    ada: ToolCall, workspace: DatabricksSandbox
) -> None:
    await run(ada, "SELECT 1")
    (body,) = (request.body for request in workspace.requests if request.path == STATEMENTS)
    assert isinstance(body, dict)
    assert {tag["key"]: tag["value"] for tag in body["query_tags"]} == {
        "bricklayer_turn": str(ada.turn_id),
        "bricklayer_project": "sales",
        "bricklayer_sender": f"{ada.team_id}/{ada.sender_id}",
    }


async def test_a_failed_statement_says_what_databricks_says(ada: ToolCall) -> None:
    with pytest.raises(statements.StatementFailedError, match="TABLE_OR_VIEW_NOT_FOUND"):
        await run(ada, "SELECT * FROM main.sales.no_such_table")


@pytest.mark.parametrize("policy", ["ask", "read-only", "unheard-of"])
async def test_a_write_is_not_run_unless_the_policy_is_auto(
    replica: Replica, workspace: DatabricksSandbox, policy: str
) -> None:
    await link(replica, ADA)
    call = await tool_call(replica, ADA, policy=policy)
    expected = sql.ApprovalNeededError if policy == "ask" else sql.ReadOnlyError
    with pytest.raises(expected, match="nothing was run"):
        await run(call, "CREATE TABLE dev.default.t AS SELECT 1 AS a")
    assert workspace.statements == []


async def test_auto_runs_writes_as_the_sender(replica: Replica, workspace: DatabricksSandbox) -> None:
    await link(replica, ADA)
    call = await tool_call(replica, ADA, policy="auto")
    await run(call, "CREATE TABLE dev.default.t AS SELECT 41 AS a")
    await run(call, "INSERT INTO t VALUES (42)", catalog="dev", schema="default")
    assert (await run(call, "SELECT max(a) FROM dev.default.t"))["rows"] == [["42"]]


async def test_a_stopped_turn_cancels_its_statement(ada: ToolCall, workspace: DatabricksSandbox) -> None:
    task = asyncio.create_task(run(ada, "SELECT sandbox_sleep(60)", warehouse_id=STARTER))
    await until(lambda: bool(workspace.statements))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: workspace.statements[0].state == "CANCELED")


async def test_a_turn_stopped_while_the_submission_is_on_its_way_leaves_nothing_running(
    ada: ToolCall, workspace: DatabricksSandbox
) -> None:
    await run(ada, "SELECT 1", warehouse_id=STARTER)
    workspace.faults.latency[STATEMENTS] = 0.3
    task = asyncio.create_task(run(ada, "SELECT sandbox_sleep(60)", warehouse_id=STARTER))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(workspace.statements) == 1
    await until(lambda: len(workspace.statements) == 2 and workspace.statements[1].state == "CANCELED")


async def test_a_statement_is_cancelled_at_the_time_limit(
    ada: ToolCall, workspace: DatabricksSandbox
) -> None:
    runner = statements.Runner(client=ada.identity.client(), pool=ada.pool, key=ada.identity.key)
    slow = statements.Statement(text="SELECT sandbox_sleep(60)", warehouse_id=STARTER, row_limit=1)
    with pytest.raises(statements.StatementStoppedError, match="within 1 s and was cancelled"):
        await runner.run(slow, time_limit=1)
    assert workspace.statements[0].state == "CANCELED"


async def test_one_failed_poll_does_not_abandon_a_statement(
    ada: ToolCall, workspace: DatabricksSandbox
) -> None:
    task = asyncio.create_task(run(ada, "SELECT sandbox_sleep(1)", warehouse_id=STARTER))
    await until(lambda: bool(workspace.statements))
    workspace.faults.fail_next(f"{STATEMENTS}/", 503, times=1, retry_after=0)
    assert (await task)["row_count"] == 1


async def test_the_warehouse_ready_soonest_is_taken_and_remembered(
    ada: ToolCall, workspace: DatabricksSandbox
) -> None:
    first = await run(ada, "SELECT 1")
    await run(ada, "SELECT 2")
    assert first["warehouse"] in (STARTER, FINANCE)
    assert len([request for request in workspace.requests if request.path == "/api/2.0/sql/warehouses"]) == 1


async def test_a_warehouse_that_refuses_the_sender_is_passed_over(
    replica: Replica, workspace: DatabricksSandbox
) -> None:
    await link(replica, BEN)
    answer = await run(await tool_call(replica, BEN), "SELECT 1")
    assert answer["warehouse"] == STARTER
    assert [statement.user for statement in workspace.statements] == [BEN.email]


async def test_a_warehouse_asked_for_by_name_is_not_swapped_for_another(
    replica: Replica, workspace: DatabricksSandbox
) -> None:
    await link(replica, BEN)
    with pytest.raises(statements.WarehouseRefusedError):
        await run(await tool_call(replica, BEN), "SELECT 1", warehouse_id=FINANCE)
    assert workspace.statements == []


async def test_a_persons_choice_comes_before_the_workspaces_default(
    ada: ToolCall, workspace: DatabricksSandbox
) -> None:
    workspace.default_warehouse_id = NIGHTLY
    assert json.loads((await use(ada, "get_best_warehouse")).text)["id"] == NIGHTLY
    workspace.warehouse_overrides[ADA.email] = STARTER
    assert json.loads((await use(ada, "get_best_warehouse")).text)["id"] == STARTER


async def test_deleted_warehouses_are_not_listed(ada: ToolCall) -> None:
    listed = json.loads((await use(ada, "list_warehouses")).text)["warehouses"]
    assert {warehouse["name"] for warehouse in listed} == {
        "Serverless Starter",
        "Finance Serverless",
        "Nightly Pro",
    }


async def test_no_warehouse_at_all_is_said_plainly(ada: ToolCall, workspace: DatabricksSandbox) -> None:
    workspace.warehouses.clear()
    with pytest.raises(NoWarehouseError, match="CAN USE"):
        await run(ada, "SELECT 1")


async def test_an_unlinked_sender_runs_nothing_as_anybody(
    replica: Replica, workspace: DatabricksSandbox
) -> None:
    await link(replica, ADA)
    call = await tool_call(replica, ADA)
    await replica.service.logout(call.team_id, call.sender_id)
    with pytest.raises(errors.SignInNeededError):
        await run(call, "SELECT 1")
    assert workspace.statements == []


async def test_one_senders_slow_statements_do_not_hold_up_another(
    replica: Replica, database: Database, workspace: DatabricksSandbox
) -> None:
    for person in (ADA, BEN):
        await link(replica, person)
    ada, ben = await tool_call(replica, ADA), await tool_call(replica, BEN)
    slow: list[asyncio.Task[Any]] = [
        asyncio.create_task(run(ada, "SELECT sandbox_sleep(30)", warehouse_id=STARTER)) for _ in range(6)
    ]
    await until(lambda: len(workspace.statements) >= 4)
    async with asyncio.timeout(5):
        assert (await run(ben, "SELECT 1", warehouse_id=STARTER))["row_count"] == 1
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)
