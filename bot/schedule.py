"""Every periodic job of the service, named in one place.

APScheduler runs each at its interval, never twice at once, and a job that fails is logged and comes again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger
from apscheduler.util import undefined

from storage import errors

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to do and how often; ``seconds`` is from start to start. ``at_once`` does not wait for the first interval."""

    name: str
    seconds: float
    run: Callable[[], Awaitable[object]]
    at_once: bool = False


class Schedule:
    """The service's clock."""

    def __init__(self, jobs: list[Job]) -> None:
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._scheduler.add_listener(_log_failure, EVENT_JOB_ERROR)
        for job in jobs:
            self._scheduler.add_job(
                job.run,
                IntervalTrigger(seconds=job.seconds, jitter=min(job.seconds / 10, 5)),
                id=job.name,
                name=job.name,
                # Undefined is the scheduler's word for "after one interval"; None would pause the job.
                next_run_time=datetime.now(UTC) if job.at_once else undefined,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )

    def start(self) -> None:
        """Begin with the jobs that are due at once; the others first run one interval from now."""
        self._scheduler.start()

    def stop(self) -> None:
        """Start no further job."""
        self._scheduler.shutdown(wait=False)


def _log_failure(event: JobExecutionEvent) -> None:
    error = event.exception
    is_away = isinstance(error, errors.DatabaseUnavailableError)
    log.error(
        "job failed",
        job=event.job_id,
        error=f"{type(error).__name__}: {error}"[:300],
        exc_info=None if is_away else error,
    )
