"""A series of runs and what is printed of it."""

import statistics
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Series:
    """Milliseconds of several runs of one thing."""

    name: str
    values: list[float] = field(default_factory=list)

    def add(self, seconds: float) -> None:
        """Count a run."""
        self.values.append(seconds * 1000)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.values, n=20, method="inclusive")[-1]

    def row(self) -> str:
        """A line of the table: minimum, median, 95th percentile, maximum."""
        figures = (min(self.values), self.median, self.p95, max(self.values))
        return f"{self.name:<58}" + "".join(f"{figure:>9.0f}" for figure in figures)
