"""The same records corrected by every scheduler: the same bits, and how long each takes.

Records of the pinned nominal preset are placed and corrected one after another, on threads, in processes and on a Dask
cluster of this machine. The fingerprint is the SHA-256 of every bit of every placement of every record; the run fails
when two schedulers differ. On a machine that does other things the seconds say little: look at the load.

    python benchmarks/schedulers.py                    # 1,000 records; about half an hour a scheduler on two cores
    python benchmarks/schedulers.py --small            # twenty records
    python benchmarks/schedulers.py --only serial threads
    python benchmarks/schedulers.py --particles 100 --sweeps 2     # 1,000 records with a light sampler: the bits alone

Prints a table for RESULTS.md; writes nothing. Results of 1,000 records take some 3 GB.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial

import numpy as np

from surefoot.analysis.locate import LocateContext, locate
from surefoot.analysis.reanchor import Placements, ReanchorContext, Settings, reanchor
from surefoot.analysis.synthetic import SimulatedRegion, simulate
from surefoot.jobs import Runner, running
from surefoot.model import Where
from surefoot.positions.grid import grid_at
from surefoot.readers.forms.documents import FormDocument
from surefoot.readers.forms.parse import parse_form
from surefoot.readers.priors import default_priors

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")
SMALL = 20


def prepared(
    records: int, seed: int, particles: int = Settings().particles, sweeps: int = Settings().sweeps
) -> Callable[[Runner], Mapping[str, Placements]]:
    """Make a region and place its records; what is left is their correction."""
    region: SimulatedRegion = simulate("nominal", rng=np.random.default_rng(seed), records=records)
    centre = region.settings.region.centroid
    grid = grid_at(region.settings.crs, centre.x, centre.y)
    locate_context = LocateContext(default_priors(), series=region.settings.series)
    context = ReanchorContext(grid, locate_context, Settings(particles, sweeps))
    read = [parse_form(FormDocument(Where("f.yaml", row=1), str(f["record_id"]), f)) for f in region.forms]
    located = [locate(record, context=context.locate) for record in read]

    def correct(runner: Runner) -> Mapping[str, Placements]:
        return reanchor(
            read, region.finds, region.searched, context=context, rng=np.random.default_rng(seed),
            accidents=region.accidents, located=located, runner=runner,
        )  # fmt: skip

    return correct


def fingerprint(corrected: Mapping[str, Placements]) -> str:
    """SHA-256 over the bits of every placement of every record."""
    digest = hashlib.sha256()
    for record_id, one in sorted(corrected.items()):
        digest.update(record_id.encode())
        digest.update(np.array([one.log_evidence, one.log_evidence_unrelated]).tobytes())
        for placement in one.placements:
            digest.update(np.array([placement.weight, placement.turn_deg, placement.scale]).tobytes())
            for bits in (placement.covariance, placement.mean, placement.item_covariance, placement.p_find):
                digest.update(np.ascontiguousarray(bits).tobytes())
    return digest.hexdigest()


@contextmanager
def local_cluster() -> Iterator[Runner]:
    """A Dask cluster of this machine, one worker a core, reached by its address as any other."""
    from distributed import LocalCluster

    workers = {"n_workers": os.cpu_count(), "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**workers) as cluster, running(cluster.scheduler_address) as runner:
        yield runner


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--small", action="store_true", help=f"{SMALL} records")
    parser.add_argument("--particles", type=int, default=Settings().particles)
    parser.add_argument("--sweeps", type=int, default=Settings().sweeps)
    parser.add_argument("--only", nargs="+", default=["serial", "threads", "processes", "cluster"])
    options = parser.parse_args()
    records = SMALL if options.small else options.records
    correct = prepared(records, options.seed, options.particles, options.sweeps)
    effort = f"{options.particles} particles, {options.sweeps} sweeps"
    print(f"{records} records, seed {options.seed}, {effort}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| scheduler | seconds | processor seconds | load after | SHA-256 |\n|---|---|---|---|---|")
    seen = set()
    for name in options.only:
        opened: Callable[[], AbstractContextManager[Runner]]
        opened = local_cluster if name == "cluster" else partial(running, name)
        began, used = time.perf_counter(), _processor_seconds()
        with opened() as runner:
            seen.add(fingerprint(correct(runner)))
            seconds = time.perf_counter() - began
        busy, load = _processor_seconds() - used, os.getloadavg()[0]
        print(f"| {name} | {seconds:.1f} | {busy:.1f} | {load:.1f} | {min(seen)[:16]} |", flush=True)
        if len(seen) > 1:
            sys.exit(f"{name} gives other bits than those before it")


def _processor_seconds() -> float:
    """Of this process and of those it waited for."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    if any(os.environ.get(name) != "1" for name in ONE_THREAD):  # NumPy reads them when it is imported
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    main()
