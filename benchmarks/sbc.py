"""Simulation-based calibration of re-anchoring: the generator is the fitted model (methods.md section 7, SBC).

A pattern, a gross error and a placement are drawn from the prior, devices and clutter laid out by the model, an
accident and a search that depends on nothing but what was seen; then the record is re-anchored. Over many runs the rank
of the true shift, turn and scale among the posterior's draws is uniform (Talts et al. 2018, arXiv 1804.06788). The band
is simultaneous over the points, the four parameters and the rows: the smallest pointwise binomial tail (Saeilynoja et
al. 2022, Stat. Comput. 32) against its distribution for uniform ranks. A second table ranks the parts of the
posterior's density at the truth in the same way (test quantities, Modrak et al. 2023, Bayesian Anal.): they tell which
part is wrong.

    python benchmarks/sbc.py                           # 200 runs at 2, 5, 10, 20 finds; 20 minutes on two cores

Prints a table for RESULTS.md; writes nothing.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import shapely
from scipy.stats import binom, kstest, multivariate_t

from surefoot.analysis.kernels import registration
from surefoot.analysis.reanchor.ground import SearchedGround, Seen
from surefoot.analysis.reanchor.hypotheses import AS_READ, END_FOR_END, MIRRORED, Hypothesis, RecordPrior, moved
from surefoot.analysis.reanchor.placements import overall, placements_of
from surefoot.analysis.reanchor.posterior import Posterior, RecordFacts, Sampled, explore
from surefoot.analysis.reanchor.sampler import PARAMETERS as FREE
from surefoot.analysis.reanchor.sampler import Settings, draw_prior, scratch_for
from surefoot.analysis.synthetic.ground import Site
from surefoot.analysis.synthetic.patterns import Pattern, draw_pattern
from surefoot.analysis.synthetic.presets import Preset, chosen_preset
from surefoot.analysis.synthetic.search import draw_accidents, draw_ground, search

Complexes = npt.NDArray[np.complex128]
Floats = npt.NDArray[np.float64]

COLUMNS = (2, 5, 10, 20)
WEIGHTS = {AS_READ: 0.82, END_FOR_END: 0.10, MIRRORED: 0.08}
CLUTTER_REACH_M = 250.0  # the model has clutter everywhere; no search goes farther
DEGREES_OF_FREEDOM = 4.0
DRAWS = 999
CHI2_90 = 4.605
PARAMETERS = ("shift east", "shift north", "turn", "log scale")
PARTS = ("assignments and rows", "accidents", "not found", "prior", "all")
PART_DRAWS = 199
UNIFORM = 20_000
"""Curves of uniform ranks that the band is taken from."""


@dataclass(frozen=True)
class Run:
    """One calibration run: where the truth lies among the draws, and whether what was stated holds."""

    rank: Floats  # (4,) in 0-1
    ellipse: float  # share of unfound devices inside their 90 % ellipse over all placements
    confidence: float
    hit: bool
    part_rank: Floats  # (5,) in 0-1
    part_gap: Floats  # (5,) log density at the truth less the draws' mean


@dataclass(frozen=True)
class Drawn:
    """A record and its ground as the model draws them, and what is true of them."""

    prior: RecordPrior
    facts: RecordFacts
    seen: Seen
    searched: SearchedGround
    true: Hypothesis
    state: Floats  # (1, 6)
    places: Complexes
    unfound: npt.NDArray[np.bool_]

    def explored(self, settings: Settings, rng: np.random.Generator) -> Posterior:
        return explore(
            self.prior, self.facts, self.seen, self.searched, rng=rng, degrees_of_freedom=DEGREES_OF_FREEDOM,
            settings=settings,
        )  # fmt: skip


Layout = Callable[[Preset, np.random.Generator], Pattern]


def draw(finds: int, number: int, seed: int, layout: Layout = draw_pattern) -> tuple[Drawn, np.random.Generator]:
    """Draw a record and its ground from the model; return the rest of the run's random stream too."""
    rng = np.random.default_rng([seed, finds, number])
    preset = replace(chosen_preset("nominal", None, None), max_finds_per_record=finds)
    prior, row = _prior(layout(preset, rng), preset, rng)
    true = prior.hypotheses[int(rng.choice(len(prior.hypotheses), p=[h.weight for h in prior.hypotheses]))]
    state = draw_prior(1, np.linalg.cholesky(true.covariance), DEGREES_OF_FREEDOM, rng)
    places = moved(state, true)[0] + _noise(row.max() + 1, preset.row_offset_sd_m, rng)[row]
    places = places + _noise(len(places), preset.scatter_sd_m, rng)
    density = preset.clutter * len(places) / _around(true.pattern, preset.clutter_reach_m).area
    site = _site(places, density, preset, rng)
    seen, searched, found = _looked(site, preset, rng)
    count = len(places)
    facts = RecordFacts(
        np.full(count, np.nan), np.zeros(count, np.int64), np.full(count, preset.presence), density,
        density / preset.clutter,
    )  # fmt: skip
    unfound = site.present[:count] & ~np.isin(np.arange(count), found)
    return Drawn(prior, facts, seen, searched, true, state, places, unfound), rng


