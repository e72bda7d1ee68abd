"""Are the stated uncertainties honest? Coverage of intervals, chance matches, closed forms against draws.

Prints Markdown tables for RESULTS.md; nothing is written. The four studies are one command each::

    python benchmarks/calibration.py --only coverage
    python benchmarks/calibration.py --only remaining --sets 400
    python benchmarks/calibration.py --only chance --regions 200 --shifts 200
    python benchmarks/calibration.py --only moments
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import sys
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from surefoot.analysis.accounting.remaining import (
    COUNT_SPREAD,
    COVERAGE_FACTORS,
    EXACT_COUNT_WEIGHT,
    STATED_DETECTION_TRIALS,
    RecordFacts,
    believe,
    presence_levels,
    still_in_ground,
)
from surefoot.analysis.accuracy import beta_binomial_interval
from surefoot.analysis.assess.ground import (
    chances_inside,
    grid_of,
    spread_points,
    union_area_m2,
)
from surefoot.analysis.assess.placed import place_items
from surefoot.analysis.assess.stage import SPARSE_CLUTTER_PER_M2
from surefoot.analysis.locate import LegErrors, LocateContext, Network, locate
from surefoot.analysis.matching import associate, category_numbers
from surefoot.analysis.synthetic import SimulatedRegion, simulate
from surefoot.model import Case, Where
from surefoot.readers import default_priors
from surefoot.readers.forms.documents import FormDocument
from surefoot.readers.forms.parse import parse_form

Floats = npt.NDArray[np.float64]
LEVEL = 0.9
CHANCE_LIMIT = 0.02
CHI2 = {0.5: 1.386294361, 0.9: 4.605170186, 0.99: 9.210340372}
RIM_M = 600.0  # the simulator scatters its ground this far inside the region's box
CELL_M = 5.0  # of the raster that tells which points need not be asked
MATCHINGS = (SPARSE_CLUTTER_PER_M2, None)  # the most that can be matched (the value), the least


# --- (a) intervals of shares -----------------------------------------------------------------------------


def coverage_of_intervals(sets: int, seed: int) -> None:
    """Share of stated 90 % intervals that hold the true mean share, for clustered trials."""
    rng = np.random.default_rng(seed)
    print(f"\n90 % interval of a share, beta-binomial, {sets} sets each, clusters of 3-30 trials:\n")
    print("| records | mean share | nu | coverage | mean width |\n|---|---|---|---|---|")
    for records in (8, 25):
        for mu, nu in ((0.1, 5.0), (0.5, 5.0), (0.5, 15.0), (0.75, 2.0), (0.9, 15.0)):
            held, widths = 0, []
            for _ in range(sets):
                trials = rng.integers(3, 31, records).astype(float)
                hits = rng.binomial(trials.astype(int), rng.beta(mu * nu, (1 - mu) * nu, records))
                interval = beta_binomial_interval(hits.astype(float), trials, LEVEL)
                held += interval.low <= mu <= interval.high
                widths.append(interval.high - interval.low)
            print(f"| {records} | {mu} | {nu:g} | {held / sets:.3f} | {np.mean(widths):.2f} |", flush=True)


# --- (b) chance matches ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class NullRegion:
    """What a match needs of one region whose ground has nothing to do with its records."""

    mean: Floats
    cov: Floats
    category: npt.NDArray[np.int64]
    record: npt.NDArray[np.int64]
    find: Floats
    variance: Floats
    find_category: npt.NDArray[np.int64]
    verified: npt.NDArray[np.bool_]
    searched: npt.NDArray[np.object_]
    detection: float
    presence: float
    area_m2: float
    low: Floats  # south-west corner and size of the torus, metres
    size: Floats


def null_region(seed: int) -> NullRegion:
    """Make up a region of the preset null and place its records."""
    region = simulate("null", rng=np.random.default_rng(seed))
    priors = default_priors()
    case = _case(region)
    context = LocateContext(priors, case.settings.region, series=case.settings.series)
    located = [locate(record, context=context) for record in case.records]
    grid = grid_of(case)
    items = place_items(located, grid)
    best = np.flatnonzero(items.is_best & np.isfinite(items.easting))
    mean = np.column_stack([items.easting[best], items.northing[best]])
    finds, searched = case.finds, grid.project_shapes(case.searched.geometry)
    passed = (case.searched.method == "clearance") & (case.searched.qa == "passed")
    known = np.isfinite(case.searched.detection_probability)
    verified = {str(i) for i in case.searched.id[passed & known]}
    corners = np.array(case.settings.region.bounds).reshape(2, 2)
    box = grid.project(corners[:, 0], corners[:, 1])
    a, b = priors.table["presence"]["beta"]
    record = items.record[best]
    return NullRegion(
        mean, items.grid_cov_m2[best], category_numbers(items.category[best]), record,
        grid.project(finds.longitude, finds.latitude), finds.sigma_m**2, category_numbers(finds.category),
        np.array([str(i) in verified for i in finds.searched_id]), searched,
        float(np.median(case.searched.detection_probability[known])), a / (a + b),
        max(union_area_m2(searched), 1.0), box[0] + RIM_M, box[1] - box[0] - 2 * RIM_M,
    )  # fmt: skip


def _case(region: SimulatedRegion) -> Case:
    documents = [FormDocument(Where(str(f["record_id"])), str(f["record_id"]), f) for f in region.forms]
    return Case(
        region.settings, tuple(parse_form(d) for d in documents), region.finds, region.accidents,
        region.searched, region.areas,
    )  # fmt: skip


class Ground:
    """Searched ground that can be asked quickly: the same answers as `chances_inside`, one tree for all shifts."""

    def __init__(self, shapes: npt.NDArray[np.object_]) -> None:
        self.tree = shapely.STRtree(shapes)
        bounds = shapely.bounds(shapes)
        self.low = bounds[:, :2].min(axis=0) - CELL_M
        cells = np.ceil((bounds[:, 2:].max(axis=0) - self.low) / CELL_M).astype(int) + 1
        self.near = np.zeros(cells, dtype=bool)
        for west, south, east, north in bounds:
            first = ((np.array([west, south]) - self.low) // CELL_M).astype(int)
            last = ((np.array([east, north]) - self.low) // CELL_M).astype(int)
            self.near[first[0] : last[0] + 1, first[1] : last[1] + 1] = True

    def inside(self, mean: Floats, cov: Floats) -> Floats:
        """P(an uncertain point lies on searched ground), (n,)."""
        points = spread_points(mean, cov)
        cell = np.floor((points - self.low) / CELL_M).astype(int)
        asked = np.flatnonzero(np.all((cell >= 0) & (cell < self.near.shape), axis=1))
        asked = asked[self.near[cell[asked, 0], cell[asked, 1]]]
        hits = self.tree.query(np.asarray(shapely.points(points[asked]), dtype=object), predicate="intersects")[0]
        on = np.zeros(len(points))
        on[asked[hits]] = 1.0
        return np.asarray(on.reshape(-1, len(mean)).mean(axis=0))


def chance_completeness(region: NullRegion, ground: Ground, shift: Floats) -> Floats:
    """Completeness by each of `MATCHINGS` once the records are moved by `shift` over the torus.

    Moving the records one way is moving the finds with their searched ground the other way. Every device is
    wrapped by itself: a record that crosses the rim goes on at the other side.
    """
    mean = region.low + (region.mean - region.low + shift) % region.size if np.any(shift) else region.mean
    searched = ground.inside(mean, region.cov)
    found = [
        associate(
            item_mean=mean, item_cov=region.cov, item_presence=region.presence, item_category=region.category,
            item_record=region.record, item_searched=searched,
            find_position=region.find, find_variance=region.variance, find_category=region.find_category,
            detection=region.detection, clutter_density=clutter, area_m2=region.area_m2,
        )
        for clutter in MATCHINGS
    ]  # fmt: skip
    return np.array([one.recorded[region.verified].mean() for one in found])


def chance_matches(regions: int, shifts: int, seed: int) -> None:
    """Completeness as recorded minus its mean over random shifts, where records and ground are unrelated."""
    rng = np.random.default_rng(seed)
    print(f"\nPreset null, {regions} regions, {shifts} shifts each:\n", flush=True)
    rows: list[tuple[float, float, float, float]] = []
    start = time.perf_counter()
    for number in range(regions):
        region = null_region(seed + number)
        if not region.verified.any():
            continue
        ground = Ground(region.searched)
        if number == 0:
            everywhere = np.ones((len(region.searched), 1))
            same = chances_inside(region.mean, region.cov, region.searched, everywhere)[:, 0]
            np.testing.assert_allclose(ground.inside(region.mean, region.cov), same, atol=1e-12)
        drawn = rng.uniform(0.0, 1.0, (shifts, 2)) * region.size
        by_chance = np.mean([chance_completeness(region, ground, shift) for shift in drawn], axis=0)
        here = chance_completeness(region, ground, np.zeros(2))
        rows.append((float(here[0]), float(by_chance[0]), float(here[1]), float(by_chance[1])))
        spent = time.perf_counter() - start
        difference, error = _difference(rows, 0)
        print(f"{number + 1} regions, {spent:.0f} s: {difference:+.4f} +- {error:.4f}", file=sys.stderr, flush=True)
    _print_chance(rows, time.perf_counter() - start)


def _difference(rows: list[tuple[float, float, float, float]], at: int) -> tuple[float, float]:
    difference = np.array([row[at] - row[at + 1] for row in rows])
    error = difference.std(ddof=1) / math.sqrt(len(rows)) if len(rows) > 1 else math.nan
    return float(difference.mean()), float(error)


def _print_chance(rows: list[tuple[float, float, float, float]], seconds: float) -> None:
    print("| matching | as recorded | by chance | difference | standard error | within 0.02 |")
    print("|---|---|---|---|---|---|")
    for name, at in (("the most that can be matched (the value)", 0), ("the least (estimated clutter)", 2)):
        mean, error = _difference(rows, at)
        recorded, chance = (float(np.mean([row[k] for row in rows])) for k in (at, at + 1))
        verdict = "yes" if abs(mean) <= CHANCE_LIMIT else "NO"
        print(f"| {name} | {recorded:.4f} | {chance:.4f} | {mean:+.4f} | {error:.4f} | {verdict} |")
    print(f"\n{len(rows)} regions with finds on verified ground, {seconds:.0f} s", flush=True)


# --- (c) closed forms ------------------------------------------------------------------------------------


def traverse(bearing_sd_deg: float, scale_sd: float = 0.03) -> tuple[Network, Floats, Floats]:
    """Landmark, a traverse 180 m + 25 m, a row of 95 m with 20 devices (methods.md section 1)."""
    legs = np.array([180.0 * np.exp(0.7j), 25.0 * np.exp(2.0j), 95.0 * np.exp(-0.4j)])
    common, own = math.radians(bearing_sd_deg), math.radians(bearing_sd_deg / 2)
    errors = LegErrors(
        np.full((3, 3), common**2) + own**2 * np.eye(3),
        np.log1p(np.full((3, 3), scale_sd**2) + (scale_sd / 2) ** 2 * np.eye(3)),
    )
    chain = np.column_stack([np.ones(20), np.ones(20), np.linspace(0.0, 1.0, 20)])
    return Network(np.zeros(1, complex), 18.0**2 * np.eye(2), legs, errors), np.ones((20, 1)), chain


def moments_against_draws(draws: int, seed: int) -> None:
    """Relative Frobenius error of the joint covariance, and coverage of the last device's ellipses."""
    print(f"\nClosed form against {draws} draws, landmark + 3 legs + row of 20:\n")
    print("| bearing sd | Frobenius error | 50 % | 90 % | 99 % |\n|---|---|---|---|---|")
    rng = np.random.default_rng(seed)
    for degrees in (1.0, 2.0, 5.0, 10.0):
        network, base, chain = traverse(degrees)
        drawn = network.sample(base, chain, draws, rng)
        stacked = np.empty((draws, 40))
        stacked[:, 0::2], stacked[:, 1::2] = drawn.real, drawn.imag
        joint = network.joint_covariance(base, chain)
        error = np.linalg.norm(np.cov(stacked.T) - joint) / np.linalg.norm(joint)
        off = drawn[:, -1] - network.means(base, chain)[-1]
        pairs = np.column_stack([off.real, off.imag])
        squared = np.einsum("ni,ij,nj->n", pairs, np.linalg.inv(joint[-2:, -2:]), pairs)
        shares = " | ".join(f"{np.mean(squared <= limit):.4f}" for limit in CHI2.values())
        print(f"| {degrees:g} deg | {100 * error:.2f} % | {shares} |", flush=True)


