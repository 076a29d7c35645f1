"""The bad days of Slack, on request: slow answers, errors, lost answers, dropped and refused sockets."""

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Protocol

EVERY_METHOD = "*"


@dataclass(frozen=True, kw_only=True)
class Failure:
    """How one call goes wrong."""

    error: str = "internal_error"
    status: int = 200
    #: Seconds for the ``Retry-After`` header.
    retry_after: int | None = None
    #: The call takes effect, then the connection breaks before the answer arrives.
    lose_answer: bool = False


class Sockets(Protocol):
    """The faults' hands on the Socket Mode connections."""

    def drop(self) -> asyncio.Task[None]:
        """Break every connection without a word."""

    def disconnect(self, reason: str) -> asyncio.Task[None]:
        """Say goodbye for this reason, then close."""


@dataclass(kw_only=True)
class Faults:
    """Switches that may be turned at any time; all are off at the start."""

    #: Seconds added before a method is carried out; the key ``"*"`` stands for every method.
    latency: dict[str, float] = field(default_factory=dict)
    #: Deliver every event twice, under the same event id.
    duplicate_events: bool = False
    #: Answer WebSocket connections and ``apps.connections.open`` with an error.
    refuse_connections: bool = False
    _failures: dict[str, deque[Failure]] = field(default_factory=lambda: defaultdict(deque))
    _sockets: Sockets | None = None

    def attach(self, sockets: Sockets) -> None:
        """Give the faults their hands on the sockets."""
        self._sockets = sockets

    def fail_next(
        self,
        method: str,
        error: str = "internal_error",
        *,
        status: int = 200,
        times: int = 1,
        retry_after: int | None = None,
        lose_answer: bool = False,
    ) -> None:
        """Let the next calls of ``method`` (``"*"``: of any) fail with this error or HTTP status."""
        failure = Failure(error=error, status=status, retry_after=retry_after, lose_answer=lose_answer)
        self._failures[method].extend([failure] * times)

    def take(self, method: str) -> Failure | None:
        """The failure that this call is to meet, used up by asking."""
        for key in (method, EVERY_METHOD):
            if self._failures[key]:
                return self._failures[key].popleft()
        return None

    def delay(self, method: str) -> float:
        """Seconds to wait before this call is carried out."""
        return self.latency.get(method, self.latency.get(EVERY_METHOD, 0.0))

    def drop_sockets(self) -> asyncio.Task[None]:
        """Break every Socket Mode connection without a word; the returned task may be awaited."""
        return self._hands().drop()

    def disconnect(self, reason: str = "refresh_requested") -> asyncio.Task[None]:
        """Ask every connection to go (docs.slack.dev/apis/events-api/using-socket-mode), then close it.

        Reasons: "warning" (which only announces), "refresh_requested", "link_disabled", "too_many_websockets".
        The returned task may be awaited.
        """
        return self._hands().disconnect(reason)

    def _hands(self) -> Sockets:
        if self._sockets is None:
            raise RuntimeError("The sandbox's Slack is not started: there are no sockets to break.")
        return self._sockets
