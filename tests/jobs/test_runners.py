"""Runners: order, results as they come, errors that name their record, workers that die, the same bits from each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pieces import Piece, number_of, third_dies, third_fails, third_is_refused

from surefoot.errors import InputError, RefusedError, UsageError
from surefoot.jobs import Runner, cluster, running
from surefoot.jobs.local import in_processes, in_turn, on_threads
from surefoot.jobs.order import AHEAD, in_order

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from schedulers import fingerprint, prepared

NO_DASK = "dask.distributed is not installed (uv sync installs it with the group dev): the cluster is not tested"


@contextmanager
def dask_runner() -> Iterator[Runner]:
    """Threads of this process behind a Dask scheduler's address."""
    distributed = pytest.importorskip("distributed", reason=NO_DASK)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, protocol="tcp://", dashboard_address=None
        ) as here,
        running(here.scheduler_address) as runner,
    ):
        yield runner


@contextmanager
def as_it_is(runner: Runner) -> Iterator[Runner]:
    yield runner


WAYS: dict[str, Callable[[], Any]] = {
    "serial": lambda: as_it_is(in_turn),
    "threads": lambda: as_it_is(on_threads(2)),
    "processes": lambda: as_it_is(in_processes(2)),
    "cluster": dask_runner,
}
every_way = pytest.mark.parametrize("way", WAYS)


@every_way
def test_results_come_in_the_order_of_the_jobs(way: str) -> None:
    with WAYS[way]() as runner:
        pieces = [Piece(n, 0.2 if n == 0 else 0.0) for n in range(40)]
        assert list(runner(number_of, iter(pieces))) == list(range(40))
        assert list(runner(number_of, [])) == []


@every_way
def test_what_a_job_raises_arrives_with_the_id_of_its_record(way: str) -> None:
    with WAYS[way]() as runner:
        with pytest.raises(ZeroDivisionError, match="no area") as raised:
            list(runner(third_fails, [Piece(n) for n in range(5)]))
        assert raised.value.__notes__ == ["in record R-2"]
        with pytest.raises(InputError) as told:
            list(runner(third_is_refused, [Piece(n) for n in range(5)]))
    assert (told.value.id, told.value.found, dict(told.value.values)) == ("SF-R001", "what stood there", {"line": 7})
    assert told.value.__notes__ == ["in record R-2"]


def test_a_process_that_dies_is_told_with_the_records_under_way() -> None:
    with pytest.raises(RefusedError) as told:
        list(in_processes(2)(third_dies, [Piece(n) for n in range(5)]))
    assert told.value.id == "SF-C073"
    assert "R-2" in told.value.found


class Held:
    """A result that was there when it was asked for, and remembers whether it was cancelled."""

    def __init__(self, number: int) -> None:
        self.number, self.cancelled = number, False

    def result(self) -> int:
        if self.number == 3:
            raise KeyboardInterrupt
        return self.number

    def cancel(self) -> None:
        self.cancelled = True


def test_results_are_given_as_they_come_and_jobs_are_taken_as_there_is_room() -> None:
    begun: list[Held] = []

    def submit(piece: Piece) -> Held:
        begun.append(Held(piece.number))
        return begun[-1]

    results = in_order(submit, (Piece(n) for n in range(100)), workers=1)
    assert begun == []
    assert next(results) == 0
    assert len(begun) == AHEAD
    assert [next(results), next(results)] == [1, 2]
    with pytest.raises(KeyboardInterrupt):
        next(results)
    assert len(begun) == AHEAD + 3
    assert [held.cancelled for held in begun] == [False] * 3 + [True] * AHEAD