# --- (d) what is still in the ground ---------------------------------------------------------------------


def remaining_devices(sets: int, seed: int) -> None:
    """Share of the 90 % intervals of the devices still in the ground that hold the truth; generator = model."""
    table = default_priors().table
    presence, detection = (tuple(table[k][v]) for k, v in (("presence", "beta"), ("search", "unknown_detection_beta")))
    print(f"\n90 % interval of what is still in the ground, {sets} sets a line, 20-120 recorded, 30-100 % searched:\n")
    print("| records | detection | coverage of ground | interval holds | mean width | bias of the median |")
    print("|---|---|---|---|---|---|")
    for records in (1, 8):
        for stated in (True, False):
            for factors in (np.ones(1), COVERAGE_FACTORS):
                rng = np.random.default_rng([seed, records, stated, len(factors)])
                rows = np.array([_one_account(records, stated, factors, presence, detection, rng) for _ in range(sets)])
                known, ground = "stated" if stated else "not known", "exact" if len(factors) == 1 else "as recorded"
                print(
                    f"| {records} | {known} | {ground} |"
                    f" {rows[:, 0].mean():.3f} | {rows[:, 1].mean():.1f} | {rows[:, 2].mean():+.2f} |",
                    flush=True,
                )


def _one_account(
    records: int, stated: bool, factors: Floats, presence: tuple[float, float], detection: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[bool, float, float]:  # fmt: skip
    """Draw records of one group from the model of `still_in_ground`; held, width, error of the median."""
    recorded = rng.integers(20, 121, records).astype(np.float64)
    size = 1.0 / COUNT_SPREAD**2
    spread = rng.negative_binomial(size, size / (size + recorded))
    laid = np.where(rng.random(records) < EXACT_COUNT_WEIGHT, recorded, spread)
    removed = np.minimum(rng.integers(0, 5, records), laid)
    of_group, concentration = presence_levels(presence)
    mean = rng.beta(*of_group)
    share = rng.beta(mean * concentration, (1.0 - mean) * concentration, records)
    present = rng.binomial((laid - removed).astype(np.int64), share)
    ground, said = rng.uniform(0.3, 1.0, records), rng.beta(*detection)
    trials = STATED_DETECTION_TRIALS
    chance = rng.beta(trials * said + 0.5, trials * (1.0 - said) + 0.5) if stated else said
    factor = rng.choice(factors)
    seen = factor * ground / (1.0 + (factor - 1.0) * ground) * chance
    found = rng.binomial(present, seen)
    none, group = np.zeros(records), np.zeros(records, dtype=np.int64)
    stating = (np.full(records, said), none) if stated else (none, np.ones(records))
    facts = RecordFacts(recorded, removed, found.astype(np.float64), ground, none, group, *stating, np.arange(records))
    told = still_in_ground(believe(facts, factors, 0.0, presence, detection), LEVEL, 2000, rng).together
    assert told is not None
    true, (low, high) = float((present - found).sum()), told.interval
    return low - 1e-9 <= true <= high + 1e-9, high - low, told.median - true


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("coverage", "chance", "moments", "remaining"))
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--regions", type=int, default=200)
    parser.add_argument("--shifts", type=int, default=200)
    parser.add_argument("--draws", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {os.cpu_count()} cores, seed {asked.seed}")
    if asked.only in (None, "moments"):
        moments_against_draws(asked.draws, asked.seed)
    if asked.only in (None, "coverage"):
        coverage_of_intervals(asked.sets, asked.seed)
    if asked.only in (None, "remaining"):
        remaining_devices(asked.sets, asked.seed)
    if asked.only in (None, "chance"):
        chance_matches(asked.regions, asked.shifts, asked.seed)


if __name__ == "__main__":
    main()
