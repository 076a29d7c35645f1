"""``execute_sql``: one statement, as the sender, under the project's policy."""

from typing import Annotated

from pydantic import Field

from agent.databricks import errors, statements
from agent.tools import classify, results, warehouses
from agent.tools.registry import Effect, ToolCall, ToolResult, tool

DEFAULT_ROWS, MOST_ROWS = 200, 5_000
TIME_LIMIT = 600.0  # seconds, a starting warehouse included
PARSE_PATIENCE = 10.0  # seconds
WAREHOUSES_TRIED = 3


class ReadOnlyError(errors.DatabricksError):
    """The project's policy is read-only."""

    sentence = (
        "This project is read-only, and this statement changes data or cannot be told not to; nothing was run. "
        "A project admin can change the project's policy."
    )


class ApprovalNeededError(errors.DatabricksError):
    """The project's policy is to ask, and there is no way to ask yet."""

    sentence = (
        "This statement changes data or cannot be told not to, and approvals are not available yet; nothing was run. "
        "A project admin can set the project's policy to auto, which lets such statements run without asking."
    )


@tool(effect=Effect.WRITE, title="Run SQL")
async def execute_sql(
    call: ToolCall,
    *,
    statement: Annotated[str, "One SQL statement in Databricks SQL; several are refused."],
    warehouse_id: Annotated[str | None, "The SQL warehouse; without it the best one is taken."] = None,
    catalog: Annotated[str | None, "Catalog for names without one."] = None,
    schema: Annotated[str | None, "Schema for names without one."] = None,
    row_limit: Annotated[
        int,
        Field(ge=1, le=MOST_ROWS, description="Rows to return at most; prefer aggregates to large results."),
    ] = DEFAULT_ROWS,
) -> ToolResult:
    """Run one SQL statement on Databricks with the rights of the person who wrote the message.

    Returns JSON with columns, rows (values as text, null for NULL), row_count, truncated, statement_id, warehouse,
    and a note when something was left out.
    """
    await _allow(call, statement)
    runner = statements.Runner(client=call.identity.client(), pool=call.pool, key=call.identity.key)
    refused: statements.WarehouseRefusedError | None = None
    for warehouse in await _candidates(call, warehouse_id):
        wanted = statements.Statement(
            text=statement,
            warehouse_id=warehouse,
            row_limit=row_limit,
            catalog=catalog,
            schema=schema,
            tags=_tags(call),
        )
        try:
            rows = await runner.run(wanted, time_limit=TIME_LIMIT)
        except statements.WarehouseRefusedError as error:
            warehouses.forget(call.identity.client())
            refused = error
            continue
        return ToolResult(text=results.as_json(rows, warehouse=warehouse))
    raise refused or warehouses.NoWarehouseError


async def _allow(call: ToolCall, statement: str) -> None:
    """Raises unless the policy lets this statement run. Parsing is work, so it happens off the loop."""
    effect = await call.pool.call(
        (call.identity.key, "parse"), classify.effect, statement, timeout=PARSE_PATIENCE
    )
    if effect is Effect.READ or call.policy == "auto":
        return
    raise ApprovalNeededError if call.policy == "ask" else ReadOnlyError


async def _candidates(call: ToolCall, warehouse_id: str | None) -> list[str]:
    """The warehouse asked for, or the best ones: where the first refuses the sender, the next may not."""
    if warehouse_id:
        return [warehouse_id]
    return [warehouse.id for warehouse in (await warehouses.ranked(call))[:WAREHOUSES_TRIED]]


def _tags(call: ToolCall) -> dict[str, str]:
    return {
        "bricklayer_turn": str(call.turn_id),
        "bricklayer_project": call.project_id,
        "bricklayer_sender": f"{call.team_id}/{call.sender_id}",
    }
