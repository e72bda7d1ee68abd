"""The next-search proposals against a random search near finds and against a greedy one (methods.md section 2).

Each record of the pinned nominal preset starts from one accident. A way of choosing then places 24 searches of 25 m2,
one after the other, from what was seen so far and nothing else; the ground answers from the truth. Compared are devices
found and how well the record is placed afterwards.

    python benchmarks/nextstrip.py                     # 40 records, about half an hour on one core
    python benchmarks/nextstrip.py --records 2         # to see that it runs
    python benchmarks/nextstrip.py --part 0 20 --save a.json    # in parts, then: --report a.json b.json

The random search is the simulator's own (around the accident and the finds, as reported, anywhere within a reach, the
freshest of three tries), with patches of the sizes compared here. It is run at several reaches; the pinned one of the
preset is 60 m (decision 0012), shorter ones stay closer to finds. Prints tables for RESULTS.md.
Intervals are 90 % bootstrap intervals over records.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from surefoot.analysis.locate import LocateContext, category_of_label, locate
from surefoot.analysis.matching import category_numbers
from surefoot.analysis.nextstrip import BOX, LANE, Limits, Search, Strip, propose
from surefoot.analysis.nextstrip.strips import LANE_SHARE
from surefoot.analysis.reanchor.ground import SearchedGround, Seen
from surefoot.analysis.reanchor.hypotheses import RecordPrior, hypotheses_of
from surefoot.analysis.reanchor.placements import Placement, placements_of
from surefoot.analysis.reanchor.posterior import Posterior, RecordFacts, explore
from surefoot.analysis.reanchor.sampler import Settings
from surefoot.analysis.synthetic import simulate
from surefoot.model import Where
from surefoot.positions.grid import grid_at
from surefoot.readers.forms.documents import FormDocument
from surefoot.readers.forms.parse import parse_form
from surefoot.readers.priors import default_priors

Complexes = npt.NDArray[np.complex128]
Floats = npt.NDArray[np.float64]

SEARCHES, DETECTION, GPS_M = 24, 0.95, 1.0
CLOSE_M, MUST = 3.0, 2.5
RANDOM_REACH_M = (60.0, 30.0, 20.0, 10.0)
TRIES = 3
OWN_GROUND_M = 400.0  # fields stand 1,200 m apart
CLUTTER, CLUTTER_REACH_M, PRESENCE = 0.15, 50.0, 0.85  # of the preset


@dataclass(frozen=True)
class Field:
    """One record and its ground: `own` are the rows of its devices in the order of its prior."""

    prior: RecordPrior
    facts: RecordFacts
    places: Complexes
    reported: Complexes
    findable: npt.NDArray[np.bool_]
    own: npt.NDArray[np.int64]
    unfound: npt.NDArray[np.bool_]  # present and not in the accident, by device of the prior
    accident: complex
    accident_sigma_m: float


class World:
    """The region of the run; the accidents are all that was seen."""

    def __init__(self, records: int, seed: int) -> None:
        self.seed = seed
        still = {"search_steps": (0, 0), "cleared_share": 0.0}
        self.region = simulate("nominal", rng=np.random.default_rng(seed), records=records, overrides=still)
        centre = self.region.settings.region.centroid
        self.grid = grid_at(self.region.settings.crs, centre.x, centre.y)
        self.priors = default_priors()
        devices = self.region.truth.devices
        self.true = self._complex(devices.longitude, devices.latitude)

    def _complex(self, longitude: Floats, latitude: Floats) -> Complexes:
        return self.grid.project(longitude, latitude) @ np.array([1.0, 1.0j])

    def field(self, number: int) -> Field:
        """Return a record with its ground; what a search could find there is drawn once."""
        form, truth = self.region.forms[number], self.region.truth.devices
        record = parse_form(FormDocument(Where("f.yaml", row=1), form["record_id"], form))
        context = LocateContext(self.priors, series=self.region.settings.series)
        readings = locate(record, context=context)
        priors = self.priors.for_series(self.region.settings.series[record.series])
        prior = hypotheses_of(readings, priors, self.grid.project, self.grid.crs)
        mine = np.flatnonzero(truth.record_id == record.record_id)
        key = {(r, i): m for m, r, i in zip(mine, truth.row[mine], truth.index[mine], strict=True)}
        index = readings.best.items.index[prior.item]
        device = np.array([key[(str(r), float(i))] for r, i in zip(prior.row, index, strict=True)])
        centre = self.true[device].mean()
        around = np.flatnonzero((np.abs(self.true - centre) < OWN_GROUND_M) & (truth.present == 1))
        rng = np.random.default_rng([self.seed, number, 1])
        named = truth.accident_id[around]
        first = int(np.flatnonzero(self.region.accidents.id == min(named[named != ""]))[0])
        gone = truth.accident_id == self.region.accidents.id[first]
        findable = (rng.random(len(around)) < DETECTION) & ~gone[around]
        noise = rng.normal(0.0, GPS_M, len(around)) + 1j * rng.normal(0.0, GPS_M, len(around))
        accident = self._complex(
            self.region.accidents.longitude[first : first + 1], self.region.accidents.latitude[first : first + 1]
        )
        places = self.true[around]
        return Field(
            prior, facts_of(prior, readings.best.items), places, places + noise, findable,
            device, (truth.present[device] == 1) & ~gone[device],
            complex(accident[0]), float(self.region.accidents.sigma_m[first]),
        )  # fmt: skip


def facts_of(prior: RecordPrior, items: Any) -> RecordFacts:
    """What is known of the devices, with the preset's own presence and clutter."""
    models = items.model[prior.item]
    category = category_numbers(np.array([category_of_label(model) for model in models], dtype=object))
    pattern = prior.hypotheses[0].pattern
    around = shapely.MultiPoint(np.column_stack([pattern.real, pattern.imag])).convex_hull.buffer(CLUTTER_REACH_M)
    count = len(prior.item)
    density = count / around.area
    return RecordFacts(items.index[prior.item], category, np.full(count, PRESENCE), CLUTTER * density, density)


