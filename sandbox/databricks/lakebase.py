"""Lakebase: credentials for a Postgres and where it listens, for provisioned instances and autoscaling endpoints.

Only the control plane is played (docs.databricks.com/api/workspace/database and …/postgres); ``host`` and ``password``
may point at any Postgres that a test has.
"""

import datetime
import re
import secrets

from aiohttp import web

from sandbox.databricks import errors, parts

_MIN_SECONDS = 300
_MAX_SECONDS = 3600


class Lakebase:
    """The databases of one sandbox."""

    def __init__(self) -> None:
        #: The host name given out for every database.
        self.host = "127.0.0.1"
        #: The token given out; None makes a new one each time.
        self.password: str | None = None
        #: Names of the provisioned instances.
        self.instances = {"bricklayer"}
        #: Resource names of the autoscaling endpoints.
        self.endpoints = {"projects/bricklayer/branches/production/endpoints/primary"}
        #: Seconds until a provisioned credential expires.
        self.credential_seconds = _MAX_SECONDS
        #: (user name, token) of each credential given out, oldest first.
        self.issued: list[tuple[str, str]] = []

    def routes(self) -> list[web.RouteDef]:
        """The routes of this part."""
        return [
            web.post("/api/2.0/database/credentials", self._instance_credential),
            web.get("/api/2.0/database/instances/{name}", self._instance),
            web.post("/api/2.0/postgres/credentials", self._endpoint_credential),
            web.get("/api/2.0/postgres/{name:projects/[^/]+/branches/[^/]+/endpoints/[^/]+}", self._endpoint),
        ]

    async def _instance_credential(self, request: web.Request) -> web.Response:
        body = await parts.json_body(request)
        asked = body.get("instance_names")
        wanted = [str(name) for name in asked] if isinstance(asked, list) else []
        if not wanted:
            raise errors.bad_request("instance_names must name at least one instance")
        for name in wanted:
            self._require(name, self.instances)
        token = self._token(request)
        return web.json_response({"token": token, "expiration_time": _in(self.credential_seconds)})

    async def _instance(self, request: web.Request) -> web.Response:
        name = self._require(request.match_info["name"], self.instances)
        instance = {
            "name": name,
            "uid": f"uid-{name}",
            "state": "AVAILABLE",
            "capacity": "CU_1",
            "pg_version": "PG_VERSION_16",
            "read_write_dns": self.host,
            "stopped": False,
        }
        return web.json_response(instance)

    async def _endpoint_credential(self, request: web.Request) -> web.Response:
        body = await parts.json_body(request)
        self._require(str(body.get("endpoint") or ""), self.endpoints)
        seconds = _ttl(str(body.get("ttl") or f"{_MAX_SECONDS}s"))
        return web.json_response({"token": self._token(request), "expire_time": _in(seconds)})

    async def _endpoint(self, request: web.Request) -> web.Response:
        name = self._require(request.match_info["name"], self.endpoints)
        endpoint = {
            "name": name,
            "parent": name.partition("/endpoints/")[0],
            "uid": "ep-sandbox",
            "status": {
                "current_state": "ACTIVE",
                "endpoint_type": "ENDPOINT_TYPE_READ_WRITE",
                "hosts": {"host": self.host},
            },
        }
        return web.json_response(endpoint)

    def _require(self, name: str, known: set[str]) -> str:
        if name not in known:
            raise errors.ApiError(404, "NOT_FOUND", f"{name!r} does not exist.")
        return name

    def _token(self, request: web.Request) -> str:
        token = self.password or f"lakebase-{secrets.token_urlsafe(24)}"
        self.issued.append((request[parts.ACCOUNT].user_name, token))
        return token


def _ttl(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)s", text)
    seconds = float(found[1]) if found else -1
    if not _MIN_SECONDS <= seconds <= _MAX_SECONDS:
        raise errors.bad_request("ttl must be between 300 and 3600 seconds")
    return seconds


def _in(seconds: float) -> str:
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
