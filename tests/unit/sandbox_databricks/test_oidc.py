"""Sign-in against the stand-in with real OAuth clients: what works, and that everything else is refused."""

import asyncio
import base64
import hashlib
import json
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from databricks.sdk import oauth

from sandbox.databricks import DatabricksSandbox, oidc
from tests.unit.sandbox_databricks.conftest import Sdk

REDIRECT = "http://127.0.0.1:9000/auth/callback"
SCOPE = "all-apis offline_access"
VERIFIER = "v" * 43
ME = "/api/2.0/preview/scim/v2/Me"
QUERY = {"client_id": "bricklayer", "redirect_uri": REDIRECT, "response_type": "code"}

Json = dict[str, object]


def challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


async def asked(workspace: DatabricksSandbox, **query: str) -> httpx.Response:
    """The authorize endpoint's answer, not followed."""
    async with httpx.AsyncClient() as browser:
        return await browser.get(f"{workspace.url}/oidc/v1/authorize", params=QUERY | query)


async def answered(workspace: DatabricksSandbox, **query: str) -> dict[str, str]:
    """What the redirect tells the client, after a request with state and PKCE."""
    pkce = {"code_challenge": challenge(VERIFIER), "code_challenge_method": "S256"}
    response = await asked(workspace, **{"state": "st", "scope": SCOPE, **pkce, **query})
    location = response.headers["Location"]
    assert location.startswith(REDIRECT)
    return {key: value[0] for key, value in parse_qs(urlsplit(location).query).items()}


async def exchanged(workspace: DatabricksSandbox, code: str, **changes: str | None) -> httpx.Response:
    """The token endpoint's answer to this code; a change to None leaves a field out."""
    form = {
        "grant_type": "authorization_code",
        "client_id": "bricklayer",
        "client_secret": "bricklayer-secret",
        "code": code,
        "code_verifier": VERIFIER,
        "redirect_uri": REDIRECT,
        **changes,
    }
    sent = {key: value for key, value in form.items() if value is not None}
    async with httpx.AsyncClient() as http:
        return await http.post(f"{workspace.url}/oidc/v1/token", data=sent)


def refusal(response: httpx.Response) -> tuple[int, object]:
    return response.status_code, response.json()["error"]


async def signed_in(workspace: DatabricksSandbox, name: str = "ada") -> Json:
    code = (await answered(workspace, login_as=name))["code"]
    token: Json = (await exchanged(workspace, code)).json()
    return token


async def refreshed(workspace: DatabricksSandbox, token: Json) -> httpx.Response:
    form = {"grant_type": "refresh_token", "refresh_token": str(token["refresh_token"])}
    async with httpx.AsyncClient(auth=("bricklayer", "bricklayer-secret")) as http:
        return await http.post(f"{workspace.url}/oidc/v1/token", data=form)


async def asked_me(workspace: DatabricksSandbox, token: object) -> httpx.Response:
    async with httpx.AsyncClient() as http:
        return await http.get(workspace.url + ME, headers={"Authorization": f"Bearer {token}"})


async def test_a_person_signs_in_and_acts_as_themselves(workspace: DatabricksSandbox, sdk: Sdk) -> None:
    token = await signed_in(workspace, "ben")
    assert token["scope"] == SCOPE
    assert token["expires_in"] == 3600
    me = await sdk.ask(lambda client: client.current_user.me(), token=str(token["access_token"]))
    assert me.user_name == "ben@brickfield.example"
    assert workspace.requests[-1].user == "ben@brickfield.example"


