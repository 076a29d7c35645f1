"""Bad weather on demand: slow answers and failures for the requests whose path begins with a prefix."""

import asyncio
import json
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(kw_only=True)
class _Failure:
    prefix: str
    status: int
    times: int
    body: object
    retry_after: int | None

    def response(self) -> web.Response:
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return web.Response(
            status=self.status,
            text=json.dumps(self.body),
            content_type="application/json",
            headers=headers,
        )


@dataclass(kw_only=True)
class Faults:
    """What goes wrong at the moment; a test sets it between two requests."""

    #: Seconds that a request waits before it is looked at, by path prefix; the longest matching prefix counts.
    latency: dict[str, float] = field(default_factory=dict)
    _failures: list[_Failure] = field(default_factory=list)

    def fail_next(
        self,
        path_prefix: str,
        status: int,
        *,
        times: int = 1,
        body: object = None,
        retry_after: int | None = None,
    ) -> None:
        """Answer the next ``times`` requests under this prefix with ``status`` and ``body`` (JSON)."""
        default = {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "The sandbox was told to fail."}
        self._failures.append(
            _Failure(
                prefix=path_prefix,
                status=status,
                times=times,
                body=default if body is None else body,
                retry_after=retry_after,
            )
        )

    def clear(self) -> None:
        """Fair weather."""
        self.latency.clear()
        self._failures.clear()

    async def delay(self, path: str) -> None:
        """Wait as long as this path has to."""
        matching = [prefix for prefix in self.latency if path.startswith(prefix)]
        if matching:
            await asyncio.sleep(self.latency[max(matching, key=len)])

    def failure(self, path: str) -> web.Response | None:
        """The failure that this request takes, if one is due."""
        for failure in self._failures:
            if path.startswith(failure.prefix):
                failure.times -= 1
                if failure.times <= 0:
                    self._failures.remove(failure)
                return failure.response()
        return None
