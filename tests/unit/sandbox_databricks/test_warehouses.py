"""Warehouses through the real SDK."""

import asyncio

import pytest
from databricks.sdk import errors
from databricks.sdk.service import sql

from sandbox.databricks import DatabricksSandbox
from tests.unit.sandbox_databricks.conftest import FINANCE, STARTER, STOPPED, Sdk


async def test_the_list_has_every_kind(sdk: Sdk) -> None:
    found = await sdk.ask(lambda client: list(client.warehouses.list()))
    assert {warehouse.state for warehouse in found} == {
        sql.State.RUNNING,
        sql.State.STOPPED,
        sql.State.DELETED,
    }
    starter = next(warehouse for warehouse in found if warehouse.id == STARTER)
    assert starter.enable_serverless_compute is True


async def test_one_warehouse_is_closed_to_ben(sdk: Sdk) -> None:
    with pytest.raises(errors.PermissionDenied):
        await sdk.ask(lambda client: client.warehouses.get(FINANCE), token="dapi-ben")


async def test_a_warehouse_starts_and_stops(workspace: DatabricksSandbox, sdk: Sdk) -> None:
    workspace.warehouses[STOPPED].start_seconds = 0.05
    await sdk.ask(lambda client: client.warehouses.start(STOPPED))
    assert (await sdk.ask(lambda client: client.warehouses.get(STOPPED))).state in {
        sql.State.STARTING,
        sql.State.RUNNING,
    }
    await asyncio.sleep(0.1)
    assert (await sdk.ask(lambda client: client.warehouses.get(STOPPED))).state is sql.State.RUNNING
    await sdk.ask(lambda client: client.warehouses.stop(STOPPED))
    assert (await sdk.ask(lambda client: client.warehouses.get(STOPPED))).state is sql.State.STOPPED


async def test_defaults_are_absent_until_set(workspace: DatabricksSandbox, sdk: Sdk) -> None:
    with pytest.raises(errors.NotFound):
        await sdk.ask(lambda client: client.settings.default_warehouse_id.get())
    with pytest.raises(errors.NotFound):
        await sdk.ask(
            lambda client: client.warehouses.get_default_warehouse_override("default-warehouse-overrides/me")
        )
    workspace.default_warehouse_id = STARTER
    workspace.warehouse_overrides["ben@brickfield.example"] = STOPPED
    setting = await sdk.ask(lambda client: client.settings.default_warehouse_id.get())
    override = await sdk.ask(
        lambda client: client.warehouses.get_default_warehouse_override("default-warehouse-overrides/me"),
        token="dapi-ben",
    )
    assert setting.string_val.value == STARTER
    assert override.warehouse_id == STOPPED


async def test_an_added_warehouse_can_be_used(workspace: DatabricksSandbox, sdk: Sdk) -> None:
    added = workspace.add_warehouse("Mine", denied=frozenset({"ben@brickfield.example"}))
    await sdk.execute("SELECT 1", warehouse_id=added.id)
    with pytest.raises(errors.PermissionDenied):
        await sdk.execute("SELECT 1", warehouse_id=added.id, token="dapi-ben")
