"""Errors in Anthropic's shape (docs.claude.com/en/api/errors)."""

from collections.abc import Mapping
from typing import Any

#: the type that a status carries when nothing else is said
TYPES: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}


class ApiError(Exception):
    """The request is refused with this status, type and sentence."""

    def __init__(
        self, status: int, message: str, *, type_: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.type = type_ or TYPES.get(status, "api_error")
        self.message = message
        self.retry_after = retry_after

    def body(self, *, request_id: str) -> dict[str, Any]:
        """The JSON body, which is also the data of an ``error`` event."""
        error = {"type": self.type, "message": self.message}
        return {"type": "error", "error": error, "request_id": request_id}


def invalid(message: str) -> ApiError:
    """A 400, by far the most frequent refusal."""
    return ApiError(400, message)