def run(finds: int, number: int, seed: int, settings: Settings) -> Run:
    """Draw a record and its ground from the model, place it, and return where the truth lies."""
    drawn, rng = draw(finds, number, seed)
    posterior = drawn.explored(settings, rng)
    mean, covariance = overall(placements_of(posterior, rng))
    off = np.stack([(drawn.places - mean).real, (drawn.places - mean).imag], -1)
    inside = np.einsum("ni,nij,nj->n", off, np.linalg.inv(covariance), off) < CHI2_90
    best = int(np.argmax(posterior.weight))
    hit = posterior.sampled[best].hypothesis.error == drawn.true.error
    held = float(inside[drawn.unfound].mean()) if drawn.unfound.any() else np.nan
    rank = rank_of(posterior, drawn.state[0, :4], rng)
    parts = part_ranks(posterior, drawn.prior.hypotheses.index(drawn.true), drawn.state, rng)
    return Run(rank, held, float(posterior.weight[best]), hit, *parts)


def _prior(pattern: Pattern, preset: Preset, rng: np.random.Generator) -> tuple[RecordPrior, npt.NDArray[np.int64]]:
    """Return the prior of section 2: turn and scale act about the landmark, so they move the centroid too."""
    c, row = -pattern.landmark, pattern.row - 1
    turned, scaled = np.array([c.imag, -c.real]), np.array([c.real, c.imag])
    sd_turn = np.radians(preset.turn_sd_deg)
    lever = np.zeros((4, 4))
    lever[:2, 0], lever[:2, 1], lever[2, 0], lever[3, 1] = turned * sd_turn, scaled * preset.scale_sd, sd_turn, 1.0
    lever[3, 1] = preset.scale_sd
    covariance = lever @ lever.T + np.diag([preset.shift_sd_m**2, preset.shift_sd_m**2, 0.0, 0.0])
    count, first = len(row), np.flatnonzero(row == 0)
    shared = np.full(count, preset.row_offset_sd_m**2)
    plain = Hypothesis(
        AS_READ, 0, {}, WEIGHTS[AS_READ], 0j, pattern.places, covariance, shared + preset.scatter_sd_m**2, shared
    )
    along = pattern.places[first[-1]] - pattern.places[first[0]]
    shapes = {
        AS_READ: pattern.places,
        END_FOR_END: -pattern.places,
        MIRRORED: (along / abs(along)) ** 2 * np.conj(pattern.places),
    }
    made = tuple(replace(plain, error=name, weight=WEIGHTS[name], pattern=u) for name, u in shapes.items())
    return RecordPrior("R", np.arange(count), row.astype(str).astype(object), made), row


def _site(places: Complexes, density: float, preset: Preset, rng: np.random.Generator) -> Site:
    """Lay out the recorded devices and clutter of one density all around."""
    count, disc = len(places), _around(places, CLUTTER_REACH_M)
    west, south, east, north = disc.bounds
    number = int(rng.poisson(density * (east - west) * (north - south)))
    others = rng.uniform(west, east, number) + 1j * rng.uniform(south, north, number)
    present = np.concatenate([rng.random(count) < preset.presence, np.ones(number, dtype=bool)])
    nothing = np.full(count + number, "", dtype=object)
    return Site(
        (0.0, 0.0), np.concatenate([places, others]), present,
        np.concatenate([np.arange(count), np.full(number, -1)]), nothing, nothing,
    )  # fmt: skip