async def test_the_sdks_own_client_signs_in(workspace: DatabricksSandbox) -> None:
    def sign_in() -> str:
        client = oauth.OAuthClient(
            oidc_endpoints=oauth.get_workspace_endpoints(workspace.url),
            redirect_url=REDIRECT,
            client_id="bricklayer",
            client_secret="bricklayer-secret",
            scopes=SCOPE.split(),
        )
        consent = client.initiate_consent()
        answer = httpx.get(consent.authorization_url + "&login_as=cleo")
        parameters = {k: v[0] for k, v in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
        access_token: str = consent.exchange_callback_parameters(parameters).token().access_token
        return access_token

    token = await asyncio.to_thread(sign_in)
    assert (await asked_me(workspace, token)).json()["userName"] == "cleo@brickfield.example"


async def test_state_comes_back(workspace: DatabricksSandbox) -> None:
    assert (await answered(workspace, login_as="ada"))["state"] == "st"


async def test_denying_reaches_the_client(workspace: DatabricksSandbox) -> None:
    answer = await answered(workspace, deny="1")
    assert (answer["error"], answer["state"]) == ("access_denied", "st")


async def test_the_page_offers_the_people_and_no_stranger(workspace: DatabricksSandbox) -> None:
    page = (await asked(workspace)).text
    assert "Sign in to Databricks" in page
    assert "Ada Okafor" in page
    assert "Sam Rivera" not in page


@pytest.mark.parametrize(
    "change", [{"redirect_uri": "https://evil.example/callback"}, {"client_id": "somebody-else"}]
)
async def test_a_wrong_client_or_redirect_is_never_redirected(
    workspace: DatabricksSandbox, change: dict[str, str]
) -> None:
    answer = await asked(workspace, login_as="ada", **change)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


async def test_a_registered_redirect_is_accepted(workspace: DatabricksSandbox) -> None:
    registered = "https://bot.example/auth/callback"
    workspace.oauth.redirect_uris.append(registered)
    answer = await asked(workspace, login_as="ada", redirect_uri=registered)
    assert answer.headers["Location"].startswith(f"{registered}?code=")


async def test_an_unknown_scope_is_refused(workspace: DatabricksSandbox) -> None:
    assert (await answered(workspace, login_as="ada", scope="root"))["error"] == "invalid_scope"


async def test_a_code_works_once(workspace: DatabricksSandbox) -> None:
    code = (await answered(workspace, login_as="ada"))["code"]
    assert (await exchanged(workspace, code)).status_code == 200
    assert refusal(await exchanged(workspace, code)) == (400, "invalid_grant")


async def test_a_code_expires(workspace: DatabricksSandbox) -> None:
    workspace.oauth.code_seconds = -1
    code = (await answered(workspace, login_as="ada"))["code"]
    assert refusal(await exchanged(workspace, code)) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "change", [{"code_verifier": "w" * 43}, {"code_verifier": None}, {"redirect_uri": REDIRECT + "/other"}]
)
async def test_a_code_is_bound_to_verifier_and_redirect(
    workspace: DatabricksSandbox, change: dict[str, str | None]
) -> None:
    code = (await answered(workspace, login_as="ada"))["code"]
    assert refusal(await exchanged(workspace, code, **change)) == (400, "invalid_grant")


@pytest.mark.parametrize("secret", ["wrong", None])
async def test_a_wrong_secret_is_invalid_client(workspace: DatabricksSandbox, secret: str | None) -> None:
    code = (await answered(workspace, login_as="ada"))["code"]
    assert refusal(await exchanged(workspace, code, client_secret=secret)) == (401, "invalid_client")


async def test_a_public_client_needs_pkce_and_no_secret(workspace: DatabricksSandbox) -> None:
    workspace.oauth.public_client = True
    code = (await answered(workspace, login_as="ada"))["code"]
    assert (await exchanged(workspace, code, client_secret=None)).status_code == 200
    without_pkce = await asked(workspace, login_as="ada")
    assert "error=invalid_request" in without_pkce.headers["Location"]


async def test_without_offline_access_there_is_no_refresh_token(workspace: DatabricksSandbox) -> None:
    code = (await answered(workspace, login_as="ada", scope="sql"))["code"]
    token = (await exchanged(workspace, code)).json()
    assert token["scope"] == "sql"
    assert "refresh_token" not in token


async def test_a_refresh_rotates_and_is_written_down(workspace: DatabricksSandbox) -> None:
    token = await signed_in(workspace)
    answer = (await refreshed(workspace, token)).json()
    assert answer["refresh_token"] != token["refresh_token"]
    assert workspace.refreshes == [("ada@brickfield.example", token["refresh_token"])]
    assert (await asked_me(workspace, answer["access_token"])).status_code == 200


async def test_reusing_a_spent_refresh_token_kills_the_chain(workspace: DatabricksSandbox) -> None:
    first = await signed_in(workspace)
    second = (await refreshed(workspace, first)).json()
    reused = await refreshed(workspace, first)
    assert refusal(reused) == (400, "invalid_grant")
    assert refusal(await refreshed(workspace, second)) == (400, "invalid_grant")


