"""What the edits of a team may cost.

Slack counts calls of chat.update in a minute, so a minute is what is budgeted: an answer's first words and its end may use
all of it, however quickly turns follow each other. Ordinary edits, which only show that a text grows, leave some of the
minute alone and are paced besides, so that long answers do not spend in ten seconds what they would miss for fifty.
"""

from typing import Final

from bot.replies import lanes, rates

#: Calls in the minute that are left to what is more urgent.
_RESERVE: Final = {lanes.Priority.FINAL: 0, lanes.Priority.FIRST_TEXT: 4, lanes.Priority.ORDINARY: 10}
#: Ordinary edits that may go at once.
_BURST: Final = 10.0
#: Seconds between two ordinary edits of a message while the budget is untouched.
_GAP: Final = 0.7


class Budget:
    """``per_minute`` calls of chat.update for one team."""

    def __init__(self, *, per_minute: int, clock: rates.Clock) -> None:
        steady = (per_minute - _RESERVE[lanes.Priority.ORDINARY]) / 60.0
        self._minute = rates.Window(limit=per_minute, seconds=60.0, clock=clock)
        self._pace = rates.Bucket(capacity=_BURST, per_second=steady, clock=clock)

    @property
    def is_ample(self) -> bool:
        """Whether half of it is there: the time for what is merely nice."""
        return self._pace.level >= self._pace.capacity / 2 and self._minute.level >= self._minute.limit / 2

    def wait(self, priority: lanes.Priority) -> float:
        """Seconds until an edit of this urgency may go."""
        free = self._minute.wait(reserve=_RESERVE[priority])
        return max(free, self._pace.wait()) if priority is lanes.Priority.ORDINARY else free

    def gap(self, *, messages: int) -> float:
        """Seconds between two ordinary edits of one of ``messages``: the emptier the budget, the nearer to a fair share."""
        fair = messages / self._pace.per_second
        used = 1.0 - max(0.0, self._pace.level) / self._pace.capacity
        return _GAP + used * max(0.0, fair - _GAP)

    def take(self, priority: lanes.Priority) -> None:
        self._minute.take()
        if priority is lanes.Priority.ORDINARY:
            self._pace.take()

    def give_back(self, priority: lanes.Priority) -> None:
        """An edit that was taken for turned out not to be needed."""
        self._minute.give_back()
        if priority is lanes.Priority.ORDINARY:
            self._pace.give_back()

    def hold(self, seconds: float) -> None:
        """Slack asked for a pause: all edits wait."""
        self._minute.hold(seconds)