def _looked(site: Site, preset: Preset, rng: np.random.Generator) -> tuple[Seen, SearchedGround, Floats]:
    """Return what was seen, the ground searched, and which devices are accounted for."""
    one = draw_accidents(_within(site, rng), rng)
    first = replace(
        one, device=one.device[:1], reported=one.reported[:1], sigma_m=one.sigma_m[:1], day=one.day[:1],
        killed=one.killed[:1],
    )  # fmt: skip
    ground = draw_ground(site, first, preset, rng)
    log = search(ground, first, preset, rng)
    at = np.concatenate([ground.reported[log.device], first.reported])
    variance = np.concatenate([np.full(len(log.device), preset.gps_sd_m**2), first.sigma_m**2])
    nothing = np.full(len(at), "", dtype=object)
    seen = Seen(
        np.column_stack([at.real, at.imag]), variance, np.zeros(len(at), np.int64), nothing, nothing,
        np.full(len(at), np.nan),
    )  # fmt: skip
    searched = SearchedGround(np.array(log.polygons, dtype=object), np.full(len(log.polygons), preset.detection))
    return seen, searched, np.concatenate([log.device, first.device])


def _within(site: Site, rng: np.random.Generator) -> Site:
    """Only devices of the record's own surroundings have accidents: clutter far away would tell of nothing."""
    recorded = site.places[site.recorded >= 0]
    near = shapely.contains_xy(_around(recorded, 50.0), site.places.real, site.places.imag)
    return replace(site, present=site.present & near)


def _around(places: Complexes, reach_m: float) -> shapely.Polygon:
    return shapely.MultiPoint(np.column_stack([places.real, places.imag])).convex_hull.buffer(reach_m)


def _noise(count: int, sd: float, rng: np.random.Generator) -> Complexes:
    return np.asarray(rng.normal(0.0, sd, count) + 1j * rng.normal(0.0, sd, count))


def rank_of(posterior: Posterior, true: Floats, rng: np.random.Generator) -> Floats:
    """Randomised rank of the truth among draws of all hypotheses, 0-1."""
    drawn = np.concatenate([states[:, :4] for _, states in draws_of(posterior, DRAWS, rng)])
    return np.asarray(((drawn < true).sum(axis=0) + rng.random(4)) / (DRAWS + 1))


def draws_of(posterior: Posterior, count: int, rng: np.random.Generator) -> list[tuple[Sampled, Floats]]:
    """So many states of the posterior, hypothesis by hypothesis."""
    chosen = rng.multinomial(count, posterior.weight / posterior.weight.sum())
    drawn = []
    for sampled, share in zip(posterior.sampled, chosen, strict=True):
        if sampled.cloud is None:  # nothing seen bears on it: the prior stands
            factor = np.linalg.cholesky(sampled.hypothesis.covariance)
            states = draw_prior(int(share), factor, DEGREES_OF_FREEDOM, rng)
        else:
            states = sampled.cloud.states[rng.integers(0, len(sampled.cloud.states), share)]
        drawn.append((sampled, states))
    return drawn


