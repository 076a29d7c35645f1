"""How long Slack waits, in seconds. Promises that an app must keep are Slack's; retries come sooner than Slack's."""

from dataclasses import dataclass

from sandbox.slack import limits


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The defaults suit tests and the page; every value may be overridden."""

    #: An app must acknowledge within this time.
    ack_seconds: float = 3.0
    #: Pauses before the second, third and fourth delivery of an event (Slack: at once, 60, 300).
    retry_delays: tuple[float, ...] = (0.1, 1.0, 5.0)
    #: How long an event waits for the app to connect before it is lost (Slack gives up after about six minutes).
    undelivered_seconds: float = 360.0
    trigger_seconds: float = limits.TRIGGER_SECONDS
    stream_seconds: float = limits.STREAM_SECONDS
    status_seconds: float = limits.STATUS_SECONDS
    #: A completed upload appears in its channels after this pause.
    share_seconds: float = 0.05
