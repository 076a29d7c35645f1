"""The arguments of a Web API call: JSON, form fields and query parameters look the same to a method."""

import json
from typing import Any

from aiohttp import web

from sandbox.slack.errors import SlackError
from sandbox.slack.values import Json

_TRUE = ("1", "true", "True")


class Arguments:
    """Typed access to what the caller passed; values from forms arrive as text and are read accordingly."""

    def __init__(self, values: Json) -> None:
        self.values = {name: value for name, value in values.items() if value is not None}

    def has(self, name: str) -> bool:
        """Whether the caller passed this argument."""
        return name in self.values

    def text(self, name: str, default: str = "") -> str:
        """A string; numbers are taken as their digits."""
        value = self.values.get(name, default)
        return value if isinstance(value, str) else json.dumps(value)

    def need(self, name: str) -> str:
        """A string that must be there; ``invalid_arguments``."""
        value = self.text(name)
        if not value:
            raise missing(name)
        return value

    def flag(self, name: str) -> bool:
        """A boolean, false when absent."""
        value = self.values.get(name, False)
        return value in _TRUE if isinstance(value, str) else bool(value)

    def whole(self, name: str, default: int) -> int:
        """An integer; ``invalid_arguments`` when it is none."""
        try:
            return int(self.values.get(name, default))
        except (TypeError, ValueError):
            raise SlackError(
                "invalid_arguments", messages=(f"[ERROR] `{name}` must be an integer",)
            ) from None

    def array(self, name: str, *, error: str) -> list[Any] | None:
        """A list, or None when absent; ``error`` when it is something else."""
        value = self._parsed(name, error)
        if value is not None and not isinstance(value, list):
            raise SlackError(error)
        return value

    def record(self, name: str, *, error: str) -> Json | None:
        """An object, or None when absent; ``error`` when it is something else."""
        value = self._parsed(name, error)
        if value is not None and not isinstance(value, dict):
            raise SlackError(error)
        return value

    def _parsed(self, name: str, error: str) -> Any:
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(error) from None


def missing(name: str) -> SlackError:
    """The refusal of a call without a required argument."""
    return SlackError("invalid_arguments", messages=(f"[ERROR] missing required field: {name}",))


async def read(request: web.Request) -> Json:
    """All arguments of the request; ``invalid_json`` or ``json_not_object`` for a body that is not what it says."""
    values: Json = dict(request.query)
    if request.content_type == "application/json":
        return values | await _json_body(request)
    if request.method == "POST":
        form = await request.post()
        values |= {name: value for name, value in form.items() if isinstance(value, str)}
    return values


async def _json_body(request: web.Request) -> Json:
    try:
        body = json.loads(await request.text() or "{}")
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(body, dict):
        raise SlackError("json_not_object")
    return body
