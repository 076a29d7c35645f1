"""The short-lived permissions that go with a command or an interaction: trigger ids and response URLs."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.slack import limits
from sandbox.slack.errors import SlackError


@dataclass(kw_only=True)
class Trigger:
    """Lets the app open one modal for this user, soon."""

    user: str
    made: float
    #: The modal in which the interaction happened: needed to push onto its stack.
    view_id: str | None = None
    used: bool = False


@dataclass(kw_only=True)
class ResponseUrl:
    """Lets the app answer into this conversation, a few times."""

    secret: str
    user: str
    channel: str
    made: float
    #: The message that the interaction came from, if any, and whether it is an ephemeral one.
    message_ts: str | None = None
    ephemeral: bool = False
    thread_ts: str | None = None
    uses: int = 0


class Triggers:
    """Issues and redeems trigger ids and response URLs."""

    def __init__(self, *, trigger_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = trigger_seconds, clock
        self._triggers: dict[str, Trigger] = {}
        self._urls: dict[str, ResponseUrl] = {}

    def issue(self, user: str, *, view_id: str | None = None) -> str:
        """A new trigger id for this user."""
        id_ = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._triggers[id_] = Trigger(user=user, made=self._clock(), view_id=view_id)
        return id_

    def redeem(self, trigger_id: str) -> Trigger:
        """Use a trigger id up; ``invalid_trigger_id``, ``exchanged_trigger_id`` or ``expired_trigger_id``."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if self._clock() - trigger.made > self._seconds:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger

    def allow(
        self,
        *,
        user: str,
        channel: str,
        message_ts: str | None = None,
        ephemeral: bool = False,
        thread_ts: str | None = None,
    ) -> str:
        """The secret part of a new response URL."""
        secret = secrets.token_urlsafe(18)
        self._urls[secret] = ResponseUrl(
            secret=secret,
            user=user,
            channel=channel,
            made=self._clock(),
            message_ts=message_ts,
            ephemeral=ephemeral,
            thread_ts=thread_ts,
        )
        return secret

    def peek(self, secret: str) -> ResponseUrl:
        """The grant behind a response URL, without counting a use."""
        return self._urls[secret]

    def use(self, secret: str) -> ResponseUrl:
        """Count one use of a response URL; ``expired_url`` or ``used_url``."""
        found = self._urls.get(secret)
        if found is None or self._clock() - found.made > limits.RESPONSE_URL_SECONDS:
            raise SlackError("expired_url")
        if found.uses >= limits.RESPONSE_URL_USES:
            raise SlackError("used_url")
        found.uses += 1
        return found
