"""What the handlers of every part share: the caller of a request, and reading its JSON body."""

import json

from aiohttp import web

from sandbox.databricks import accounts, errors

#: The account behind the bearer token; set before any handler of an API path runs.
ACCOUNT: web.RequestKey[accounts.Account] = web.RequestKey("account", accounts.Account)

JsonObject = dict[str, object]


async def json_body(request: web.Request) -> JsonObject:
    """The request's JSON object; an empty body counts as an empty object."""
    text = await request.text()
    if not text:
        return {}
    try:
        body = json.loads(text)
    except json.JSONDecodeError as error:
        raise errors.ApiError(
            400, "MALFORMED_REQUEST", f"Could not parse request object: {error.msg}"
        ) from error
    if not isinstance(body, dict):
        raise errors.ApiError(
            400, "MALFORMED_REQUEST", "Could not parse request object: expected a JSON object"
        )
    return body
