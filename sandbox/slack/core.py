"""What every part of this Slack may reach."""

from collections import deque
from dataclasses import dataclass, field

from sandbox.slack.app import App
from sandbox.slack.delivery import Delivery
from sandbox.slack.faults import Faults
from sandbox.slack.rates import Rates
from sandbox.slack.state import State
from sandbox.slack.tasks import Tasks
from sandbox.slack.timing import Timing
from sandbox.slack.triggers import Triggers
from sandbox.slack.values import Request

REQUESTS_KEPT = 10_000


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The secrets that the app and this Slack share."""

    bot_token: str
    app_token: str
    signing_secret: str


@dataclass(kw_only=True)
class Core:
    """The parts, put together by the server."""

    app: App
    keys: Keys
    timing: Timing
    state: State
    rates: Rates
    faults: Faults
    tasks: Tasks
    delivery: Delivery
    triggers: Triggers
    requests: deque[Request] = field(default_factory=lambda: deque(maxlen=REQUESTS_KEPT))
    #: "http://host:port", known once the server listens.
    url: str = ""
