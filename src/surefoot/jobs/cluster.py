"""Work on the workers of a Dask cluster; the only place that knows ``dask.distributed``, an optional dependency."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import partial
from importlib import metadata
from typing import Any

from surefoot import __version__
from surefoot.errors import RefusedError, UsageError
from surefoot.jobs.order import J, R, Runner, in_order

SECONDS = 10.0
"""How long the scheduler has to answer."""


@contextmanager
def on_cluster(address: str) -> Iterator[Runner]:
    """Connect to a Dask scheduler and return a runner on its workers.

    Parameters
    ----------
    address
        As its scheduler tells it, such as ``tcp://10.0.0.5:8786``.

    Raises
    ------
    UsageError
        SF-C071: ``dask.distributed`` is not installed here.
    RefusedError
        SF-C072: no scheduler answers there, or the connection was lost. SF-C074: no worker, or one without this
        version of Surefoot.
    """
    try:
        import distributed
    except ImportError as error:
        raise UsageError("SF-C071", address) from error
    try:
        client = distributed.Client(address, timeout=SECONDS, set_as_default=False, name="surefoot")
    except (OSError, ValueError) as error:
        raise RefusedError("SF-C072", address) from error
    with client:
        _check_workers(client, address)
        try:
            yield partial(_on_workers, client, distributed.KilledWorker)
        except CancelledError as error:
            raise RefusedError("SF-C072", address) from error


def _check_workers(client: Any, address: str) -> None:
    """Refuse a cluster without workers, or whose workers run another Surefoot than this one."""
    try:
        versions = client.run(metadata.version, "surefoot")
    except metadata.PackageNotFoundError:
        versions = {"": "-"}
    others = sorted(set(versions.values()) - {__version__})
    if others or not versions:
        raise RefusedError("SF-C074", address, there=", ".join(others) or "-", here=__version__)


def _on_workers(
    client: Any, killed: type[Exception], step: Callable[[J], R], work: Iterable[J], /
) -> Iterator[R]:  # fmt: skip
    # The step is itself a result on the cluster: it travels once, and is made anew where the worker that held it died.
    there = client.submit(_given, step, pure=False)
    threads = max(sum(client.nthreads().values()), 1)
    yield from in_order(lambda job: client.submit(_do, there, job, pure=False), work, workers=threads, died=(killed,))


def _given(step: Callable[[J], R]) -> Callable[[J], R]:
    return step


def _do(step: Callable[[Any], Any], job: Any) -> Any:
    return step(job)
