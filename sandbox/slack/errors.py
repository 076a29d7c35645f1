"""What Slack refuses, in Slack's own words."""

from typing import Any


class SlackError(Exception):
    """A refusal as the Web API words it: an error code, often with lines that point at the culprit."""

    def __init__(self, error: str, *, messages: tuple[str, ...] = (), **extra: Any) -> None:
        super().__init__(error if not messages else f"{error}: {'; '.join(messages)}")
        self.error = error
        self.messages = messages
        self.extra = extra

    def body(self) -> dict[str, Any]:
        """The JSON body of the refusal."""
        body: dict[str, Any] = {"ok": False, "error": self.error, **self.extra}
        if self.messages:
            body["errors"] = [line.removeprefix("[ERROR] ") for line in self.messages]
            body["response_metadata"] = {"messages": list(self.messages)}
        return body
