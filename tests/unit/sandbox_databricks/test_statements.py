"""Statement Execution through the real SDK: results, limits, waiting, cancel, ownership."""

import asyncio
from typing import Any

import httpx
import pytest
from databricks.sdk import errors
from databricks.sdk.service import sql

from sandbox.databricks import DatabricksSandbox
from tests.unit.sandbox_databricks.conftest import (
    FINANCE,
    STARTER,
    STOPPED,
    Sdk,
    failure,
    rows,
)


async def test_every_value_arrives_as_text_and_null_stays_null(sdk: Sdk) -> None:
    response = await sdk.execute("SELECT 1 AS i, 1.5D AS d, true AS b, DATE'2026-01-02' AS t, NULL AS n")
    assert rows(response) == [["1", "1.5", "true", "2026-01-02", None]]


async def test_the_manifest_names_databricks_types(sdk: Sdk) -> None:
    response = await sdk.execute("SELECT order_id, amount, order_date FROM main.sales.orders LIMIT 1")
    assert response.manifest is not None
    assert response.manifest.schema is not None
    columns = response.manifest.schema.columns or []
    assert [column.type_text for column in columns] == ["BIGINT", "DECIMAL(12,2)", "DATE"]
    assert columns[0].type_name is sql.ColumnInfoTypeName.LONG
    assert (columns[1].type_precision, columns[1].type_scale) == (12, 2)


async def test_chunks_lead_to_one_another(sdk: Sdk) -> None:
    response = await sdk.execute("SELECT id FROM range(2500)")
    first = response.result
    assert first is not None
    assert first.next_chunk_index == 1
    assert (first.next_chunk_internal_link or "").startswith("/api/2.0/sql/statements/")
    statement_id = response.statement_id or ""
    last = await sdk.ask(lambda c: c.statement_execution.get_statement_result_chunk_n(statement_id, 2))
    assert (last.row_offset, last.row_count, last.next_chunk_index) == (2000, 500, None)


async def test_a_row_limit_truncates_and_says_so(sdk: Sdk) -> None:
    cut = await sdk.execute("SELECT id FROM range(10)", row_limit=3)
    whole = await sdk.execute("SELECT id FROM range(3)", row_limit=3)
    assert rows(cut) == [["0"], ["1"], ["2"]]
    assert cut.manifest is not None
    assert cut.manifest.truncated is True
    assert whole.manifest is not None
    assert whole.manifest.truncated is False


async def test_a_byte_limit_truncates_and_says_so(sdk: Sdk) -> None:
    response = await sdk.execute("SELECT repeat('x', 100) FROM range(10)", byte_limit=350)
    assert len(rows(response)) == 3
    assert response.manifest is not None
    assert response.manifest.truncated is True


async def test_an_inline_result_over_the_limit_fails(workspace: DatabricksSandbox, sdk: Sdk) -> None:
    workspace.inline_bytes = 1_000
    response = await sdk.execute("SELECT repeat('x', 100) FROM range(100)")
    assert "disposition=EXTERNAL_LINKS" in failure(response)


async def test_an_external_link_is_fetched_without_our_token(sdk: Sdk) -> None:
    response = await sdk.execute("SELECT id FROM range(3)", disposition=sql.Disposition.EXTERNAL_LINKS)
    assert response.result is not None
    [link] = response.result.external_links or []
    async with httpx.AsyncClient() as http:
        with_token = await http.get(link.external_link or "", headers={"Authorization": "Bearer dapi-ada"})
        without = await http.get(link.external_link or "")
    assert with_token.status_code == 400
    assert without.json() == [["0"], ["1"], ["2"]]


async def test_csv_has_a_header_and_spells_null(sdk: Sdk) -> None:
    response = await sdk.execute(
        "SELECT 1 AS a, NULL AS b", disposition=sql.Disposition.EXTERNAL_LINKS, format=sql.Format.CSV
    )
    assert response.result is not None
    [link] = response.result.external_links or []
    async with httpx.AsyncClient() as http:
        assert (await http.get(link.external_link or "")).text == "a,b\n1,null\n"


async def test_named_parameters_are_typed(sdk: Sdk) -> None:
    parameters = [
        sql.StatementParameterListItem(name="region", value="West"),
        sql.StatementParameterListItem(name="n", value="2", type="INT"),
        sql.StatementParameterListItem(name="nothing"),
    ]
    response = await sdk.execute("SELECT :region, :n + 1, :nothing", parameters=parameters)
    assert rows(response) == [["West", "3", None]]


async def test_a_failed_statement_is_an_answer_and_not_an_http_error(sdk: Sdk) -> None:
    response = await sdk.execute("SELECT * FROM main.sales.ordrs")
    assert response.status is not None
    assert response.status.state is sql.StatementState.FAILED
    assert failure(response).startswith("[TABLE_OR_VIEW_NOT_FOUND] The table or view `main`.`sales`.`ordrs`")
    assert response.status.sql_state == "42P01"


