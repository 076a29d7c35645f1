"""Slack's rate limits, as token buckets and as windows. docs.slack.dev/apis/web-api/rate-limits"""

from collections import deque
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


class Window:
    """At most ``limit`` calls in any ``seconds``, whenever they come; a hold closes it for a while."""

    def __init__(self, *, limit: int, seconds: float, clock: Clock) -> None:
        self.limit = limit
        self._seconds = seconds
        self._clock = clock
        self._taken: deque[float] = deque()
        self._held_until = clock()

    @property
    def level(self) -> int:
        """How many calls are left now."""
        # The allowance is for sums of floats: without it a wait of 1e-16 s would spin.
        now = self._clock() + 1e-6
        while self._taken and self._taken[0] + self._seconds <= now:
            self._taken.popleft()
        return self.limit - len(self._taken)

    def wait(self, *, reserve: int = 0) -> float:
        """Seconds until a call can be made that leaves ``reserve``; 0 when it can be made now."""
        now = self._clock()
        missing = 1 + reserve - self.level
        freed = self._taken[missing - 1] + self._seconds - now if missing > 0 else 0.0
        return max(0.0, self._held_until - now, freed)

    def take(self) -> None:
        self._taken.append(self._clock())

    def give_back(self) -> None:
        self._taken.pop()

    def hold(self, seconds: float) -> None:
        """Slack asked for a pause."""
        self._held_until = max(self._held_until, self._clock() + seconds)