def part_ranks(posterior: Posterior, which: int, true: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Randomised ranks of the parts of the log density at the truth (of hypothesis `which`), gaps to the mean draw."""
    here = parts_of(posterior.sampled[which], true)[0]
    there = np.concatenate([parts_of(*drawn) for drawn in draws_of(posterior, PART_DRAWS, rng) if len(drawn[1])])
    ties = (there == here).sum(axis=0) + 1
    rank = ((there < here).sum(axis=0) + rng.random(len(PARTS)) * ties) / (len(there) + 1)
    return np.asarray(rank), np.asarray(here - there.mean(axis=0))


def parts_of(sampled: Sampled, states: Floats) -> Floats:
    """Log density of each state in parts, (n, 5), the last being all; that of a bend is left out."""
    target, scratch = sampled.target, scratch_for(sampled.target)
    items, ints, floats = scratch.items, scratch.ints, scratch.floats
    covariance = sampled.hypothesis.covariance
    prior = multivariate_t.logpdf(states[:, :4], shape=covariance, df=DEGREES_OF_FREEDOM)
    prior = np.atleast_1d(prior) + np.log(sampled.hypothesis.weight)
    rows = []
    for state in np.ascontiguousarray(states[:, :FREE]):
        total, edges, row_count, _ = registration.assigned(
            state, target.pattern, scratch.cells, target.search, target.finds, target.base, items, ints, floats
        )
        total = registration.in_rows(
            total, edges, row_count, target.pattern, target.search, target.finds, items, ints, floats, True
        )
        taken = np.bincount(ints[0][:edges], floats[4][:edges], len(target.pattern))
        vague = registration.vague_terms(target.pattern, target.finds, target.base, target.search, items, taken)
        rows.append((total, vague, registration.absences(target.pattern, target.search, items, taken, -np.inf)))
    parts = np.column_stack([np.array(rows), prior])
    return np.column_stack([parts, parts.sum(axis=1)])


def smallest_tail(ranks: Floats) -> Floats:
    """Smallest two-sided binomial tail of the empirical distribution function over the points, by column."""
    count = len(ranks)
    points = np.arange(1, count) / count
    below = np.stack([np.searchsorted(np.sort(column), points, side="right") for column in ranks.T], axis=1)
    chance = points[:, None]
    tails = np.minimum(binom.cdf(below, count, chance), binom.sf(below - 1, count, chance))
    return np.asarray(2.0 * tails.min(axis=0))


def limits(count: int, curves: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Limits of the smallest tail that so many curves of uniform ranks keep together with 95 %."""
    alone = np.concatenate([smallest_tail(rng.random((count, 100))) for _ in range(UNIFORM // 100)])
    return np.asarray(np.quantile(alone, 1.0 - 0.95 ** (1.0 / np.array(curves))))


def report(columns: Mapping[int, list[Run]], seed: int) -> None:
    """Print the table, then whether all curves lie in the band that they keep together with 95 %."""
    count, curves = len(next(iter(columns.values()))), len(PARAMETERS)
    of_row, of_all = limits(count, (curves, curves * len(columns)), np.random.default_rng(seed))
    print(f"\n| finds | {' | '.join(PARAMETERS)} | band of 95 %, row alone | ellipse 90 % | confidence / hit |")
    print(f"|---{'|---' * (len(PARAMETERS) + 3)}|")
    tails = {finds: float(smallest_tail(np.array([r.rank for r in runs])).min()) for finds, runs in columns.items()}
    for finds, runs in columns.items():
        ranks = np.array([r.rank for r in runs])
        held = ((ranks > 0.05) & (ranks < 0.95)).mean(axis=0)
        cells = [f"{c:.3f} (p {kstest(r, 'uniform').pvalue:.2f})" for c, r in zip(held, ranks.T, strict=True)]
        verdict = _verdict(tails[finds], of_row)
        ellipse, sure, hit = (np.nanmean([getattr(r, f) for r in runs]) for f in ("ellipse", "confidence", "hit"))
        print(f"| {finds} | {' | '.join(cells)} | {verdict} | {ellipse:.3f} | {sure:.3f} / {hit:.3f} |")
    print(f"\nBand of 95 % over all {curves * len(columns)} curves: {_verdict(min(tails.values()), of_all)}")


def _verdict(tail: float, limit: float) -> str:
    return f"{'inside' if tail >= limit else 'OUTSIDE'} ({tail:.5f}, limit {limit:.5f})"


def report_parts(columns: Mapping[int, list[Run]]) -> None:
    """Print mean rank (uniform: 0.5), its p and the mean gap to the draws, part by part."""
    print(f"\n| finds | {' | '.join(PARTS)} | standard error of a mean rank |")
    print(f"|---{'|---' * (len(PARTS) + 1)}|")
    for finds, runs in columns.items():
        rank, gap = np.array([r.part_rank for r in runs]), np.array([r.part_gap for r in runs]).mean(axis=0)
        cells = [
            f"{r.mean():.3f} (p {kstest(r, 'uniform').pvalue:.4f}, {g:+.2f})" for r, g in zip(rank.T, gap, strict=True)
        ]
        print(f"| {finds} | {' | '.join(cells)} | {np.sqrt(1.0 / 12.0 / len(runs)):.3f} |")


def _one(work: tuple[int, int, int, Settings]) -> Run:
    return run(*work)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--finds", type=int, nargs="+", default=list(COLUMNS))
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--particles", type=int, default=Settings().particles)
    parser.add_argument("--sweeps", type=int, default=Settings().sweeps)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    for threads in ("OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(threads, "1")
    settings = Settings(asked.particles, asked.sweeps)
    print(f"{asked.runs} runs a row, seed {asked.seed}, {settings.particles} particles, {settings.sweeps} sweeps")
    columns = {}
    with ProcessPoolExecutor(asked.jobs) as pool:
        for finds in asked.finds:
            work = [(finds, number, asked.seed, settings) for number in range(asked.runs)]
            columns[finds] = list(pool.map(_one, work, chunksize=4))
            print(f"{finds} finds done", flush=True)
    report(columns, asked.seed)
    report_parts(columns)


if __name__ == "__main__":
    main()