async def test_a_server_may_return_no_new_refresh_token(workspace: DatabricksSandbox) -> None:
    workspace.oauth.single_use_refresh_tokens = False
    token = await signed_in(workspace)
    assert "refresh_token" not in (await refreshed(workspace, token)).json()
    assert (await refreshed(workspace, token)).status_code == 200


async def test_a_revoked_user_must_sign_in_again(workspace: DatabricksSandbox) -> None:
    workspace.oauth.dead_refresh_error = "invalid_request"
    ada, ben = await signed_in(workspace, "ada"), await signed_in(workspace, "ben")
    workspace.revoke_refresh_tokens("ada")
    answer = (await refreshed(workspace, ada)).json()
    assert answer["error"] == "invalid_request"
    assert "refresh token is invalid" in answer["error_description"].lower()
    assert (await refreshed(workspace, ben)).status_code == 200


async def test_expired_access_tokens_are_a_403(workspace: DatabricksSandbox) -> None:
    token = await signed_in(workspace)
    workspace.expire_access_tokens()
    answer = await asked_me(workspace, token["access_token"])
    assert answer.status_code == 403
    assert answer.json() == {"error_code": 403, "message": "Invalid access token."}
    assert workspace.requests[-1].user == "ada@brickfield.example"


async def test_revoke_ends_the_session(workspace: DatabricksSandbox) -> None:
    token = await signed_in(workspace)
    form = {"token": str(token["refresh_token"]), "token_type_hint": "refresh_token"}
    async with httpx.AsyncClient(auth=("bricklayer", "bricklayer-secret")) as http:
        assert (await http.post(f"{workspace.url}/oidc/v1/revoke", data=form)).status_code == 200
    assert (await asked_me(workspace, token["access_token"])).status_code == 401
    assert (await refreshed(workspace, token)).json()["error"] == "invalid_grant"


async def test_a_machine_gets_a_token_of_its_own(workspace: DatabricksSandbox, sdk: Sdk) -> None:
    machine = "5b2c1f0e-6f9d-4f0a-9d7e-0c1a5e2b7a11"
    async with httpx.AsyncClient(auth=(machine, oidc.SERVICE_PRINCIPAL_SECRET)) as http:
        form = {"grant_type": "client_credentials", "scope": "all-apis"}
        token = (await http.post(f"{workspace.url}/oidc/v1/token", data=form)).json()
    assert "refresh_token" not in token
    me = await sdk.ask(lambda client: client.current_user.me(), token=token["access_token"])
    assert me.user_name == machine


async def test_the_account_level_endpoints_work_alike(workspace: DatabricksSandbox) -> None:
    base = f"{workspace.url}/oidc/accounts/{oidc.ACCOUNT_ID}"
    async with httpx.AsyncClient() as http:
        found = (await http.get(f"{base}/.well-known/oauth-authorization-server")).json()
        query = QUERY | {"login_as": "cleo"}
        location = (await http.get(found["authorization_endpoint"], params=query)).headers["Location"]
        code = parse_qs(urlsplit(location).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
        secret = ("bricklayer", "bricklayer-secret")
        token = (await http.post(found["token_endpoint"], data=form, auth=secret)).json()
        wrong = await http.get(f"{workspace.url}/oidc/accounts/other/.well-known/openid-configuration")
    assert (await asked_me(workspace, token["access_token"])).json()["userName"] == "cleo@brickfield.example"
    assert wrong.status_code == 404


async def test_the_id_token_can_be_checked_with_the_published_key(workspace: DatabricksSandbox) -> None:
    code = (await answered(workspace, login_as="ada", scope="openid sql", nonce="n1"))["code"]
    token = (await exchanged(workspace, code)).json()["id_token"]
    async with httpx.AsyncClient() as http:
        [key] = (await http.get(f"{workspace.url}/oidc/jwks.json")).json()["keys"]
    claims = verified(token, key)
    assert (claims["email"], claims["nonce"]) == ("ada@brickfield.example", "n1")
    assert int(str(claims["exp"])) > time.time()


def verified(token: str, key: dict[str, str]) -> Json:
    """The claims of an ES256 token; ``InvalidSignature`` when the key did not sign it."""
    signed, _, signature = token.rpartition(".")
    raw = decoded(signature)
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    x, y = (int.from_bytes(decoded(key[name]), "big") for name in ("x", "y"))
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    public.verify(utils.encode_dss_signature(r, s), signed.encode(), ec.ECDSA(hashes.SHA256()))
    claims: Json = json.loads(decoded(signed.partition(".")[2]))
    return claims


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
