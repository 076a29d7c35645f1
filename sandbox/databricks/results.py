"""What the Statement Execution API sends back: status, manifest, chunks, and links to results outside.

Links lead to this server, but they behave like cloud storage: whoever has one may fetch it for 15 minutes, and a
request that also carries an Authorization header is refused.
"""

import csv
import datetime
import io
import json
import secrets
import time
from dataclasses import dataclass

from aiohttp import web

from sandbox.databricks import engine, errors, statements, values

_LINK_SECONDS = 900
_PATH = "/api/2.0/sql/statements"
_STORAGE_PATH = "/sandbox-storage/results"


@dataclass(frozen=True, kw_only=True)
class _Link:
    statement: statements.Statement
    chunk: int
    expires_at: float


class Results:
    """Shapes statements for the API and serves the links."""

    def __init__(self) -> None:
        #: Rows of a chunk; real chunks are cut by size, this is small so that tests meet several.
        self.chunk_rows = 1_000
        self.base_url = ""
        self._links: dict[str, _Link] = {}

    def routes(self) -> list[web.RouteDef]:
        """The routes outside of the API, which need no bearer token."""
        return [web.get(_STORAGE_PATH + "/{link}", self._fetch)]

    def response(self, statement: statements.Statement) -> dict[str, object]:
        """A statement's state, and its first chunk once it has succeeded."""
        body: dict[str, object] = {"statement_id": statement.id, "status": _status(statement)}
        if statement.state == "SUCCEEDED":
            body["manifest"] = self._manifest(statement)
            body["result"] = self.chunk(statement, 0) if statement.result.rows else {}
        return body

    def chunk(self, statement: statements.Statement, index: int) -> dict[str, object]:
        """One chunk, inline or as a link."""
        chunks = self._chunk_count(statement.result)
        if not 0 <= index < max(chunks, 1):
            raise errors.bad_request(
                f"The chunk index {index} is out of range: the result has {chunks} chunks."
            )
        rows = self._rows(statement.result, index)
        body: dict[str, object] = self._place(index, rows)
        if index + 1 < chunks:
            body["next_chunk_index"] = index + 1
            body["next_chunk_internal_link"] = self._chunk_path(statement, index + 1)
        if statement.submission.disposition == "INLINE":
            return {**body, "data_array": rows}
        content, _ = self._content(statement, index)
        return {"external_links": [{**body, "byte_count": len(content), **self._link(statement, index)}]}

    def _place(self, index: int, rows: tuple[values.Row, ...]) -> dict[str, object]:
        return {"chunk_index": index, "row_offset": index * self.chunk_rows, "row_count": len(rows)}

    def _rows(self, result: engine.ResultSet, index: int) -> tuple[values.Row, ...]:
        return result.rows[index * self.chunk_rows : (index + 1) * self.chunk_rows]

    def _chunk_count(self, result: engine.ResultSet) -> int:
        return -(-len(result.rows) // self.chunk_rows)

    def _chunk_path(self, statement: statements.Statement, index: int) -> str:
        external = "?row_offset=" + str(index * self.chunk_rows)
        return f"{_PATH}/{statement.id}/result/chunks/{index}{external}"

    def _manifest(self, statement: statements.Statement) -> dict[str, object]:
        result = statement.result
        count = self._chunk_count(result)
        body: dict[str, object] = {
            "format": statement.submission.format,
            "schema": _schema(result),
            "total_chunk_count": count,
            "total_row_count": len(result.rows),
            "truncated": result.truncated,
        }
        if count:
            body["chunks"] = [self._place(index, self._rows(result, index)) for index in range(count)]
        if statement.submission.disposition == "EXTERNAL_LINKS":
            body["total_byte_count"] = result.bytes
        return body

    def _link(self, statement: statements.Statement, index: int) -> dict[str, object]:
        token = secrets.token_urlsafe(32)
        self._links[token] = _Link(
            statement=statement, chunk=index, expires_at=time.monotonic() + _LINK_SECONDS
        )
        expiration = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=_LINK_SECONDS)
        return {
            "external_link": f"{self.base_url}{_STORAGE_PATH}/{token}",
            "expiration": expiration.isoformat(timespec="seconds").replace("+00:00", "Z"),
        }

    async def _fetch(self, request: web.Request) -> web.Response:
        if "Authorization" in request.headers:
            raise web.HTTPBadRequest(
                text="<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>",
                content_type="application/xml",
            )
        link = self._links.get(request.match_info["link"])
        if link is None or link.expires_at < time.monotonic():
            raise web.HTTPForbidden(
                text="<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
                content_type="application/xml",
            )
        content, content_type = self._content(link.statement, link.chunk)
        return web.Response(body=content, content_type=content_type)

    def _content(self, statement: statements.Statement, index: int) -> tuple[bytes, str]:
        rows = self._rows(statement.result, index)
        if statement.submission.format == "CSV":
            return _csv(statement.result, rows, header=index == 0), "text/csv"
        return json.dumps(rows, separators=(",", ":")).encode(), "application/json"


def _status(statement: statements.Statement) -> dict[str, object]:
    error = statement.error
    if error is None:
        return {"state": statement.state}
    details = {"error_code": error.error_code, "message": str(error)}
    return {"state": statement.state, "error": details, "sql_state": error.sql_state}


def _schema(result: engine.ResultSet) -> dict[str, object]:
    columns = [_column(position, column) for position, column in enumerate(result.columns)]
    return {"column_count": len(columns), "columns": columns} if columns else {"column_count": 0}


def _column(position: int, column: engine.ResultColumn) -> dict[str, object]:
    name = values.type_name(column.type)
    body: dict[str, object] = {
        "name": column.name,
        "position": position,
        "type_name": name,
        "type_text": column.type,
    }
    if name == "DECIMAL":
        precision, _, scale = column.type.removeprefix("DECIMAL(").removesuffix(")").partition(",")
        body |= {"type_precision": int(precision), "type_scale": int(scale)}
    return body


def _csv(result: engine.ResultSet, rows: tuple[values.Row, ...], *, header: bool) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if header:
        writer.writerow([column.name for column in result.columns])
    writer.writerows(["null" if cell is None else cell for cell in row] for row in rows)
    return out.getvalue().encode()
