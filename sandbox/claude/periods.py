"""Spans of time in a question ("last month", "the last 3 weeks"), as conditions in the workspace's SQL."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Period:
    """``label`` is how people say it; ``condition`` has ``{column}`` where the date belongs."""

    label: str
    condition: str

    def where(self, column: str) -> str:
        """The condition on this column."""
        return self.condition.format(column=column)


def _whole(unit: str, *, label: str, ago: int = 0) -> Period:
    now = f"date_trunc('{unit.upper()}', current_date())"
    if ago == 0:
        return Period(label=label, condition=f"{{column}} >= {now}")
    start = f"{now} - INTERVAL {ago} {unit.upper()}"
    return Period(label=label, condition=f"{{column}} >= {start} AND {{column}} < {now}")


LAST_MONTH = _whole("month", label="last month", ago=1)
THIS_MONTH = _whole("month", label="this month")
TODAY = Period(label="today", condition="CAST({column} AS DATE) = current_date()")
EVER = Period(label="so far", condition="TRUE")
_NAMED = (
    ("today", TODAY),
    (
        "yesterday",
        Period(label="yesterday", condition="CAST({column} AS DATE) = date_sub(current_date(), 1)"),
    ),
    ("last week", _whole("week", label="last week", ago=1)),
    ("this week", _whole("week", label="this week")),
    ("last month", LAST_MONTH),
    ("previous month", LAST_MONTH),
    ("this month", THIS_MONTH),
    ("last quarter", _whole("quarter", label="last quarter", ago=1)),
    ("this quarter", _whole("quarter", label="this quarter")),
    ("last year", _whole("year", label="last year", ago=1)),
    ("this year", _whole("year", label="this year")),
)
_LAST_N = re.compile(r"\b(?:last|past)\s+(\d{1,3})\s+(day|week|month)s?\b")


def find(question: str, *, default: Period) -> Period:
    """The period that a question names, else the default."""
    lowered = question.lower()
    several = _LAST_N.search(lowered)
    if several:
        count, unit = several.groups()
        label = f"in the last {count} {unit}s"
        return Period(
            label=label, condition=f"{{column}} >= current_date() - INTERVAL {count} {unit.upper()}"
        )
    return next((period for words, period in _NAMED if re.search(rf"\b{words}\b", lowered)), default)
