"""Tempered sequential Monte Carlo over the placements of one hypothesis.

The cloud starts as weighted draws of the prior and about the finds (docs/decisions/0019) and is led to the posterior
through powers of the likelihood chosen so that the effective sample size falls to a set share at each step; the product
of the mean increments is the evidence. Del Moral, Doucet and Jasra 2006, "Sequential Monte Carlo samplers", J. R. Stat.
Soc. B 68(3); settings from methods.md section 2.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree
from scipy.special import gammaln

from surefoot.analysis.kernels import registration
from surefoot.analysis.kernels.rows import VAGUE_VARIANCE_M2

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]
Ints = npt.NDArray[np.int64]
Singles = npt.NDArray[np.float32]

PARAMETERS = 6
NEAR_ENOUGH = 1.02
"""The step of the power is looked for until the effective sample size is no larger than that many times its share."""
ROUNDING = 1e-9
"""Variance of the weights of the first draws below which they are all alike."""
WORTH_THREADS = 20_000
"""Pairs of a find and a device from which the particles of a record are shared out over threads."""
BENDINGS = 2
"""How often every draw of a cloud is bent to see whether a slight bend would help."""
SPARE = 12
"""Neighbours looked at beside those wanted, so that which of equally far ones are taken hangs on their order alone."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How hard the sampler works. The default is the setting that passes the calibration (docs/decisions/0020).

    `last_lap` is the share of the wanted effective sample size that will do for the last step: another lap for a sliver
    of power costs more than it gives, where a lap has many sweeps (docs/decisions/0026).
    """

    particles: int = 800
    sweeps: int = 8
    effective_share: float = 0.6
    last_lap: float = 0.5
    first_draws: int = 16
    screened: int = 6
    most_steps: int = 60


@dataclass(frozen=True)
class Target:
    """What is sampled: the prior, the pattern and what was seen, all in metres from the hypothesis' centroid.

    Attributes
    ----------
    pattern : float array (n, 6)
        East, north, own variance (m2), presence, the part of the variance that a row shares (m2), number of the row.
    finds : float array (k, 3)
        East, north, variance (m2).
    base : float array (k, n)
        ``presence x agreement / (2 pi density of other explanations)``, m2.
    search
        Raster of ``Q``, its west and south edges and cell, metres.
    covariance : float array (free, free)
        Scale matrix of the Student t prior of the first `free` parameters.
    """

    pattern: Floats
    finds: Floats
    base: Floats
    search: registration.Search
    covariance: Floats
    degrees_of_freedom: float


@dataclass(frozen=True)
class Cloud:
    """Draws of one hypothesis' posterior (equal weights) and its log evidence against clutter alone."""

    states: Floats  # (N, 6)
    log_likelihood: Floats
    log_evidence: float
    steps: int


@dataclass(frozen=True)
class Scratch:
    """Arrays the kernels write into, made once a target."""

    cells: tuple[Ints, Ints, float, float, float, int, int]
    items: Floats
    ints: Ints
    floats: Floats


@dataclass(frozen=True)
class Crew:
    """Threads that share the particles of a target, each with scratch of its own; kernels let them run side by side.

    How many there are changes no bit: what a particle does hangs on numbers drawn before and on no other particle.
    """

    scratch: tuple[Scratch, ...]
    pool: ThreadPoolExecutor | None

    def share(self, count: int, work: Callable[[slice, Scratch], object]) -> None:
        """Do the work for particles 0 to `count`, each thread a part of them."""
        if self.pool is None:
            work(slice(0, count), self.scratch[0])
            return
        edges = np.linspace(0, count, len(self.scratch) + 1).astype(int).tolist()
        list(self.pool.map(work, [slice(*part) for part in pairwise(edges)], self.scratch))


@contextmanager
def crew_for(target: Target) -> Iterator[Crew]:
    """One thread for most records, one a core for a large one."""
    threads = (os.cpu_count() or 1) if target.base.size >= WORTH_THREADS else 1
    scratch = tuple(scratch_for(target) for _ in range(threads))
    if threads == 1:
        yield Crew(scratch, None)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield Crew(scratch, pool)


