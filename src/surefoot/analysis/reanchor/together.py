"""Records that lie over each other compete for the same finds and are corrected together.

Each record in turn is sampled while every other record near explains finds with the density its own placements give
there, starting from its prior; two more rounds settle who owns which find (a mean-field form of Gibbs sampling over the
records; methods.md section 2, failure mode c). A record without neighbours is sampled once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot.analysis.reanchor.ground import SearchedGround, Seen
from surefoot.analysis.reanchor.hypotheses import RecordPrior
from surefoot.analysis.reanchor.placements import Placement, placements_of
from surefoot.analysis.reanchor.posterior import (
    Posterior,
    RecordFacts,
    doubted,
    explore,
    reach_of,
    stranger_shares,
    within,
)
from surefoot.analysis.reanchor.sampler import Settings
from surefoot.analysis.same_field import same_field
from surefoot.errors import InRecord

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEAST_ELSEWHERE = 0.01
ROUNDS = 2
"""Rounds after the first, for records that compete."""
CHANGED = 1e-3
"""Least change of a chance that is worth new draws."""
DAMPING = 0.5
"""How far a record's density at the things seen moves in a round: at once, two like records would take turns."""


@dataclass(frozen=True)
class Subject:
    """A record as it enters: its hypotheses and facts, and two densities at each thing seen, (m,), per m2.

    `vague_density` is that of its devices that have no place of their own, `clutter` that of devices of no record.
    """

    prior: RecordPrior
    facts: RecordFacts
    vague_density: Floats
    clutter: Floats


@dataclass(frozen=True)
class Corrected:
    """A record after the finds: its posterior and what remains possible."""

    posterior: Posterior
    placements: tuple[Placement, ...]


@dataclass(frozen=True)
class Surroundings:
    """What all records of a case share."""

    seen: Seen
    searched: SearchedGround
    seed: int
    degrees_of_freedom: float
    settings: Settings


@dataclass(frozen=True)
class Work:
    """One record to be corrected, given the density of all others at each thing seen, (m,), per m2."""

    subject: Subject
    others: Floats

    @property
    def record_id(self) -> str:
        """Id of the record: what a runner calls the work by."""
        return self.subject.prior.record_id


Runner = Callable[[Callable[[Work], Corrected], Iterable[Work]], Iterable[Corrected]]


def correct_all(
    subjects: Sequence[Subject], around: Surroundings, runner: Runner | None = None
) -> tuple[Corrected, ...]:
    """Correct records, those that compete for finds together; in the order given.

    Parameters
    ----------
    subjects
        The records.
    around
        What was seen, and the settings.
    runner
        Maps a pure function over records, in their order; default: the plain `map`. Records that compete see each other
        as they stood in the round before: none has a find because it was looked at first.
    """
    order = sorted(range(len(subjects)), key=lambda n: subjects[n].prior.record_id)
    corrected = _correct_in_order([subjects[n] for n in order], around, runner or map)
    return tuple(corrected[place] for place in np.argsort(order).tolist())


def _correct_in_order(subjects: Sequence[Subject], around: Surroundings, runner: Runner) -> list[Corrected]:
    """Correct records in an order of their own; sums over rivals have the same digits in whatever order they came."""
    priors = [s.prior for s in subjects]
    rivals, here = (
        _of_other_fields(priors, found(priors, around.seen)) for found in (visited, competitors)
    )  # fmt: skip
    density = [_prior_density(s, around.seen) for s in subjects]
    step = _Step(around)
    corrected = list(runner(step, (Work(s, _others(density, rivals[n])) for n, s in enumerate(subjects))))
    contested = [
        n for n, c in enumerate(corrected) if len(here[n]) or (len(rivals[n]) and _elsewhere(c) > LEAST_ELSEWHERE)
    ]
    if contested:
        density = [_density(c, s, around.seen) for c, s in zip(corrected, subjects, strict=True)]
    for _ in range(ROUNDS if contested else 0):
        again = runner(step, [Work(subjects[n], _others(density, rivals[n])) for n in contested])
        for n, result in zip(contested, again, strict=True):
            corrected[n] = result
        for n in contested:
            density[n] = (1.0 - DAMPING) * density[n] + DAMPING * _density(corrected[n], subjects[n], around.seen)
    shares = stranger_shares([c.posterior for c in corrected]).tolist()
    return [_doubted(c, share, around.seed) for c, share in zip(corrected, shares, strict=True)]


def _doubted(corrected: Corrected, share: float, seed: int) -> Corrected:
    """Weigh a record's chance to have nothing to do with what was seen by what the others say of it."""
    posterior = doubted(corrected.posterior, share)
    if abs(posterior.stranger - corrected.posterior.stranger) < CHANGED:
        return corrected
    rng = stream_of(seed, posterior.prior.record_id).spawn(1)[0]
    return Corrected(posterior, placements_of(posterior, rng))


def _elsewhere(corrected: Corrected) -> float:
    """P(the record lies elsewhere than it reads): moved by a mistake onto ground of others, perhaps."""
    posterior = corrected.posterior
    first = posterior.prior.hypotheses[0].centroid
    far = [not s.stranger and abs(s.hypothesis.centroid - first) > 1.0 for s in posterior.sampled]
    return float(posterior.weight[np.array(far)].sum())


