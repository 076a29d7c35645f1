"""SQL warehouses: their states, who may use them, and which one is whose default.

A stopped warehouse starts when it is told to or when a statement arrives, and takes ``start_seconds`` for it.
Fields and states: docs.databricks.com/api/workspace/warehouses.
"""

import asyncio
from dataclasses import dataclass, field

from aiohttp import web

from sandbox.databricks import accounts, errors, parts

_USABLE = {"RUNNING", "STARTING", "STOPPED", "STOPPING"}


@dataclass(kw_only=True)
class Warehouse:
    """A SQL warehouse; ``state`` changes as it is used."""

    id: str
    name: str
    state: str = "RUNNING"
    serverless: bool = True
    cluster_size: str = "2X-Small"
    #: User names that may not see or use it.
    denied: frozenset[str] = frozenset()
    #: Seconds from STARTING to RUNNING.
    start_seconds: float = 0.5
    _starting: asyncio.Task[None] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Begin to start, unless it runs or is starting already."""
        if self.state not in {"STOPPED", "STOPPING"}:
            return
        self.state = "STARTING"
        self._starting = asyncio.create_task(self._become_running(), name=f"warehouse {self.id} starts")

    def stop(self) -> None:
        """Stop at once."""
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None
        if self.state in _USABLE:
            self.state = "STOPPED"

    async def ready(self) -> None:
        """Return when it runs, starting it if need be; raise when it never will."""
        self.start()
        if self._starting is not None:
            await asyncio.wait({self._starting})
        if self.state != "RUNNING":
            raise errors.SqlError(
                "WAREHOUSE_UNAVAILABLE", f"Warehouse {self.id} is {self.state}.", sql_state="58000"
            )

    async def _become_running(self) -> None:
        await asyncio.sleep(self.start_seconds)
        self.state = "RUNNING"
        self._starting = None

    def resource(self, *, base_url: str) -> dict[str, object]:
        """The warehouse as the API shows it."""
        running = self.state == "RUNNING"
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "size": self.cluster_size,
            "cluster_size": self.cluster_size,
            "warehouse_type": "PRO",
            "enable_serverless_compute": self.serverless,
            "auto_stop_mins": 10,
            "min_num_clusters": 1,
            "max_num_clusters": 1,
            "num_clusters": int(running),
            "num_active_sessions": 0,
            "creator_name": accounts.PEOPLE[0].user_name,
            "enable_photon": True,
            "channel": {"name": "CHANNEL_NAME_CURRENT"},
            "odbc_params": {
                "hostname": base_url.partition("://")[2],
                "path": f"/sql/1.0/warehouses/{self.id}",
                "protocol": "https",
                "port": 443,
            },
            "health": {"status": "HEALTHY"} if running else {},
        }


def _initial() -> list[Warehouse]:
    return [
        Warehouse(id="8f3a1c5d2b6e4f70", name="Serverless Starter"),
        Warehouse(
            id="2d9b7e4a6c1f3058", name="Nightly Pro", state="STOPPED", serverless=False, cluster_size="Small"
        ),
        Warehouse(
            id="5e0c8a2f9d7b1463",
            name="Finance Serverless",
            denied=frozenset({"ben@brickfield.example", "gus@contractor.example"}),
        ),
        Warehouse(id="1a6d4f8c0e2b9357", name="Old Classic", state="DELETED", serverless=False),
    ]


class Warehouses:
    """The warehouses of one workspace, and the routes that show them."""

    def __init__(self) -> None:
        self.all: dict[str, Warehouse] = {warehouse.id: warehouse for warehouse in _initial()}
        #: The workspace's default (a setting), and per user name an override of it.
        self.default_id: str | None = None
        self.overrides: dict[str, str] = {}
        self.base_url = ""

    def add(self, warehouse: Warehouse) -> Warehouse:
        """Put one more warehouse into the workspace."""
        self.all[warehouse.id] = warehouse
        return warehouse

    def usable_by(self, account: accounts.Account, warehouse_id: str) -> Warehouse:
        """The warehouse, if this account may use it; ``ApiError`` otherwise."""
        warehouse = self.all.get(warehouse_id)
        if warehouse is None:
            raise errors.not_found(f"SQL warehouse {warehouse_id} does not exist.")
        if account.user_name in warehouse.denied:
            raise errors.denied(
                f"{account.user_name} does not have CAN USE permission on SQL warehouse {warehouse_id}."
            )
        return warehouse

    def stop_all(self) -> None:
        """Cancel every start that is under way."""
        for warehouse in self.all.values():
            warehouse.stop()

    def routes(self) -> list[web.RouteDef]:
        """The routes of this part."""
        base = "/api/2.0/sql/warehouses"
        overrides = "/api/warehouses/v1/default-warehouse-overrides"
        return [
            web.get(base, self._list),
            web.get(base + "/{id}", self._get),
            web.post(base + "/{id}/start", self._start),
            web.post(base + "/{id}/stop", self._stop),
            web.get("/api/2.0/settings/types/default_warehouse_id/names/default", self._default),
            web.get(overrides, self._list_overrides),
            web.get(overrides + "/{user}", self._override),
        ]

    async def _list(self, _request: web.Request) -> web.Response:
        warehouses = [warehouse.resource(base_url=self.base_url) for warehouse in self.all.values()]
        return web.json_response({"warehouses": warehouses})

    async def _get(self, request: web.Request) -> web.Response:
        warehouse = self.usable_by(request[parts.ACCOUNT], request.match_info["id"])
        return web.json_response(warehouse.resource(base_url=self.base_url))

    async def _start(self, request: web.Request) -> web.Response:
        warehouse = self.usable_by(request[parts.ACCOUNT], request.match_info["id"])
        if warehouse.state not in _USABLE:
            raise errors.bad_request(
                f"SQL warehouse {warehouse.id} is {warehouse.state} and cannot be started."
            )
        warehouse.start()
        return web.json_response({})

    async def _stop(self, request: web.Request) -> web.Response:
        self.usable_by(request[parts.ACCOUNT], request.match_info["id"]).stop()
        return web.json_response({})

    async def _default(self, _request: web.Request) -> web.Response:
        if self.default_id is None:
            raise errors.ApiError(404, "NOT_FOUND", "default_warehouse_id is not set for this workspace.")
        value = {"value": self.default_id}
        return web.json_response({"setting_name": "default", "etag": "sandbox", "string_val": value})

    async def _list_overrides(self, request: web.Request) -> web.Response:
        account = request[parts.ACCOUNT]
        mine = [self._override_of(account)] if account.user_name in self.overrides else []
        return web.json_response({"default_warehouse_overrides": mine})

    async def _override(self, request: web.Request) -> web.Response:
        account = request[parts.ACCOUNT]
        if request.match_info["user"] not in {"me", account.id}:
            raise errors.denied("Only workspace admins can read the overrides of others.")
        return web.json_response(self._override_of(account))

    def _override_of(self, account: accounts.Account) -> dict[str, object]:
        warehouse_id = self.overrides.get(account.user_name)
        if warehouse_id is None:
            raise errors.not_found(f"No default warehouse override exists for user {account.id}.")
        return {
            "name": f"default-warehouse-overrides/{account.id}",
            "default_warehouse_override_id": account.id,
            "type": "CUSTOM",
            "warehouse_id": warehouse_id,
        }
