"""Bad weather through the real SDK."""

import asyncio

import httpx

from sandbox.databricks import DatabricksSandbox
from tests.unit.sandbox_databricks.conftest import Sdk

ME = "/api/2.0/preview/scim/v2/Me"


async def test_a_failure_hits_its_path_as_often_as_told(workspace: DatabricksSandbox) -> None:
    workspace.faults.fail_next("/api/2.0/preview", 500, times=2, body={"message": "down"})
    async with httpx.AsyncClient(headers={"Authorization": "Bearer dapi-ada"}) as http:
        statuses = [(await http.get(workspace.url + ME)).status_code for _ in range(3)]
        assert (await http.get(f"{workspace.url}/api/2.0/sql/warehouses")).status_code == 200
    assert statuses == [500, 500, 200]


async def test_the_sdk_obeys_retry_after(workspace: DatabricksSandbox, sdk: Sdk) -> None:
    workspace.faults.fail_next(ME, 429, retry_after=1)
    started = asyncio.get_running_loop().time()
    me = await sdk.ask(lambda client: client.current_user.me())
    assert me.user_name == "ada@brickfield.example"
    assert asyncio.get_running_loop().time() - started >= 1


async def test_latency_is_per_path(workspace: DatabricksSandbox) -> None:
    workspace.faults.latency["/api/2.0/preview"] = 0.2
    async with httpx.AsyncClient(headers={"Authorization": "Bearer dapi-ada"}) as http:
        slow = (await http.get(workspace.url + ME)).elapsed.total_seconds()
        workspace.faults.clear()
        fast = (await http.get(workspace.url + ME)).elapsed.total_seconds()
    assert slow >= 0.2
    assert fast < 0.2