@dataclass(frozen=True)
class _Step:
    """Corrects one record given the density of the others; its random stream depends on its id alone."""

    around: Surroundings

    def __call__(self, work: Work) -> Corrected:
        with InRecord(work.record_id):
            return self._corrected(work.subject, work.others)

    def _corrected(self, subject: Subject, others: Floats) -> Corrected:
        rng = stream_of(self.around.seed, subject.prior.record_id)
        posterior = explore(
            subject.prior, subject.facts, self.around.seen, self.around.searched, rng=rng,
            degrees_of_freedom=self.around.degrees_of_freedom, clutter=subject.clutter,
            other_density=others + subject.vague_density, settings=self.around.settings,
        )  # fmt: skip
        return Corrected(posterior, placements_of(posterior, rng))


def stream_of(seed: int, record_id: str) -> np.random.Generator:
    """Return the random stream of a record: the same whatever other records there are and in whatever order."""
    digest = hashlib.sha256(record_id.encode()).digest()
    words = np.frombuffer(digest[:16], dtype=np.uint32).tolist()
    return np.random.default_rng(np.random.SeedSequence([seed, *words]))


def competitors(priors: Sequence[RecordPrior], seen: Seen) -> list[Ints]:
    """Other records that reach, as they read, a thing seen which this one reaches as it reads."""
    reads = _reached(priors, seen, every=False)
    return _sharing(reads, reads)


def visited(priors: Sequence[RecordPrior], seen: Seen) -> list[Ints]:
    """Other records that reach, as they read, a thing seen which this one reaches by any mistake.

    A slip of a coordinate may put a record onto the field of another: the finds there are that record's first.
    """
    return _sharing(_reached(priors, seen, every=True), _reached(priors, seen, every=False))


def _of_other_fields(priors: Sequence[RecordPrior], rivals: Sequence[Ints]) -> list[Ints]:
    """Leave out two forms of one field: they do not compete, the finds of the one are those of the other."""
    return [
        np.array([m for m in others.tolist() if not _one_field(priors[n], priors[m])], dtype=np.int64)
        for n, others in enumerate(rivals)
    ]


def _one_field(one: RecordPrior, other: RecordPrior) -> bool:
    a, b = one.hypotheses[0], other.hypotheses[0]
    points = [np.column_stack([(z := h.centroid + h.pattern).real, z.imag]) for h in (a, b)]
    sigma = float(np.sqrt(0.5 * (np.trace(a.covariance[:2, :2]) + np.trace(b.covariance[:2, :2]))))
    return same_field(points[0], points[1], sigma) is not None


def _reached(priors: Sequence[RecordPrior], seen: Seen, *, every: bool) -> npt.NDArray[np.float32]:
    sigma = np.minimum(np.sqrt(seen.variance), 15.0)
    reached = np.zeros((len(priors), len(seen)), dtype=np.float32)
    for n, prior in enumerate(priors):
        chosen = prior.hypotheses if every else prior.hypotheses[:1]
        reached[n, within(seen.position, sigma, [reach_of(h) for h in chosen])] = 1.0
    return reached


def _sharing(these: npt.NDArray[np.float32], those: npt.NDArray[np.float32]) -> list[Ints]:
    shared = these @ those.T > 0
    np.fill_diagonal(shared, False)
    return [np.flatnonzero(row) for row in shared]


def _others(density: Sequence[Floats], rivals: Ints) -> Floats:
    total = np.zeros_like(density[0])
    for n in rivals:
        total = total + density[n]
    return total


def _prior_density(subject: Subject, seen: Seen) -> Floats:
    """Density of a record's devices at each thing seen before any find: the mean over its hypotheses."""
    total = np.array(subject.vague_density)
    for h in subject.prior.hypotheses:
        swing = np.abs(h.pattern) ** 2 * (h.covariance[2, 2] + h.covariance[3, 3]) / 2.0
        variance = 0.5 * (h.covariance[0, 0] + h.covariance[1, 1]) + swing + h.own_variance
        places = h.centroid + h.pattern
        cov = variance[:, None, None] * np.eye(2)
        total = total + h.weight * _mixture(places, cov, subject.facts.presence, seen)
    return np.asarray(total)


def _density(corrected: Corrected, subject: Subject, seen: Seen) -> Floats:
    """The same after the finds: over the placements."""
    total = np.array(subject.vague_density)
    for p in (p for p in corrected.placements if not p.stranger):
        total = total + p.weight * _mixture(p.mean, p.item_covariance, subject.facts.presence, seen)
    return np.asarray(total)


def _mixture(places: npt.NDArray[np.complex128], cov: Floats, presence: Floats, seen: Seen) -> Floats:
    """Sum over the devices of presence times the normal density at each thing seen, (m,)."""
    result = np.zeros(len(seen))
    west, east = places.real.min(), places.real.max()
    south, north = places.imag.min(), places.imag.max()
    reach = 6.0 * np.sqrt(np.max(cov[:, [0, 1], [0, 1]]) + seen.variance)
    x, y = seen.position.T
    near = np.flatnonzero((x > west - reach) & (x < east + reach) & (y > south - reach) & (y < north + reach))
    for k in near:
        ee, nn = cov[:, 0, 0] + seen.variance[k], cov[:, 1, 1] + seen.variance[k]
        en, de, dn = cov[:, 0, 1], x[k] - places.real, y[k] - places.imag
        determinant = ee * nn - en**2
        squared = (nn * de**2 - 2.0 * en * de * dn + ee * dn**2) / determinant
        result[k] = float(np.sum(presence * np.exp(-0.5 * squared) / (2.0 * np.pi * np.sqrt(determinant))))
    return result


def by_id(subjects: Sequence[Subject], corrected: Sequence[Corrected]) -> Mapping[str, Corrected]:
    """Return the corrected records by record id."""
    return {s.prior.record_id: c for s, c in zip(subjects, corrected, strict=True)}
