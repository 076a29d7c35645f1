"""The HTTP side of Statement Execution: reads and checks requests, waits as long as asked, cancels."""

import asyncio
import re
from typing import Literal

from aiohttp import web

from sandbox.databricks import errors, parts, plans, results, sample_data, statements

_PATH = "/api/2.0/sql/statements"
_MAX_TEXT_BYTES = 16 * 1024 * 1024
_MAX_TAGS = 20
_FORMATS: dict[statements.Disposition, tuple[str, ...]] = {
    "INLINE": ("JSON_ARRAY",),
    "EXTERNAL_LINKS": ("JSON_ARRAY", "CSV"),
}


class StatementRoutes:
    """The routes of this part."""

    def __init__(self, *, statements: statements.Statements, results: results.Results) -> None:
        self._statements = statements
        self._results = results

    def routes(self) -> list[web.RouteDef]:
        """The routes of this part."""
        return [
            web.post(_PATH, self._execute),
            web.get(_PATH + "/{id}", self._get),
            web.get(_PATH + "/{id}/result/chunks/{index:[0-9]+}", self._chunk),
            web.post(_PATH + "/{id}/cancel", self._cancel),
        ]

    async def _execute(self, request: web.Request) -> web.Response:
        body = await parts.json_body(request)
        seconds, on_timeout = _wait(body)
        statement = self._statements.submit(_submission(body, request))
        try:
            await asyncio.wait_for(statement.ended.wait(), timeout=seconds)
        except TimeoutError:
            if seconds and on_timeout == "CANCEL":
                self._statements.cancel(statement)
        return web.json_response(self._results.response(statement))

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self._results.response(self._statement(request)))

    async def _chunk(self, request: web.Request) -> web.Response:
        statement = self._statement(request)
        if statement.state != "SUCCEEDED":
            raise errors.bad_request(f"The statement {statement.id} is {statement.state} and has no result.")
        return web.json_response(self._results.chunk(statement, int(request.match_info["index"])))

    async def _cancel(self, request: web.Request) -> web.Response:
        self._statements.cancel(self._statement(request))
        return web.json_response({})

    def _statement(self, request: web.Request) -> statements.Statement:
        return self._statements.owned_by(request[parts.ACCOUNT], request.match_info["id"])


def _wait(body: parts.JsonObject) -> tuple[float, Literal["CONTINUE", "CANCEL"]]:
    text = str(body.get("wait_timeout") or "10s")
    found = re.fullmatch(r"(\d+)s", text)
    seconds = int(found[1]) if found else -1
    if seconds != 0 and not 5 <= seconds <= 50:
        raise errors.bad_request(
            "wait_timeout must be 0 seconds (disables wait), or between 5 seconds and 50 seconds"
        )
    match body.get("on_wait_timeout") or "CONTINUE":
        case "CANCEL" if seconds == 0:
            raise errors.bad_request("on_wait_timeout=CANCEL needs a wait_timeout above 0s")
        case "CANCEL":
            return seconds, "CANCEL"
        case "CONTINUE":
            return seconds, "CONTINUE"
        case other:
            raise errors.bad_request(f"on_wait_timeout must be CONTINUE or CANCEL, not {other}")


def _submission(body: parts.JsonObject, request: web.Request) -> statements.Submission:
    text = body.get("statement")
    if not isinstance(text, str) or not text.strip():
        raise errors.bad_request("statement must not be empty")
    if len(text.encode()) > _MAX_TEXT_BYTES:
        raise errors.bad_request("statement is larger than 16 MiB")
    warehouse_id = body.get("warehouse_id")
    if not warehouse_id:
        raise errors.bad_request("warehouse_id is required")
    disposition = _disposition(body)
    return statements.Submission(
        account=request[parts.ACCOUNT],
        text=text,
        warehouse_id=str(warehouse_id),
        catalog=str(body.get("catalog") or sample_data.CATALOG).lower(),
        schema=str(body.get("schema") or sample_data.DEFAULT_SCHEMA).lower(),
        parameters=tuple(_parameter(item) for item in _items(body, "parameters")),
        disposition=disposition,
        format=_format(body, disposition),
        row_limit=_limit(body, "row_limit"),
        byte_limit=_limit(body, "byte_limit"),
        tags=tuple(
            (str(tag.get("key")), _text(tag.get("value"))) for tag in _items(body, "query_tags")[:_MAX_TAGS]
        ),
    )


def _disposition(body: parts.JsonObject) -> statements.Disposition:
    match body.get("disposition") or "INLINE":
        case "INLINE":
            return "INLINE"
        case "EXTERNAL_LINKS":
            return "EXTERNAL_LINKS"
        case other:
            raise errors.bad_request(f"Unknown disposition {other}")


def _format(body: parts.JsonObject, disposition: statements.Disposition) -> str:
    wanted = str(body.get("format") or "JSON_ARRAY")
    if wanted not in _FORMATS[disposition]:
        raise errors.bad_request(f"The format {wanted} is not supported with disposition {disposition}.")
    return wanted


def _items(body: parts.JsonObject, key: str) -> list[parts.JsonObject]:
    found = body.get(key) or []
    if not isinstance(found, list):
        raise errors.bad_request(f"{key} must be an array")
    return [item for item in found if isinstance(item, dict)]


def _parameter(item: parts.JsonObject) -> plans.Parameter:
    name = item.get("name")
    if not name:
        raise errors.bad_request("Positional parameters are not supported; every parameter needs a name.")
    return plans.Parameter(
        name=str(name), value=_text(item.get("value")), type=str(item.get("type") or "STRING")
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _limit(body: parts.JsonObject, key: str) -> int | None:
    value = body.get(key)
    if value is None:
        return None
    try:
        limit = int(str(value))
    except ValueError as error:
        raise errors.bad_request(f"{key} must be a number") from error
    if limit < 1:
        raise errors.bad_request(f"{key} must be positive")
    return limit
