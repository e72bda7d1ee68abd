"""Records that have nothing to do with the ground: how often re-anchoring finds evidence for them all the same.

    python benchmarks/unrelated.py [--regions 20] [--records 8] [--seed 7000] [--jobs 2]

The `null` preset lays the ground out without the records. A record counts where its evidence exceeds that of its
best rival (docs/decisions/0018, 0021). Must: under 5 % of the records that reach a find. The nominal preset is shown
beside it: there the evidence should exceed. Prints a table for RESULTS.md; writes nothing.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import numpy.typing as npt

from surefoot.analysis.locate import LocateContext
from surefoot.analysis.reanchor import ReanchorContext, reanchor
from surefoot.analysis.synthetic import simulate
from surefoot.model import Where
from surefoot.positions.grid import grid_at
from surefoot.readers import default_priors
from surefoot.readers.forms.documents import FormDocument
from surefoot.readers.forms.parse import parse_form

Floats = npt.NDArray[np.float64]


def evidence_of(work: tuple[str, int, int, int]) -> Floats:
    """Log evidence over "another field" of every record of a region that reaches a find, and its number of finds."""
    preset, number, records, seed = work
    region = simulate(preset, rng=np.random.default_rng([seed, number]), records=records)
    middle = region.settings.region.centroid
    context = ReanchorContext(
        grid_at(region.settings.crs, middle.x, middle.y),
        LocateContext(default_priors(), series=region.settings.series),
    )
    forms = [parse_form(FormDocument(Where("f.yaml", row=1), str(f["record_id"]), f)) for f in region.forms]
    found = reanchor(
        forms, region.finds, region.searched, context=context, rng=np.random.default_rng(number),
        accidents=region.accidents,
    )  # fmt: skip
    return np.array([
        (one.log_evidence - one.log_evidence_unrelated, float((one.find < len(region.finds)).sum()))
        for one in found.values()
        if len(one.find)
    ]).reshape(-1, 2)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--regions", type=int, default=20)
    parser.add_argument("--records", type=int, default=8)
    parser.add_argument("--seed", type=int, default=7000)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    for threads in ("OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(threads, "1")
    print("| preset | records that reach a find | exceeds | by over 0.1 | by over 3 | quantiles 5, 50, 95 % |")
    print("|---|---|---|---|---|---|")
    with ProcessPoolExecutor(asked.jobs) as pool:
        for preset in ("null", "nominal"):
            work = [(preset, number, asked.records, asked.seed) for number in range(asked.regions)]
            gain = np.concatenate(list(pool.map(evidence_of, work)))
            gain = gain[gain[:, 1] >= 1.0, 0]
            quantiles = ", ".join(f"{q:+.1f}" for q in np.quantile(gain, [0.05, 0.5, 0.95]))
            shares = " | ".join(f"{np.mean(gain > more):.3f}" for more in (0.0, 0.1, 3.0))
            print(f"| {preset} | {len(gain)} | {shares} | {quantiles} |", flush=True)


if __name__ == "__main__":
    main()
