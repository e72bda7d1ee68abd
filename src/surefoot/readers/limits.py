"""Untrusted files are read in a child process with limits on time and memory.

A crafted file can hang or crash a C library; then only the child dies, and the file is set aside with a plain
reason. One child serves a whole read call, or one a core when there are many files; it is replaced only when it
died.

The child is a fresh interpreter, not a fork: a fork of a process with threads can hang, and
``multiprocessing`` would run the user's script again. The price: `function` must be importable by its name.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, Self

from surefoot.errors import InputError

try:
    import resource
except ImportError:  # not on Windows: only the wall clock limits there
    resource = None  # type: ignore[assignment]

SECONDS = 10.0
MEGABYTES = 512
PATIENCE = 6.0  # wall clock per second of processor time: a busy machine must not set files aside
JOBS_A_CHILD = 50  # a start costs a second, as much as reading some hundred forms
MOST_CHILDREN = 8  # each takes some hundred megabytes
STARTUP_SECONDS = 60.0  # a cold start of the interpreter on a slow disk
# The child needs one reader, not the whole room, whose door brings in the sums and takes seconds to open.
_START = """
import sys, types
room = types.ModuleType("surefoot.readers")
room.__path__ = [{room!r}]
sys.modules["surefoot.readers"] = room
from surefoot.readers.limits import serve
serve()
"""
_CPU_SIGNAL = 24  # SIGXCPU
_NO_NETWORK = "OGR_VRT,VRT,HTTP,WFS,OAPIF,OGCAPI,CSW,EEDA,Elasticsearch,Carto,AmigoCloud,PLSCENES,NGW"


@dataclass(frozen=True, slots=True)
class Job:
    """One call to be made in the child.

    Parameters
    ----------
    function
        An importable function of a module (not a lambda, not defined in a script or in the room's door).
    args
        Its arguments; they and the result travel as pickles.
    seconds
        Limit of processor time; of wall-clock time `PATIENCE` times as much, for a child that only waits.
    megabytes
        Memory it may take on top of what the program itself takes.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    seconds: float = SECONDS
    megabytes: int = MEGABYTES


def limits_for(size_bytes: int) -> tuple[float, int]:
    """Return (seconds, megabytes) for a file of that size: small files get small limits."""
    size_mb = size_bytes / 1e6
    return SECONDS + 2.0 * size_mb, int(MEGABYTES + 60 * size_mb)


def run_limited(function: Callable[..., Any], *args: Any, seconds: float = SECONDS, megabytes: int = MEGABYTES) -> Any:
    """Call a function in a limited child process and return its result.

    Raises
    ------
    InputError
        What the function raised itself, or SF-R101 (the child stopped), SF-R102 (too long), SF-R103 (too much
        memory).
    """
    outcome = run_jobs([Job(function, args, seconds, megabytes)])[0]
    if isinstance(outcome, InputError):
        raise outcome
    return outcome


def run_jobs(jobs: Sequence[Job]) -> list[Any]:
    """Run jobs in children side by side; the outcome of each is its result or an `InputError`, in the jobs' order.

    No outcome depends on the number of children: a job is given nothing but its arguments.
    """
    lanes = _lanes(len(jobs))
    outcomes: list[Any] = [None] * len(jobs)
    stop = threading.Event()
    with ThreadPoolExecutor(lanes) as pool:  # the threads wait for the children
        running = [pool.submit(_run_lane, jobs[lane::lanes], stop) for lane in range(lanes)]
        try:
            for lane, one in enumerate(running):
                outcomes[lane::lanes] = one.result()
        finally:
            stop.set()  # Ctrl-C: no further job is begun
    return outcomes


def _lanes(jobs: int) -> int:
    """Return how many children are worth their start: one a core, each for at least `JOBS_A_CHILD` jobs."""
    return max(1, min(os.cpu_count() or 1, jobs // JOBS_A_CHILD, MOST_CHILDREN))


def _run_lane(jobs: Sequence[Job], stop: threading.Event) -> list[Any]:
    outcomes: list[Any] = []
    while len(outcomes) < len(jobs) and not stop.is_set():
        with _Child() as child:
            outcomes.extend(_until_it_dies(child, jobs[len(outcomes) :], stop))
    return outcomes


def _until_it_dies(child: _Child, jobs: Iterable[Job], stop: threading.Event) -> list[Any]:
    outcomes: list[Any] = []
    for job in jobs:
        outcome, alive = child.call(job)
        outcomes.append(outcome)
        if not alive or stop.is_set():
            break
    return outcomes


class _Child:
    """A child interpreter that answers one job after another over a pipe."""

    def __enter__(self) -> Self:
        self._log: IO[bytes] = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START.format(room=os.path.dirname(__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=_environment(),
        )
        self._answers: queue.Queue[tuple[Any, ...] | None] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._slack = STARTUP_SECONDS
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._listener.join()
        for pipe in (self._process.stdin, self._process.stdout, self._log):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        answer: tuple[Any, ...] | None = ()
        while answer is not None:
            answer = _load(self._process.stdout)
            self._answers.put(answer)

    def call(self, job: Job) -> tuple[Any, bool]:
        """Return (outcome, whether the child can take another job)."""
        assert self._process.stdin is not None
        try:
            pickle.dump(job, self._process.stdin)
            self._process.stdin.flush()
            answer = self._answers.get(timeout=PATIENCE * job.seconds + self._slack)
        except queue.Empty:
            return InputError("SF-R102", seconds=round(job.seconds)), False
        except BrokenPipeError:
            answer = None
        self._slack = 1.0  # imports are done; a second for the way back of a large result
        if answer is None:
            return self._cause_of_death(job), False
        if answer[0] == "ok":
            return answer[1], True
        _, id_, found, values = answer
        return InputError(id_, found, **values), True

    def _cause_of_death(self, job: Job) -> InputError:
        if self._process.wait(timeout=10) == -_CPU_SIGNAL:
            return InputError("SF-R102", seconds=round(job.seconds))
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        detail = lines[-1] if lines else f"exit {self._process.returncode}"
        if "MemoryError" in detail or "bad_alloc" in detail or "memory allocation" in detail:
            return InputError("SF-R103", megabytes=job.megabytes)
        return InputError("SF-R101", detail=detail[:300])


def _environment() -> dict[str, str]:
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    paths = os.pathsep.join(p or os.getcwd() for p in sys.path)
    quiet = {"PYTHONWARNINGS": "ignore", "OGR_SKIP": _NO_NETWORK, "GDAL_SKIP": _NO_NETWORK}
    return {**os.environ, **one_thread, **quiet, "PYTHONPATH": paths}


def _load(stream: IO[bytes]) -> tuple[Any, ...] | None:
    try:
        answer: tuple[Any, ...] = pickle.load(stream)
    except (EOFError, pickle.UnpicklingError, ValueError, OSError):
        return None
    return answer


def serve() -> None:
    """Answer jobs from standard input until it closes. Runs in the child only."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not write between the answers
    while True:
        try:
            job: Job = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        _set_limits(job)
        answer = pickle.dumps(_answer(job), protocol=5)
        answers.write(answer)
        answers.flush()


def _answer(job: Job) -> tuple[Any, ...]:
    try:
        return "ok", job.function(*job.args)
    except InputError as error:
        return "error", error.id, error.found, dict(error.values)
    except MemoryError:
        return "error", "SF-R103", "", {"megabytes": job.megabytes}


def _set_limits(job: Job) -> None:
    if resource is None:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime + job.seconds) + 1
    _set_soft(resource.RLIMIT_CPU, seconds)
    _set_soft(resource.RLIMIT_CORE, 0)
    taken = _address_space_bytes()
    if taken is not None:
        _set_soft(resource.RLIMIT_AS, taken + job.megabytes * 1_000_000)


def _set_soft(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (allowed, hard))


def _address_space_bytes() -> int | None:
    """Return the address space in use; None where the system does not tell (then it is not limited)."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None
