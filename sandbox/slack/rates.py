"""Slack's rate tiers and their enforcement.

Limits count per method, per app and workspace; this Slack has one of each, so the method is the key, except where the
table says that each channel counts by itself. A sliding window is what a client meets on the live service: after a
refusal it must wait until the oldest call leaves the window, which is what ``Retry-After`` tells.
Tiers: docs.slack.dev/apis/web-api/rate-limits.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Rate:
    """At most ``calls`` within any ``seconds``."""

    calls: int
    seconds: float
    per_channel: bool = False


# Slack promises "50+ a minute" and lets a few more through before it refuses: the plus is the burst tolerance.
TIER_1 = Rate(calls=1 + 1, seconds=60)
TIER_2 = Rate(calls=20 + 2, seconds=60)
TIER_3 = Rate(calls=50 + 5, seconds=60)
TIER_4 = Rate(calls=100 + 10, seconds=60)
# About one message a second into one channel, in short bursts.
POSTING = Rate(calls=10, seconds=10, per_channel=True)
STATUS = Rate(calls=10, seconds=10, per_channel=True)
GENEROUS = Rate(calls=600, seconds=60)

RATES: dict[str, Rate] = {
    "agents.sessions.rename": TIER_3,
    "agents.sessions.setStatus": TIER_3,
    "api.test": TIER_4,
    "apps.connections.open": TIER_3,
    "assistant.threads.setStatus": STATUS,
    "assistant.threads.setSuggestedPrompts": TIER_4,
    "assistant.threads.setTitle": TIER_4,
    "auth.test": GENEROUS,
    "blocks.validate": TIER_4,
    "bots.info": TIER_3,
    "chat.appendStream": TIER_4,
    "chat.delete": TIER_3,
    "chat.getPermalink": GENEROUS,
    "chat.postEphemeral": TIER_4,
    "chat.postMessage": POSTING,
    "chat.startStream": TIER_2,
    "chat.stopStream": TIER_2,
    "chat.update": TIER_3,
    "conversations.history": TIER_3,
    "conversations.info": TIER_3,
    "conversations.join": TIER_3,
    "conversations.list": TIER_2,
    "conversations.members": TIER_4,
    "conversations.open": TIER_3,
    "conversations.replies": TIER_3,
    "files.completeUploadExternal": TIER_4,
    "files.delete": TIER_3,
    "files.getUploadURLExternal": TIER_4,
    "files.info": TIER_4,
    "reactions.add": TIER_3,
    "reactions.remove": TIER_2,
    "team.info": TIER_3,
    "users.conversations": TIER_3,
    "users.info": TIER_4,
    "users.list": TIER_2,
    "users.lookupByEmail": TIER_3,
    "views.open": TIER_4,
    "views.publish": TIER_4,
    "views.push": TIER_4,
    "views.update": TIER_4,
}


class Rates:
    """Counts calls and says how long to wait. ``enabled`` and ``rates`` may be changed at any time."""

    def __init__(self, *, enabled: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self.enabled = enabled
        self.rates = dict(RATES)
        self._clock = clock
        self._calls: dict[tuple[str, str], deque[float]] = {}

    def spend(self, method: str, *, channel: str = "") -> int:
        """Count one call: 0 when it may go on, else the whole seconds to wait (``Retry-After``)."""
        rate = self.rates.get(method)
        if rate is None or not self.enabled:
            return 0
        now = self._clock()
        calls = self._calls.setdefault((method, channel if rate.per_channel else ""), deque())
        while calls and calls[0] <= now - rate.seconds:
            calls.popleft()
        if len(calls) >= rate.calls:
            return max(1, math.ceil(calls[0] + rate.seconds - now))
        calls.append(now)
        return 0

    def forget(self) -> None:
        """Begin all windows anew."""
        self._calls.clear()