async def test_a_slow_statement_goes_on_after_the_wait(workspace: DatabricksSandbox, sdk: Sdk) -> None:
    response = await sdk.execute("SELECT sandbox_sleep(0.3)", wait_timeout="0s")
    assert response.status is not None
    assert response.status.state is sql.StatementState.PENDING
    await asyncio.wait_for(workspace.statements[-1].ended.wait(), 5)
    statement_id = response.statement_id or ""
    assert rows(await sdk.ask(lambda c: c.statement_execution.get_statement(statement_id))) == [["0.3"]]


async def test_cancel_ends_a_sleeping_statement_at_once(workspace: DatabricksSandbox, sdk: Sdk) -> None:
    response = await sdk.execute("SELECT sandbox_sleep(60)", wait_timeout="0s")
    await sdk.cancel(response)
    assert workspace.statements[-1].state == "CANCELED"


async def test_cancel_interrupts_a_computing_statement(workspace: DatabricksSandbox, sdk: Sdk) -> None:
    response = await sdk.execute(
        "SELECT count(*) FROM range(100000000000) WHERE id % 7 = 3", wait_timeout="0s"
    )
    await asyncio.sleep(0.3)
    await sdk.cancel(response)
    # The worker thread is free again, or stopping the sandbox would hang.
    await asyncio.wait_for(workspace.stop(), 5)


async def test_a_statement_on_a_stopped_warehouse_waits_for_its_start(
    workspace: DatabricksSandbox, sdk: Sdk
) -> None:
    pending = await sdk.execute("SELECT 1", warehouse_id=STOPPED, wait_timeout="0s")
    assert pending.status is not None
    assert pending.status.state is sql.StatementState.PENDING
    assert workspace.warehouses[STOPPED].state == "STARTING"
    assert rows(await sdk.execute("SELECT 2", warehouse_id=STOPPED)) == [["2"]]


async def test_a_statement_belongs_to_who_sent_it(sdk: Sdk) -> None:
    response = await sdk.execute("SELECT 1")
    statement_id = response.statement_id or ""
    with pytest.raises(errors.PermissionDenied):
        await sdk.ask(lambda c: c.statement_execution.get_statement(statement_id), token="dapi-ben")


async def test_a_warehouse_may_be_closed_to_somebody(sdk: Sdk) -> None:
    with pytest.raises(errors.PermissionDenied):
        await sdk.execute("SELECT 1", token="dapi-ben", warehouse_id=FINANCE)
    assert rows(await sdk.execute("SELECT 1", token="dapi-cleo", warehouse_id=FINANCE)) == [["1"]]


@pytest.mark.parametrize(
    "options",
    [
        {"wait_timeout": "3s"},
        {"wait_timeout": "51s"},
        {"format": sql.Format.CSV},
        {"row_limit": 0},
        {"wait_timeout": "0s", "on_wait_timeout": sql.ExecuteStatementRequestOnWaitTimeout.CANCEL},
    ],
)
async def test_requests_that_the_real_service_refuses_are_refused(sdk: Sdk, options: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidParameterValue):
        await sdk.execute("SELECT 1", **options)


async def test_statements_run_side_by_side(sdk: Sdk) -> None:
    started = asyncio.get_running_loop().time()
    await asyncio.gather(*(sdk.execute("SELECT sandbox_sleep(0.5)") for _ in range(4)))
    assert asyncio.get_running_loop().time() - started < 1.5


async def test_query_tags_are_kept(workspace: DatabricksSandbox, sdk: Sdk) -> None:
    await sdk.execute("SELECT 1", query_tags=[sql.QueryTag(key="turn", value="42"), sql.QueryTag(key="bot")])
    assert workspace.statements[-1].submission.tags == (("turn", "42"), ("bot", None))
    assert workspace.statements[-1].submission.warehouse_id == STARTER


async def test_a_bug_of_the_sandbox_fails_the_statement_and_hangs_nobody(sdk: Sdk) -> None:
    response = await sdk.execute("SELECT sandbox_sleep('soon')")
    assert failure(response).startswith("[INTERNAL_ERROR]")


async def test_a_closed_statement_has_no_result(workspace: DatabricksSandbox, sdk: Sdk) -> None:
    response = await sdk.execute("SELECT 1")
    workspace.statements[-1].close()
    statement_id = response.statement_id or ""
    closed = await sdk.ask(lambda client: client.statement_execution.get_statement(statement_id))
    assert closed.status is not None
    assert closed.status.state is sql.StatementState.CLOSED
    assert closed.result is None
