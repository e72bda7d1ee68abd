"""What a runner is, and the one loop behind all that work side by side: jobs out, results back in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

from surefoot.errors import RefusedError

AHEAD = 8
"""Jobs a worker that may be under way or done before the oldest is: one long job holds nobody up, results do not pile
up."""


class Job(Protocol):
    """A piece of work that is called by the id of its record."""

    @property
    def record_id(self) -> str:
        """Id of the record."""
        ...


J = TypeVar("J", bound=Job)
R = TypeVar("R")


class Runner(Protocol):
    """Maps a pure function over jobs; results come in the order of the jobs."""

    def __call__(self, step: Callable[[J], R], work: Iterable[J], /) -> Iterable[R]:
        """Return the results as they come."""
        ...


class Pending(Protocol):
    """A result to come, of a pool or of a cluster."""

    def result(self) -> Any:
        """Wait for it; raises what the job raised."""
        ...

    def cancel(self) -> Any:
        """Do not begin it if it was not begun."""
        ...


def in_order(
    submit: Callable[[J], Pending], work: Iterable[J], *, workers: int, died: tuple[type[Exception], ...] = ()
) -> Iterator[Any]:
    """Submit jobs and yield their results in order; what was not begun is cancelled when the loop is left.

    Parameters
    ----------
    submit
        Begins one job.
    work
        Taken as there is room for it.
    workers
        How many jobs are done side by side.
    died
        What `submit` and a result raise when a worker died, which no job raises itself.

    Raises
    ------
    RefusedError
        SF-C073: a worker died. A result raises what its job raised.
    """
    waiting: deque[tuple[str, Pending]] = deque()
    try:
        for job in work:
            waiting.append((job.record_id, submit(job)))
            if len(waiting) >= AHEAD * workers:
                yield waiting[0][1].result()
                waiting.popleft()
        while waiting:
            yield waiting[0][1].result()
            waiting.popleft()
    except died as error:
        raise RefusedError("SF-C073", ", ".join(record_id for record_id, _ in waiting)) from error
    finally:
        for _, pending in waiting:
            pending.cancel()