def interval(values: Floats, of: Callable[..., Any], rng: np.random.Generator) -> str:
    """Return a figure with its 90 % bootstrap interval."""
    drawn = of(values[rng.integers(0, len(values), (2000, len(values)))], axis=1)
    low, high = np.quantile(drawn, [0.05, 0.95])
    return f"{of(values):.2f} ({low:.2f}-{high:.2f})"


@dataclass
class Day:
    """What was seen and searched so far."""

    field: Field
    shapes: list[shapely.Polygon]
    found: list[int]
    settings: Settings
    promised: float = 0.0

    def posterior(self, rng: np.random.Generator) -> tuple[Posterior, tuple[Placement, ...], SearchedGround]:
        """Correct the record from what was seen so far."""
        at = np.array([self.field.accident, *self.field.reported[self.found]])
        count = len(at)
        variance = np.array([self.field.accident_sigma_m**2, *[GPS_M**2] * len(self.found)])
        nothing = np.full(count, "", dtype=object)
        seen = Seen(
            np.column_stack([at.real, at.imag]), variance, np.zeros(count, dtype=np.int64), nothing, nothing,
            np.full(count, np.nan),
        )  # fmt: skip
        shapes = np.empty(len(self.shapes), dtype=object)
        shapes[:] = self.shapes
        ground = SearchedGround(shapes, np.full(len(shapes), DETECTION))
        posterior = explore(self.field.prior, self.field.facts, seen, ground, rng=rng, settings=self.settings)
        return posterior, placements_of(posterior, rng), ground

    def work(self, strip: Strip) -> None:
        """Search a strip: devices in it that can be found and were not yet."""
        inside = shapely.contains_xy(strip.shape, self.field.places.real, self.field.places.imag)
        fresh = inside & self.field.findable
        fresh[self.found] = False
        self.found += np.flatnonzero(fresh).tolist()
        self.shapes.append(strip.shape)


Choice = Callable[[Day, np.random.Generator], Strip]


def at_random(reach_m: float) -> Choice:
    """Around the accident or a find as reported, the freshest of a few tries; the record plays no part."""

    def choose(day: Day, rng: np.random.Generator) -> Strip:
        anchors = [day.field.accident, *day.field.reported[day.found]]
        kind = LANE if rng.random() < LANE_SHARE else BOX
        worked = np.array([complex(s.centroid.x, s.centroid.y) for s in day.shapes] or [np.inf])
        tried = []
        for _ in range(TRIES):
            heading, off = np.exp(2j * np.pi * rng.random()), reach_m * np.sqrt(rng.random())
            middle = anchors[rng.integers(len(anchors))] + off * np.exp(2j * np.pi * rng.random())
            length = Strip(kind, 0j, 1 + 0j).length_m
            tried.append(
                (np.abs(worked - middle).min(), Strip(kind, complex(middle - heading * length / 2), complex(heading)))
            )
        return max(tried, key=lambda one: one[0])[1]

    return choose


def proposed(information_worth: float) -> Choice:
    """The best proposal over the posterior of what was seen so far."""
    search = Search(DETECTION, information_worth=information_worth)

    def choose(day: Day, rng: np.random.Generator) -> Strip:
        posterior, placements, ground = day.posterior(rng)
        best = propose(posterior, placements, ground, Limits(), search, count=1, rng=rng)
        if not best:
            return at_random(RANDOM_REACH_M[0])(day, rng)
        day.promised += best[0].expected_finds
        return best[0].strip

    return choose


@dataclass(frozen=True)
class Outcome:
    """One record after all searches. Metres; `sigma_m` is the middle device's, per axis, as stated.

    `promised` is the sum of the finds expected of the proposals, each when it was made.
    """

    finds: int
    promised: float
    error_m: float
    sigma_m: float


