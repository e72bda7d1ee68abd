"""How work is run: one record after another, on threads, in processes, on a Dask cluster.

A runner maps a pure function over jobs and hands back the results in the order of the jobs, each as soon as it and all
before it are there. Which runner it is changes no bit: a job holds everything it depends on, its random stream too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from surefoot.errors import UsageError
from surefoot.jobs.cluster import on_cluster
from surefoot.jobs.local import in_processes, in_turn, on_threads
from surefoot.jobs.order import Job, Runner

__all__ = ["Job", "Runner", "running"]

_HERE: Mapping[str, Callable[[], Runner]] = {
    "serial": lambda: in_turn,
    "threads": on_threads,
    "processes": in_processes,
}
_ADDRESS = re.compile(r"tcp://[^\s/:]+:\d{1,5}|tcp://\[[0-9a-fA-F:]+\]:\d{1,5}")


@contextmanager
def running(scheduler: str = "threads") -> Iterator[Runner]:
    """Open the scheduler of that name; it is closed when the block is left.

    Parameters
    ----------
    scheduler
        ``serial``, ``threads`` (one a core), ``processes`` (the same) or ``tcp://HOST:PORT`` of a Dask cluster.

    Raises
    ------
    UsageError
        SF-C070: no such scheduler; SF-C071: ``dask.distributed`` is not installed.
    RefusedError
        SF-C072, SF-C074: the cluster cannot be reached, or has no worker that could do the work.
    """
    if scheduler in _HERE:
        yield _HERE[scheduler]()
    elif _ADDRESS.fullmatch(scheduler):
        with on_cluster(scheduler) as runner:
            yield runner
    else:
        raise UsageError("SF-C070", scheduler)
