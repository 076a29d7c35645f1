"""SQL warehouses: which there are for this sender, and which one to take.

The order follows what people wait for: their own choice, the workspace's default, then what answers soonest; a
stopped serverless warehouse starts in seconds, a stopped classic one in minutes. What was found is remembered for a
few minutes on the sender's own client, so that no sender can be shown another's.
"""

import json
import time
import weakref
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import structlog
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service import sql

from agent.databricks import errors
from agent.tools.registry import Effect, ToolCall, ToolResult, tool

log = structlog.get_logger(__name__)

REMEMBERED = 180.0  # seconds
PATIENCE = 45.0  # seconds
MY_OVERRIDE = "default-warehouse-overrides/me"

_GONE = frozenset({sql.State.DELETED, sql.State.DELETING})
# (serverless, state) from the soonest to answer to the latest; what is not listed comes last.
_SOONEST = (
    (True, sql.State.RUNNING),
    (True, sql.State.STARTING),
    (True, sql.State.STOPPED),
    (True, sql.State.STOPPING),
    (False, sql.State.RUNNING),
    (False, sql.State.STARTING),
)


@dataclass(frozen=True, kw_only=True)
class Warehouse:
    """A warehouse as the sender sees it."""

    id: str
    name: str
    state: str
    serverless: bool
    type: str
    size: str


class NoWarehouseError(errors.DatabricksError):
    """The sender may use no warehouse."""

    sentence = "You may use no SQL warehouse in this workspace. Ask a workspace admin for CAN USE on one."


_remembered: weakref.WeakKeyDictionary[WorkspaceClient, tuple[float, tuple[Warehouse, ...]]]
_remembered = weakref.WeakKeyDictionary()


@tool(effect=Effect.READ, title="List SQL warehouses")
async def list_warehouses(call: ToolCall) -> ToolResult:
    """List the SQL warehouses that the person you work for may use, best first, with state, type and size."""
    found = await ranked(call, fresh=True)
    return ToolResult(text=json.dumps({"warehouses": [asdict(warehouse) for warehouse in found]}))


@tool(effect=Effect.READ, title="Choose a SQL warehouse")
async def get_best_warehouse(call: ToolCall) -> ToolResult:
    """Name the SQL warehouse to use: the person's own default, the workspace's, or else the one ready soonest.

    execute_sql takes this one by itself when it is given none.
    """
    found = await ranked(call, fresh=True)
    return ToolResult(text=json.dumps(asdict(found[0])))


async def ranked(call: ToolCall, *, fresh: bool = False) -> tuple[Warehouse, ...]:
    """The sender's warehouses, best first and at least one; ``NoWarehouseError`` otherwise."""
    client = call.identity.client()
    known = _remembered.get(client)
    if known is not None and not fresh and known[0] > time.monotonic():
        return known[1]
    try:
        found = await call.pool.call(call.identity.key, _look, client, timeout=PATIENCE)
    except OSError as error:
        raise errors.from_sdk(error) from error
    if not found:
        raise NoWarehouseError
    _remembered[client] = (time.monotonic() + REMEMBERED, found)
    return found


def forget(client: WorkspaceClient) -> None:
    """What was remembered turned out to be wrong."""
    _remembered.pop(client, None)


def rank(found: Sequence[sql.EndpointInfo], preferred: Sequence[str] = ()) -> tuple[Warehouse, ...]:
    """Best first: the preferred ids in their order, then the soonest to answer, then by name; deleted ones left out."""
    usable = [warehouse for warehouse in found if warehouse.id and warehouse.state not in _GONE]
    return tuple(
        _warehouse(warehouse) for warehouse in sorted(usable, key=lambda one: _order(one, preferred))
    )


def _order(warehouse: sql.EndpointInfo, preferred: Sequence[str]) -> tuple[int, int, str]:
    wish = preferred.index(warehouse.id) if warehouse.id in preferred else len(preferred)
    readiness = (bool(warehouse.enable_serverless_compute), warehouse.state)
    soon = _SOONEST.index(readiness) if readiness in _SOONEST else len(_SOONEST)
    return wish, soon, warehouse.name or ""


def _warehouse(found: sql.EndpointInfo) -> Warehouse:
    return Warehouse(
        id=found.id or "",
        name=found.name or "",
        state=found.state.value if found.state else "UNKNOWN",
        serverless=bool(found.enable_serverless_compute),
        type=found.warehouse_type.value if found.warehouse_type else "",
        size=found.cluster_size or "",
    )


def _look(client: WorkspaceClient) -> tuple[Warehouse, ...]:
    """Runs in a thread."""
    preferred = [wish for wish in (_my_choice(client), _workspace_default(client)) if wish]
    return rank(list(client.warehouses.list()), preferred)


def _my_choice(client: WorkspaceClient) -> str | None:
    try:
        return client.warehouses.get_default_warehouse_override(MY_OVERRIDE).warehouse_id
    except DatabricksError as error:
        # Most people have none, and some workspaces do not know the question.
        log.debug("no warehouse override", reason=type(error).__name__)
        return None


def _workspace_default(client: WorkspaceClient) -> str | None:
    try:
        return client.settings.default_warehouse_id.get().string_val.value
    except DatabricksError as error:
        log.debug("no default warehouse", reason=type(error).__name__)
        return None
