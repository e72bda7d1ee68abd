"""Work on this machine: in turn, on threads, in processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Any

from surefoot.jobs.order import J, R, Runner, in_order

MOST_THREADS = 8
"""The interpreter is held for a sixth of the time of a correction: more threads would wait for each other."""
MOST_PROCESSES = 61  # what Windows can wait for


def in_turn(step: Callable[[J], R], work: Iterable[J], /) -> Iterable[R]:
    """Do one job after another, each when its result is asked for."""
    return map(step, work)


def on_threads(count: int | None = None) -> Runner:
    """Return a runner on threads of this process; default: one a core, at most `MOST_THREADS`.

    The hot loops let go of the interpreter, nothing is copied and nothing has to start. An interrupt is obeyed when the
    jobs under way are done.
    """
    return partial(_on_threads, count or min(os.cpu_count() or 1, MOST_THREADS))


def _on_threads(count: int, step: Callable[[J], R], work: Iterable[J], /) -> Iterator[R]:
    with ThreadPoolExecutor(count, thread_name_prefix="surefoot") as pool:
        yield from in_order(lambda job: pool.submit(step, job), work, workers=count)


def in_processes(count: int | None = None) -> Runner:
    """Return a runner in processes of their own; default: one a core.

    They are fresh interpreters, no forks: a fork of a process with threads can hang. A script that calls this needs the
    usual ``if __name__ == "__main__":``. Function and jobs travel as pickles, the function once a process.
    """
    return partial(_in_processes, count or min(os.cpu_count() or 1, MOST_PROCESSES))


def _in_processes(count: int, step: Callable[[J], R], work: Iterable[J], /) -> Iterator[R]:
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=fresh, initializer=_begin, initargs=(step,)) as pool:
        yield from in_order(lambda job: pool.submit(_do, job), work, workers=count, died=(BrokenProcessPool,))


_step: list[Callable[[Any], Any]] = []  # of this process, where it is a worker


def _begin(step: Callable[[Any], Any]) -> None:
    """Make ready a worker: the parent alone answers Ctrl-C, and no worker outlives it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _step.append(step)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(job: Any) -> Any:
    return _step[0](job)