def scratch_for(target: Target) -> Scratch:
    """Return scratch arrays and the hash of the pattern for a target."""
    n, k = len(target.pattern), len(target.finds)
    size = max(n * max(k, 1), n, k, 1)
    return Scratch(hash_cells(target.pattern), np.zeros((n, 6)), np.zeros((4, size), np.int64), np.zeros((5, size)))


def hash_cells(pattern: Floats, size_m: float = 8.0) -> tuple[Ints, Ints, float, float, float, int, int]:
    """Sort the devices into square cells.

    Returns start of each cell, devices in cell order, west and south edge, size, columns, rows.
    """
    west, south = float(pattern[:, 0].min()), float(pattern[:, 1].min())
    column = ((pattern[:, 0] - west) // size_m).astype(np.int64)
    row = ((pattern[:, 1] - south) // size_m).astype(np.int64)
    columns, rows = int(column.max()) + 1, int(row.max()) + 1
    cell = row * columns + column
    start = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=columns * rows))]).astype(np.int64)
    return start, np.argsort(cell, kind="stable").astype(np.int64), west, south, size_m, columns, rows


def sample(target: Target, settings: Settings, rng: np.random.Generator) -> Cloud:
    """Draw the posterior of the placement under one hypothesis.

    Parameters
    ----------
    target
        Prior, pattern and what was seen.
    settings
        Number of particles, sweeps a step.
    rng
        Source of all randomness: the same state gives the same cloud, whatever the number of threads.
    """
    with crew_for(target) as crew:
        return _sample(target, settings, crew, rng)


def _sample(target: Target, settings: Settings, crew: Crew, rng: np.random.Generator) -> Cloud:
    """Draw and temper; the way goes through powers of the rough likelihood, the last lap starts with the fine one."""
    free = len(target.covariance)
    factor: Floats = np.asarray(np.linalg.cholesky(target.covariance), dtype=np.float64)
    whitener: Floats = np.asarray(np.linalg.inv(factor), dtype=np.float64)
    jumps = neighbours(target.pattern[:, :2])
    first = first_states(target, settings.first_draws * settings.particles, factor, crew, rng)
    states, lean = _screened(*first, settings, rng)
    likelihood = _likelihoods(target, states, crew, fine=False)
    prior = log_priors(states, whitener, target.degrees_of_freedom)
    power, log_evidence, steps, fine = 0.0, 0.0, 0, False
    while power < 1.0 and steps < settings.most_steps:
        share = settings.effective_share * settings.particles / len(states)
        step = _next_step(likelihood[:, 0], lean, power, share, settings.last_lap)
        if not fine and power + step >= 1.0:
            rough, likelihood, fine = likelihood[:, 0], _likelihoods(target, states, crew, fine=True), True
            lean = lean + power * (likelihood[:, 0] - rough)
            step = _next_step(likelihood[:, 0], lean, power, share, settings.last_lap)
        weight, gain = _increments(step * likelihood[:, 0] + lean)
        log_evidence += gain if steps else gain + _held(lean, step * likelihood[:, 0] + lean)
        power = min(1.0, power + step)
        chosen = _systematic(weight, settings.particles, rng)
        states, likelihood, prior = states[chosen].copy(), likelihood[chosen].copy(), prior[chosen].copy()
        lean = np.zeros(len(states))
        walk = _step_factor(states[:, :free])
        for _ in range(settings.sweeps):
            _sweep(target, states, likelihood, prior, power, walk, jumps, whitener, crew, rng, fine=fine)
        steps += 1
    return Cloud(states, likelihood[:, 0].copy(), log_evidence, steps)


