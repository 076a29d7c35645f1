"""Lakebase credentials through the real SDK."""

import datetime

import httpx
import pytest
from databricks.sdk import errors

from sandbox.databricks import DatabricksSandbox
from tests.unit.sandbox_databricks.conftest import Sdk

ENDPOINT = "projects/bricklayer/branches/production/endpoints/primary"


async def test_a_provisioned_instance_gives_host_and_credential(
    workspace: DatabricksSandbox, sdk: Sdk
) -> None:
    workspace.lakebase.host = "db.example"
    instance = await sdk.ask(lambda client: client.database.get_database_instance("bricklayer"))
    credential = await sdk.ask(
        lambda client: client.database.generate_database_credential(
            request_id="r", instance_names=["bricklayer"]
        )
    )
    assert instance.read_write_dns == "db.example"
    assert workspace.lakebase.issued == [("ada@brickfield.example", credential.token)]
    expires = datetime.datetime.fromisoformat(credential.expiration_time or "")
    assert datetime.timedelta(minutes=59) < expires - datetime.datetime.now(datetime.UTC)


async def test_an_autoscaling_endpoint_gives_host_and_credential(
    workspace: DatabricksSandbox, sdk: Sdk
) -> None:
    workspace.lakebase.password = "known"
    endpoint = await sdk.ask(lambda client: client.postgres.get_endpoint(ENDPOINT))
    credential = await sdk.ask(lambda client: client.postgres.generate_database_credential(ENDPOINT))
    assert endpoint.status is not None
    assert endpoint.status.hosts is not None
    assert endpoint.status.hosts.host == "127.0.0.1"
    assert credential.token == "known"
    assert credential.expire_time is not None


async def test_what_does_not_exist_is_not_found(sdk: Sdk) -> None:
    with pytest.raises(errors.NotFound):
        await sdk.ask(lambda client: client.database.get_database_instance("other"))
    with pytest.raises(errors.NotFound):
        await sdk.ask(lambda client: client.postgres.generate_database_credential(ENDPOINT + "x"))


async def test_a_lifetime_outside_of_the_range_is_refused(workspace: DatabricksSandbox) -> None:
    async with httpx.AsyncClient(headers={"Authorization": "Bearer dapi-ada"}) as http:
        answer = await http.post(
            f"{workspace.url}/api/2.0/postgres/credentials", json={"endpoint": ENDPOINT, "ttl": "60s"}
        )
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
