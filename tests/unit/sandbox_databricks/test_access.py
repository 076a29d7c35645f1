"""Who is let in: bearer tokens, the identity behind them, and the log of requests."""

import httpx
import pytest
from databricks.sdk import errors

from sandbox.databricks import DatabricksSandbox
from tests.unit.sandbox_databricks.conftest import Sdk


@pytest.mark.parametrize("name", ["ada", "ben", "cleo", "shared"])
async def test_a_personal_token_is_its_owner(sdk: Sdk, name: str) -> None:
    me = await sdk.ask(lambda client: client.current_user.me(), token=f"dapi-{name}")
    assert me.user_name == f"{name}@brickfield.example"
    assert [email.value for email in me.emails or []] == [me.user_name]
    assert me.active is True


async def test_a_stranger_has_no_account(sdk: Sdk) -> None:
    with pytest.raises(errors.Unauthenticated):
        await sdk.ask(lambda client: client.current_user.me(), token="dapi-sam")


async def test_no_token_is_a_401(workspace: DatabricksSandbox) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{workspace.url}/api/2.0/preview/scim/v2/Me")
    assert (answer.status_code, answer.json()["error_code"]) == (401, 401)


async def test_an_unknown_path_is_an_endpoint_not_found(workspace: DatabricksSandbox) -> None:
    async with httpx.AsyncClient(headers={"Authorization": "Bearer dapi-ada"}) as http:
        answer = await http.get(f"{workspace.url}/api/2.0/nothing")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "ENDPOINT_NOT_FOUND")


async def test_every_request_is_written_down_with_its_user(workspace: DatabricksSandbox, sdk: Sdk) -> None:
    await sdk.execute("SELECT 1", token="dapi-ben")
    written = workspace.requests[-1]
    assert (written.method, written.path) == ("POST", "/api/2.0/sql/statements")
    assert (written.token, written.user) == ("dapi-ben", "ben@brickfield.example")
    assert isinstance(written.body, dict)
    assert written.body["statement"] == "SELECT 1"


async def test_the_workspace_describes_itself(workspace: DatabricksSandbox) -> None:
    async with httpx.AsyncClient() as http:
        metadata = (await http.get(f"{workspace.url}/.well-known/databricks-config")).json()
        found = (await http.get(f"{metadata['oidc_endpoint']}/.well-known/oauth-authorization-server")).json()
    assert found["token_endpoint"] == f"{workspace.url}/oidc/v1/token"
    assert found["code_challenge_methods_supported"] == ["S256"]