def run(field: Field, choose: Choice, settings: Settings, rng: np.random.Generator) -> Outcome:
    """Place the searches one by one and hold the record against the truth at the end."""
    day = Day(field, [], [], settings)
    for _ in range(SEARCHES):
        day.work(choose(day, rng))
    _, placements, _ = day.posterior(rng)
    return judged(field, placements[0], day)


def judged(field: Field, best: Placement, day: Day) -> Outcome:
    """Error of the best placement at the record's devices that are there and were not found."""
    true = _world[0].true[field.own]
    found = np.isin(true, field.places[day.found])
    error = np.abs(best.mean - true)[field.unfound & ~found]
    spread = np.sqrt(0.5 * np.trace(best.item_covariance, axis1=1, axis2=2))
    left = float(np.median(error)) if len(error) else np.nan  # nothing is left to be found
    return Outcome(len(day.found), day.promised, left, float(np.median(spread)))


_world: list[World] = []


def report(outcomes: Mapping[str, list[Outcome]], rng: np.random.Generator) -> None:
    """Print the table and the verdicts."""
    heads = ("way", "finds in 600 m2", "promised", "median error, m", "share < 3 m", "stated sigma, m")
    print(f"\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for name, run_ in outcomes.items():
        finds, error = np.array([float(o.finds) for o in run_]), np.array([o.error_m for o in run_])
        mean = np.mean([o.promised for o in run_])
        was_promised = f"{mean:.1f}" if mean > 0.0 else "-"
        cells = [
            interval(finds, np.mean, rng), was_promised,
            interval(error[np.isfinite(error)], np.median, rng),
            interval((error < CLOSE_M).astype(float), np.mean, rng),
            f"{np.median([o.sigma_m for o in run_]):.1f}",
        ]  # fmt: skip
        print(f"| {name} | {' | '.join(cells)} |")
    if "information and finds" not in outcomes:
        return
    ours = np.array([o.finds for o in outcomes["information and finds"]])
    print()
    for name, run_ in outcomes.items():
        if name.startswith("random"):
            theirs = np.array([o.finds for o in run_])
            drawn = rng.integers(0, len(ours), (2000, len(ours)))
            ratio = ours[drawn].mean(axis=1) / np.maximum(theirs[drawn].mean(axis=1), 1e-9)
            low, high = np.quantile(ratio, [0.05, 0.95])
            value = ours.mean() / max(theirs.mean(), 1e-9)
            print(f"- finds per m2 against {name}: {value:.2f} ({low:.2f}-{high:.2f}), must >= {MUST}: "
                  f"{'reached' if value >= MUST else 'NOT reached'}")  # fmt: skip


def together(parts: Sequence[Path]) -> dict[str, list[Outcome]]:
    """Put saved parts behind one another, in the order given."""
    result: dict[str, list[Outcome]] = {}
    for part in parts:
        for name, saved in json.loads(part.read_text(encoding="utf-8")).items():
            result.setdefault(name, []).extend(Outcome(**one) for one in saved)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--particles", type=int, default=800)
    parser.add_argument("--sweeps", type=int, default=3)
    parser.add_argument("--ways", nargs="+", choices=("random", "finds", "information"), default=[])
    parser.add_argument("--part", type=int, nargs=2, metavar=("FIRST", "END"), help="only these records of the region")
    parser.add_argument("--save", type=Path, help="write what came out, for --report")
    parser.add_argument("--report", type=Path, nargs="+", help="print the tables of saved parts and stop")
    asked = parser.parse_args()
    if asked.report:
        report(together(asked.report), np.random.default_rng(asked.seed))
        return
    settings = Settings(asked.particles, asked.sweeps)
    _world[:] = [World(asked.records, asked.seed)]
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, one process, {asked.records} records,"
        f" seed {asked.seed}, {settings.particles} particles, {settings.sweeps} sweeps"
    )
    ways: dict[str, Choice] = {f"random within {reach:g} m": at_random(reach) for reach in RANDOM_REACH_M}
    ways |= {"expected finds alone": proposed(0.0), "information and finds": proposed(1.0)}
    every = ways
    if asked.ways:
        ways = {name: way for name, way in ways.items() if any(one in name.split()[:2] for one in asked.ways)}
    outcomes: dict[str, list[Outcome]] = {name: [] for name in ways}
    began = time.process_time()
    for number in range(*(asked.part or (0, asked.records))):
        field = _world[0].field(number)
        for name, choose in ways.items():
            rng = np.random.default_rng([asked.seed, number, 2 + list(every).index(name)])
            outcomes[name].append(run(field, choose, settings, rng))
        shown = ", ".join(f"{name} {run_[-1].finds} / {run_[-1].error_m:.1f}" for name, run_ in outcomes.items())
        print(f"{number}: {shown} ({time.process_time() - began:.0f} s)", flush=True)
        if asked.save:
            saved = {name: [dataclasses.asdict(one) for one in run_] for name, run_ in outcomes.items()}
            asked.save.write_text(json.dumps(saved), encoding="utf-8")
    report(outcomes, np.random.default_rng(asked.seed))


if __name__ == "__main__":
    main()
