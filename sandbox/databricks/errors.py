"""Refusals, as the workspace words them: REST errors, OAuth errors, and SQL errors inside a statement's status."""


class SandboxError(Exception):
    """A request to the Databricks stand-in was refused."""


class ApiError(SandboxError):
    """A REST call was refused; the body is ``{"error_code", "message"}``.

    ``code`` is a number where the real service sends the status itself, as it does for bad tokens
    (github.com/databricks/databricks-sdk-go/issues/1046).
    """

    def __init__(self, status: int, code: str | int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class OAuthError(SandboxError):
    """A token request was refused; the body is ``{"error", "error_description"}`` (RFC 6749, section 5.2)."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status


class SqlError(SandboxError):
    """A statement failed; ``condition`` is an error condition of docs.databricks.com/aws/en/error-messages."""

    def __init__(
        self,
        condition: str,
        message: str,
        *,
        sql_state: str,
        error_code: str = "BAD_REQUEST",
        position: str = "",
    ) -> None:
        super().__init__(f"[{condition}] {message} SQLSTATE: {sql_state}{position}")
        self.condition = condition
        self.sql_state = sql_state
        self.error_code = error_code


def not_found(message: str) -> ApiError:
    """404 ``RESOURCE_DOES_NOT_EXIST``."""
    return ApiError(404, "RESOURCE_DOES_NOT_EXIST", message)


def bad_request(message: str) -> ApiError:
    """400 ``INVALID_PARAMETER_VALUE``."""
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


def denied(message: str) -> ApiError:
    """403 ``PERMISSION_DENIED``."""
    return ApiError(403, "PERMISSION_DENIED", message)
