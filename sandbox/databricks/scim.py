"""SCIM: who the caller is (docs.databricks.com/api/workspace/currentuser/me)."""

from aiohttp import web

from sandbox.databricks import accounts, parts


def routes() -> list[web.RouteDef]:
    """The routes of this part."""
    return [
        web.get("/api/2.0/preview/scim/v2/Me", me),
        web.get("/api/2.0/account/scim/v2/Me", me),
    ]


async def me(request: web.Request) -> web.Response:
    """``w.current_user.me()``."""
    return web.json_response(resource(request[parts.ACCOUNT]))


def resource(account: accounts.Account) -> dict[str, object]:
    """The SCIM resource of an account."""
    schema = "User" if account.kind == "user" else "ServicePrincipal"
    given, _, family = account.display_name.partition(" ")
    return {
        "schemas": [f"urn:ietf:params:scim:schemas:core:2.0:{schema}"],
        "id": account.id,
        "userName": account.user_name,
        "displayName": account.display_name,
        "name": {"givenName": given, "familyName": family},
        "active": True,
        "emails": _emails(account),
        "groups": [
            {"display": group, "value": str(900 + number), "type": "direct", "$ref": f"Groups/{900 + number}"}
            for number, group in enumerate(account.groups)
        ],
    }


def _emails(account: accounts.Account) -> list[dict[str, object]]:
    if account.kind != "user":
        return []
    return [{"type": "work", "value": account.user_name, "primary": True}]
