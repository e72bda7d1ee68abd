"""How long re-anchoring takes: records of about 100 devices with ten finds, and one of 1,000 devices with fifty.

    OPENBLAS_NUM_THREADS=1 NUMBA_NUM_THREADS=1 python benchmarks/speed.py [--records 8] [--repeats 4]

Records of 85 to 115 devices of the nominal preset, their four likeliest hypotheses, on one core: processor seconds of
re-anchoring and of its placements, the best of the repeats. Must 1.0. The large record is a lattice of 1,000 devices
that as read, end for end and mirrored nearly fall onto each other, so that up to three hypotheses need the full effort;
its particles are shared out over the cores: wall seconds. Must 5. The machine's speed varies from minute to minute: run
the code to compare with in turn. Prints tables for RESULTS.md; writes nothing.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial

import numpy as np

import sbc
from reanchor import Bench, Options
from surefoot.analysis.locate import ReadItems
from surefoot.analysis.reanchor.hypotheses import RecordPrior
from surefoot.analysis.reanchor.placements import placements_of
from surefoot.analysis.reanchor.posterior import Posterior
from surefoot.analysis.reanchor.sampler import Settings
from surefoot.analysis.synthetic.patterns import Pattern, draw_pattern
from surefoot.analysis.synthetic.presets import Preset

FINDS, HYPOTHESES, DEVICES = 10, 4, (85, 115)
LARGE_FINDS, LARGE_DEVICES, LARGE_RECORDS, A_ROW = 50, 1000, 10, 25
SEED = 7
Timed = tuple[float, float, Posterior]


def timed(work: Callable[[], Posterior], repeats: int) -> Timed:
    """Wall and processor seconds of the quickest of the repeats, and what came out."""
    found = []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        posterior = work()
        found.append((time.perf_counter() - wall, time.process_time() - processor, posterior))
    return min(found, key=lambda one: one[1])


def likeliest(prior: RecordPrior) -> RecordPrior:
    """Keep the four likeliest hypotheses."""
    kept = sorted(prior.hypotheses, key=lambda h: -h.weight)[:HYPOTHESES]
    whole = sum(h.weight for h in kept)
    return replace(prior, hypotheses=tuple(replace(h, weight=h.weight / whole) for h in kept))


def place(bench: Bench, items: ReadItems, prior: RecordPrior, seed: int) -> Posterior:
    """Re-anchor a record and summarise its placements."""
    rng = np.random.default_rng(seed)
    posterior = bench.explored(prior, items, rng)
    placements_of(posterior, rng)
    return posterior


def usual_records(records: int, repeats: int) -> None:
    """Time so many records of about 100 devices."""
    bench = Bench(FINDS, Options(400, SEED, Settings(), 0))
    print("| devices | things seen | hypotheses in question | processor seconds |\n|---|---|---|---|")
    seconds: list[float] = []
    for number in range(len(bench.region.forms)):
        _, items, prior = bench.recorded(number)
        if not DEVICES[0] <= len(prior.item) <= DEVICES[1]:
            continue
        work = partial(place, bench, items, likeliest(prior), number)
        _, processor, posterior = timed(work, repeats)
        print(
            f"| {len(prior.item)} | {len(posterior.find)} | {_in_question(posterior)} | {processor:.2f} |", flush=True
        )
        seconds.append(processor)
        if len(seconds) == records:
            break
    print(f"| mean | | | {np.mean(seconds):.2f} (must 1.0) |\n")


def lattice(preset: Preset, rng: np.random.Generator) -> Pattern:
    """Lay 1,000 devices out in rows of 25."""
    row, index = np.divmod(np.arange(LARGE_DEVICES), A_ROW)
    scatter = rng.normal(0.0, 0.3, (2, LARGE_DEVICES))
    places = index * 5.5 + scatter[0] + 1j * (row * 12.0 + scatter[1])
    return replace(draw_pattern(preset, rng), places=places - places.mean(), row=row + 1)


def place_drawn(drawn: sbc.Drawn, rng: np.random.Generator) -> Posterior:
    """Re-anchor a record of the calibration study, from the same random stream each time."""
    return drawn.explored(Settings(), deepcopy(rng))


def large_records(repeats: int) -> None:
    """Time records of 1,000 devices."""
    print(
        "| devices | things seen | hypotheses in question | wall seconds | processor seconds |\n|---|---|---|---|---|"
    )
    for number in range(LARGE_RECORDS):
        drawn, rng = sbc.draw(LARGE_FINDS, number, 0, lattice)
        work = partial(place_drawn, drawn, rng)
        wall, processor, posterior = timed(work, repeats)
        print(
            f"| {LARGE_DEVICES} | {len(posterior.find)} | {_in_question(posterior)} | {wall:.1f} (must 5)"
            f" | {processor:.1f} |", flush=True,
        )  # fmt: skip


def _in_question(posterior: Posterior) -> int:
    full = Settings().particles
    return sum(one.cloud is not None and len(one.cloud.states) == full for one in posterior.sampled)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=4)
    asked = parser.parse_args()
    usual_records(asked.records, asked.repeats)
    large_records(asked.repeats)


if __name__ == "__main__":
    main()