def _screened(
    states: Floats, lean: Floats, part: Floats, settings: Settings, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Keep some of many first draws for the whole likelihood; return them and the log weights that make them the prior.

    Half are kept for a power of the first part of their likelihood, half whatever it is: the rest may speak for quite
    other places, where the finds are none of the record's.
    """
    kept = settings.screened * settings.particles
    if kept >= len(states):
        return states, lean
    power = _next_step(part, lean, 0.0, 0.5 * kept / len(states))
    mixed = 0.5 * _increments(lean)[0] + 0.5 * _increments(power * part + lean)[0]
    chosen = _systematic(mixed, kept, rng)
    return states[chosen], (lean - np.log(len(states) * mixed))[chosen]


def gain_of_bending(target: Target, cloud: Cloud, sd: float, rng: np.random.Generator) -> float:
    """Log of the evidence that stretch and shear of this sd would add to a cloud without them, roughly.

    By importance sampling: every draw of the cloud is bent `BENDINGS` times about one of the clear finds picked at
    random. What a turn would add to the bend is left out, so the gain is rather too small (docs/decisions/0024).
    """
    states = np.repeat(cloud.states, BENDINGS, axis=0)
    clear = target.finds[target.finds[:, 2] <= VAGUE_VARIANCE_M2]
    find = (clear[:, 0] + 1j * clear[:, 1])[rng.integers(len(clear), size=len(states))]
    own = np.asarray((find - states[:, 0] - 1j * states[:, 1]) / np.exp(states[:, 3] - 1j * states[:, 2]), complex)
    states[:, 4:] = sd * rng.standard_normal((len(states), 2))
    at = find - carried(states * [0, 0, 1, 1, 1, 1], own[:, None])[:, 0]
    states[:, 0], states[:, 1] = at.real, at.imag
    with crew_for(target) as crew:
        bent = _likelihoods(target, states, crew, fine=True)
    return _increments(bent[:, 0] - np.repeat(cloud.log_likelihood, BENDINGS))[1]


def evaluate(target: Target, states: Floats, scratch: Scratch) -> Floats:
    """Log likelihood of each state against clutter alone."""
    return _likelihoods(target, states, Crew((scratch,), None), fine=True)[:, 0]


def _likelihoods(target: Target, states: Floats, crew: Crew, *, fine: bool) -> Floats:
    """Log likelihood of each state and the first part of it, (n, 2)."""
    out = np.empty((len(states), 2))
    crew.share(len(states), lambda part, own: registration.log_likelihoods(
        states[part], target.pattern, own.cells, target.search, target.finds, target.base, own.items, own.ints,
        own.floats, fine, out[part],
    ))  # fmt: skip
    return out


def _first_looks(target: Target, states: Floats, crew: Crew) -> Floats:
    """First part of the log likelihood of each state and how near devices and finds lie in it, (n, 2)."""
    out = np.empty((len(states), 2))
    crew.share(len(states), lambda part, own: registration.first_parts(
        states[part], target.pattern, own.cells, target.search, target.finds, target.base, own.items, own.ints,
        own.floats, out[part],
    ))  # fmt: skip
    return out


def neighbours(places: Floats, near: int = 3) -> Ints:
    """Return pairs of neighbouring devices, (m, 2), each once: what an alias jump moves by."""
    about = KDTree(places).query(places, k=range(1, min(near + SPARE, len(places)) + 1))[1]
    about = np.sort(about, axis=1)  # of devices equally far off the first holds
    distance = np.hypot(*np.moveaxis(places[about] - places[:, None], 2, 0))
    closest = np.argsort(distance, axis=1, kind="stable")[:, : near + 1]
    one = np.repeat(np.arange(len(places)), closest.shape[1])
    other = np.take_along_axis(about, closest, axis=1).ravel()
    apart = np.take_along_axis(distance, closest, axis=1).ravel() > 0.0
    pairs = np.column_stack([np.minimum(one, other), np.maximum(one, other)])[apart]
    return np.unique(pairs, axis=0).astype(np.int64).reshape(-1, 2)


def draw_prior(count: int, factor: Floats, degrees_of_freedom: float, rng: np.random.Generator) -> Floats:
    """Draw states from the Student t prior with this Cholesky factor of its scale matrix, (count, 6)."""
    free = len(factor)
    normal = _linear(factor, rng.standard_normal((count, free)))
    width = np.sqrt(degrees_of_freedom / rng.chisquare(degrees_of_freedom, count))
    states = np.zeros((count, PARAMETERS))
    states[:, :free] = normal * width[:, None]
    return states


def log_priors(states: Floats, whitener: Floats, degrees_of_freedom: float) -> Floats:
    """Log density of the Student t prior up to a constant, (n,)."""
    free = len(whitener)
    squared = np.square(_linear(whitener, states[:, :free])).sum(axis=1)
    return np.asarray(-0.5 * (degrees_of_freedom + free) * np.log1p(squared / degrees_of_freedom))


def first_states(
    target: Target, count: int, factor: Floats, crew: Crew, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Draw where the sampler starts.

    Returns states (count, 6), the log weights that make them the prior and the first part of their log likelihood.

    Half of them are the prior's. The other half take turn and scale from the prior and lay a device onto a clear find,
    a pair picked at random: a narrow placement that few draws of the prior would meet is met by many of these.
    """
    states = draw_prior(count, factor, target.degrees_of_freedom, rng)
    clear = target.finds[:, 2] <= VAGUE_VARIANCE_M2
    find, device = np.nonzero(clear[:, None] & (target.base > 0.0))
    if len(find):
        _lay(target, states[count // 2 :], find, device, rng)
    looks = _first_looks(target, states, crew)
    if not len(find):
        return states, np.zeros(count), looks[:, 0].copy()
    given = _log_t(states[:, : len(factor)], target.covariance, target.degrees_of_freedom)
    given -= _log_t(states[:, 2 : len(factor)], target.covariance[2:, 2:], target.degrees_of_freedom)
    laid = np.log(np.maximum(looks[:, 1], 1e-300) / (2.0 * np.pi * len(find)))
    return states, -np.log(0.5 + 0.5 * np.exp(laid - given)), looks[:, 0].copy()


def _lay(target: Target, states: Floats, find: Ints, device: Ints, rng: np.random.Generator) -> None:
    """Shift states so that in each a device lies at a find, a pair of these picked at random; in place."""
    pick = rng.integers(len(find), size=len(states))
    find, device = find[pick], device[pick]
    own = target.pattern[device, 0] + 1j * target.pattern[device, 1]
    at = carried(states * [0, 0, 1, 1, 1, 1], own[:, None])[:, 0]
    sd = np.sqrt(target.finds[find, 2] + target.pattern[device, 2])[:, None]
    states[:, :2] = target.finds[find, :2] - np.column_stack([at.real, at.imag])
    states[:, :2] += sd * rng.standard_normal((len(states), 2))


def carried(states: Floats, places: Complexes) -> Complexes:
    """Take pattern places, (s, n) or (n,), east + i north about the centroid, to where each state puts them, (s, n)."""
    stretch, shear = states[:, 4:5], states[:, 5:6]
    east, north = places.real, places.imag
    bent = np.exp(stretch) * east + shear * north + 1j * (shear * east + np.exp(-stretch) * north)
    factor = np.exp(states[:, 3:4] - 1j * states[:, 2:3])
    return np.asarray(states[:, 0:1] + 1j * states[:, 1:2] + factor * bent)


def _linear(matrix: Floats, rows: Floats) -> Floats:
    """Apply a small matrix to every row, without the threads a BLAS would start for it."""
    return np.asarray(np.einsum("ij,kj->ik", rows, matrix))


def _log_t(values: Floats, covariance: Floats, degrees_of_freedom: float) -> Floats:
    """Log density of a multivariate Student t with this scale matrix, (n,)."""
    free = values.shape[1]
    factor = np.linalg.cholesky(covariance)
    squared = np.square(_linear(np.linalg.inv(factor), values)).sum(axis=1)
    whole = 0.5 * (degrees_of_freedom + free)
    constant = gammaln(whole) - gammaln(0.5 * degrees_of_freedom) - 0.5 * free * np.log(np.pi * degrees_of_freedom)
    return np.asarray(constant - np.log(np.diag(factor)).sum() - whole * np.log1p(squared / degrees_of_freedom))


def _increments(logs: Floats) -> tuple[Floats, float]:
    """Weights of one tempering step, summing to 1, and the log of their mean before that."""
    top = logs.max()
    raw = np.exp(logs - top)
    return raw / raw.sum(), float(top + np.log(raw.mean()))


def _held(lean: Floats, logs: Floats) -> float:
    """Return what is added to the log of the mean increment of the first step because the mean of its weights is known.

    The weights that make the first draws the prior have a mean of one: a control variate (Owen 2013, "Monte Carlo
    theory, methods and examples", chapter 9; where the weights are all alike, the ratio). Where nothing seen speaks
    for any place the increments are the weights themselves, and the evidence is exact.
    """
    drawn, raw = np.exp(lean), np.exp(logs - logs.max())
    mean, level = float(drawn.mean()), float(raw.mean())
    apart, rounding = drawn - mean, ROUNDING * len(drawn)
    slope = (float(apart @ raw) / level + rounding / mean) / (float(apart @ apart) + rounding)
    held = 1.0 - slope * (mean - 1.0)
    return float(np.log(held)) if abs(held - 1.0) < 0.5 else 0.0


def _next_step(likelihood: Floats, lean: Floats, power: float, share: float, last_lap: float = 1.0) -> float:
    """Step of the power after which the effective sample size is still `share` of the cloud, or a little more.

    For the step that ends the way `last_lap` of that share will do.
    """

    def effective(step: float) -> float:
        weight, _ = _increments(step * likelihood + lean)
        return float(1.0 / np.square(weight).sum() / len(weight))

    left = 1.0 - power
    if effective(left) >= last_lap * share:
        return left
    low, high = 0.0, left
    for _ in range(40):
        middle = 0.5 * (low + high)
        found = effective(middle)
        low, high = (middle, high) if found >= share else (low, middle)
        if share <= found < NEAR_ENOUGH * share:
            break
    return max(low, 1e-9)


def _systematic(weight: Floats, count: int, rng: np.random.Generator) -> Ints:
    """Resample systematically: `count` indices in ascending order."""
    edges = np.cumsum(weight)
    edges[-1] = 1.0
    return np.searchsorted(edges, (np.arange(count) + rng.random()) / count, side="right").astype(np.int64)


def _step_factor(states: Floats) -> Floats:
    """Cholesky factor of the cloud's covariance, kept positive."""
    cov = np.cov(states.T).reshape(states.shape[1], states.shape[1])
    cov += np.diag(np.maximum(np.diag(cov) * 1e-6, 1e-12))
    return np.asarray(np.linalg.cholesky(cov))


_WALK_SCALES = np.array([1.0, 0.3, 0.08])
_MOVES = np.array([registration.RANDOM_WALK] * 5 + [registration.ALIAS_JUMP] * 3 + [registration.TURN_ABOUT_FIND] * 2)


def _sweep(
    target: Target, states: Floats, likelihood: Floats, prior: Floats, power: float, walk: Floats, jumps: Ints,
    whitener: Floats, crew: Crew, rng: np.random.Generator, *, fine: bool,
) -> None:  # fmt: skip
    """One Metropolis step of every particle, in place."""
    count, free = len(states), len(walk)
    scale = rng.choice(_WALK_SCALES, count)
    steps = np.zeros((count, PARAMETERS))
    steps[:, :free] = _linear(walk, rng.standard_normal((count, free))) * scale[:, None]
    kind, choice = rng.choice(_MOVES, count).astype(np.int64), rng.random(count)
    threshold = np.log(1.0 - rng.random((count, 2)))
    crew.share(count, lambda part, own: registration.move(
        states[part], likelihood[part], prior[part], power, steps[part], kind[part], choice[part], threshold[part],
        jumps, whitener, free, target.degrees_of_freedom, target.pattern, own.cells, target.search, target.finds,
        target.base, own.items, own.ints, own.floats, fine,
    ))  # fmt: skip