def test_leaving_early_cancels_what_was_not_begun() -> None:
    pending: list[Future[int]] = []

    def submit(piece: Piece) -> Future[int]:
        pending.append(Future())
        if piece.number == 0:
            pending[0].set_result(0)
        return pending[-1]

    results = in_order(submit, [Piece(n) for n in range(3)], workers=1)
    assert next(results) == 0
    results.close()
    assert [one.cancelled() for one in pending] == [False, True, True]


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="a terminal's Ctrl-C goes to the whole group on POSIX only")
@pytest.mark.parametrize("way", ["on_threads", "in_processes"])
def test_an_interrupt_ends_the_program_and_its_workers(way: str) -> None:
    """As on a terminal: every process of the group gets the signal; one of them speaks.

    The handler is set because a shell that starts the tests in the background lets its children ignore the signal.
    """
    code = f"""
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, {str(Path(__file__).parent)!r})
from surefoot.jobs.local import {way}
from pieces import Piece, number_of
if __name__ == "__main__":
    for done in {way}(2)(number_of, [Piece(n, 0.3) for n in range(1000)]):
        print(done, flush=True)
"""
    program = subprocess.Popen(
        [sys.executable, "-c", code], start_new_session=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "0\n"
    os.killpg(program.pid, signal.SIGINT)
    try:
        _, said = program.communicate(timeout=60)  # ends when no worker holds the pipe any more
    except subprocess.TimeoutExpired:
        os.killpg(program.pid, signal.SIGKILL)
        program.communicate()
        raise
    assert said.count("Traceback") == 1
    assert said.strip().endswith("KeyboardInterrupt")


# --- schedulers by name ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "thread", "tcp://", "tcp://host", "http://host:80", "tcp://host:80/x"])
def test_an_unknown_scheduler_is_wrong_usage(name: str) -> None:
    with pytest.raises(UsageError, match="SF-C070"), running(name):
        pass


def test_without_dask_there_is_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match="SF-C071"), running("tcp://127.0.0.1:8786"):
        pass


def test_a_cluster_that_does_not_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason=NO_DASK)
    monkeypatch.setattr(cluster, "SECONDS", 0.5)
    with pytest.raises(RefusedError, match="SF-C072"), running("tcp://127.0.0.1:9"):
        pass


def test_a_cluster_without_workers_or_with_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed", reason=NO_DASK)
    with distributed.LocalCluster(n_workers=0, processes=False, protocol="tcp://", dashboard_address=None) as here:
        with pytest.raises(RefusedError, match="SF-C074"), running(here.scheduler_address):
            pass
        here.scale(1)
        here.wait_for_workers(1)
        monkeypatch.setattr(cluster, "__version__", "0.0.0")
        with pytest.raises(RefusedError, match="SF-C074") as told, running(here.scheduler_address):
            pass
        assert told.value.values["here"] == "0.0.0"


# --- the same bits ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def correct() -> Callable[[Runner], Any]:
    """Six records, corrected with a light sampler."""
    return prepared(6, seed=2, particles=300)


@pytest.fixture(scope="module")
def bits(correct: Callable[[Runner], Any]) -> str:
    return fingerprint(correct(in_turn))


@pytest.mark.parametrize("way", ["threads", pytest.param("processes", marks=pytest.mark.slow), "cluster"])
def test_every_scheduler_gives_the_same_bits(way: str, correct: Callable[[Runner], Any], bits: str) -> None:
    seen: list[str] = []

    def counted(runner: Runner) -> Runner:
        def run(step: Callable[[Any], Any], work: Iterable[Any]) -> Iterator[Any]:
            for one in runner(step, work):
                seen.append(one.posterior.prior.record_id)
                yield one

        return run

    with WAYS[way]() as runner:
        corrected = correct(counted(runner))
    assert fingerprint(corrected) == bits
    assert seen == list(corrected)


def test_the_fingerprint_can_differ(correct: Callable[[Runner], Any], bits: str) -> None:
    corrected = dict(correct(in_turn))
    first = next(iter(corrected.values()))
    first.placements[0].mean[0] = np.nextafter(first.placements[0].mean[0].real, np.inf)
    assert fingerprint(corrected) != bits
