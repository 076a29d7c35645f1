"""Lakebase passwords come from the service's own OAuth client, in storage's shape."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from agent.databricks import errors, lakebase, oauth
from storage.lakebase import Credential, Endpoint
from tests.unit.databricks.wire import Wire, answers

ENDPOINT = "projects/p/branches/main/endpoints/primary"


@pytest.fixture
async def client(wire: Wire) -> AsyncIterator[oauth.OAuthClient]:
    root = f"{wire.url}/oidc"
    wire.answers["/oidc/.well-known/oauth-authorization-server"] = answers(
        {"authorization_endpoint": f"{root}/v1/authorize", "token_endpoint": f"{root}/v1/token"}
    )
    wire.answers["/oidc/v1/token"] = answers({"access_token": "service-token", "token_type": "Bearer"})
    client = oauth.OAuthClient(host=wire.url, client_id="sp-1", client_secret="secret", scopes=("all-apis",))
    yield client
    await client.close()


def login(wire: Wire, client: oauth.OAuthClient, instance: lakebase.Instance) -> lakebase.LakebaseLogin:
    return lakebase.LakebaseLogin(host=wire.url, client=client, client_id="sp-1", instance=instance)


async def test_an_autoscaling_endpoint_gives_a_credential(wire: Wire, client: oauth.OAuthClient) -> None:
    wire.answers["/api/2.0/postgres/credentials"] = answers(
        {"token": "pw", "expire_time": "2026-11-22T10:00:00Z"}
    )
    credential = await login(wire, client, lakebase.Autoscaling(endpoint=ENDPOINT)).mint()
    assert credential == Credential(token="pw", expires_at=datetime(2026, 11, 22, 10, tzinfo=UTC))
    assert wire.requests[-1].authorization == "Bearer service-token"


async def test_a_provisioned_instance_gives_a_credential(wire: Wire, client: oauth.OAuthClient) -> None:
    wire.answers["/api/2.0/database/credentials"] = answers(
        {"token": "pw", "expiration_time": "2026-11-22T10:00:00Z"}
    )
    credential = await login(wire, client, lakebase.Provisioned(instance="db")).mint()
    assert credential == Credential(token="pw", expires_at=datetime(2026, 11, 22, 10, tzinfo=UTC))
    assert wire.requests[-1].json["instance_names"] == ["db"]


async def test_the_address_is_looked_up_and_the_user_is_the_client_id(
    wire: Wire, client: oauth.OAuthClient
) -> None:
    wire.answers[f"/api/2.0/postgres/{ENDPOINT}"] = answers({"status": {"hosts": {"host": "pg.example"}}})
    found = await login(wire, client, lakebase.Autoscaling(endpoint=ENDPOINT)).endpoint(database="bricklayer")
    assert found == Endpoint(host="pg.example", user="sp-1", database="bricklayer")


async def test_an_instance_without_an_address_is_told(wire: Wire, client: oauth.OAuthClient) -> None:
    wire.answers["/api/2.0/database/instances/db"] = answers({"name": "db"})
    with pytest.raises(errors.NotFoundError, match="no address yet"):
        await login(wire, client, lakebase.Provisioned(instance="db")).endpoint(database="bricklayer")
