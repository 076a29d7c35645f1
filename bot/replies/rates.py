"""Slack's rate limits as token buckets. docs.slack.dev/apis/web-api/rate-limits"""

from collections.abc import Callable

Clock = Callable[[], float]


class Bucket:
    """Tokens of one method: up to ``capacity`` at once, refilled at ``per_second``; a hold closes it for a while."""

    def __init__(self, *, capacity: float, per_second: float, clock: Clock) -> None:
        self.capacity = capacity
        self.per_second = per_second
        self._clock = clock
        self._level = capacity
        self._counted_at = clock()
        self._held_until = self._counted_at

    @property
    def level(self) -> float:
        now = self._clock()
        self._level = min(self.capacity, self._level + (now - self._counted_at) * self.per_second)
        self._counted_at = now
        return self._level

    def wait(self, *, reserve: float = 0.0) -> float:
        """Seconds until a token can be taken that leaves ``reserve`` in the bucket; 0 when it can be taken now."""
        held = self._held_until - self._clock()
        missing = 1.0 + reserve - self.level
        # Sums of small floats stop short of whole tokens; without the allowance a wait of 1e-16 s would spin.
        short = missing / self.per_second if missing > 1e-6 else 0.0
        return max(0.0, held, short)

    def take(self) -> None:
        self._level = self.level - 1.0

    def give_back(self) -> None:
        self._level = min(self.capacity, self.level + 1.0)

    def hold(self, seconds: float) -> None:
        """Slack asked for a pause: it says that nothing is left, whatever we counted."""
        self._level = min(self.level, 0.0)
        self._held_until = max(self._held_until, self._clock() + seconds)
