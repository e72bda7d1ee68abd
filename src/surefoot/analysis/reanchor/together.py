"""Records of one case are corrected together: those that lie over each other compete for the same finds.

Each record is sampled while every other record near explains finds with the density its prior gives there. Records that
claim what another may claim are then settled among themselves (`competition`; methods.md section 2, failure mode c). A
record without neighbours is sampled once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot.analysis.reanchor.competition import Competition, groups_of, settle
from surefoot.analysis.reanchor.ground import SearchedGround, Seen
from surefoot.analysis.reanchor.hypotheses import RecordPrior
from surefoot.analysis.reanchor.placements import placements_of
from surefoot.analysis.reanchor.posterior import doubted, explore, reach_of, stranger_shares, within
from surefoot.analysis.reanchor.sampler import Settings
from surefoot.analysis.reanchor.subject import Corrected, Subject, Work, density_after, density_before, of_others
from surefoot.analysis.same_field import same_field
from surefoot.errors import InRecord

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEAST_CLAIMED = 0.01
"""Things seen about another record that a record claims, from which the two compete."""
CHANGED = 1e-3
"""Least change of a chance that is worth new draws."""


@dataclass(frozen=True)
class Surroundings:
    """What all records of a case share."""

    seen: Seen
    searched: SearchedGround
    seed: int
    degrees_of_freedom: float
    settings: Settings


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
        Maps a pure function over records, in their order; default: the plain `map`.
    """
    order = sorted(range(len(subjects)), key=lambda n: subjects[n].prior.record_id)
    corrected = _correct_in_order([subjects[n] for n in order], around, runner or map)
    return tuple(corrected[place] for place in np.argsort(order).tolist())


def _correct_in_order(subjects: Sequence[Subject], around: Surroundings, runner: Runner) -> list[Corrected]:
    """Correct records in an order of their own; sums over rivals have the same digits in whatever order they came."""
    priors = [s.prior for s in subjects]
    reads, reaches = (_reached(priors, around.seen, every=every) for every in (False, True))
    rivals, here = (_of_other_fields(priors, _sharing(these, reads)) for these in (reaches, reads))
    density = [density_before(s, around.seen) for s in subjects]
    step = _Step(around)
    corrected = list(runner(step, (Work(s, of_others(density, rivals[n])) for n, s in enumerate(subjects))))
    claims = [len(here[n]) > 0 or _claimed(c, reads[rivals[n]]) > LEAST_CLAIMED for n, c in enumerate(corrected)]
    groups = groups_of(np.flatnonzero(claims).tolist(), rivals)
    if groups:
        density = [density_after(c, s, around.seen) for c, s in zip(corrected, subjects, strict=True)]
        competition = Competition(subjects, rivals, around.seen, lambda work: runner(step, work))
        for n, result in settle(groups, density, competition).items():
            corrected[n] = result
    shares = stranger_shares([c.posterior for c in corrected]).tolist()
    return [_doubted(c, share, around.seed) for c, share in zip(corrected, shares, strict=True)]


def _doubted(corrected: Corrected, share: float, seed: int) -> Corrected:
    """Weigh a record's chance to have nothing to do with what was seen by what the others say of it."""
    posterior = doubted(corrected.posterior, share)
    if abs(posterior.stranger - corrected.posterior.stranger) < CHANGED:
        return corrected
    rng = stream_of(seed, posterior.prior.record_id).spawn(1)[0]
    return Corrected(posterior, placements_of(posterior, rng))


def _claimed(corrected: Corrected, reads: npt.NDArray[np.float32]) -> float:
    """Number of things seen that the record claims and another record reaches as it reads; `reads` (others, m)."""
    disputed = np.asarray(reads.any(axis=0))[corrected.posterior.find]
    return float(sum(p.weight * p.p_find[disputed].sum() for p in corrected.placements if not p.stranger))


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
            subject.prior, subject.facts, self.around.seen.since(subject.since),
            self.around.searched.since(subject.since), rng=rng,
            degrees_of_freedom=self.around.degrees_of_freedom, clutter=subject.clutter,
            other_density=others + subject.vague_density, settings=self.around.settings,
        )  # fmt: skip
        return Corrected(posterior, placements_of(posterior, rng))


def stream_of(seed: int, record_id: str) -> np.random.Generator:
    """Return the random stream of a record: the same whatever other records there are and in whatever order."""
    digest = hashlib.sha256(record_id.encode()).digest()
    words = np.frombuffer(digest[:16], dtype=np.uint32).tolist()
    return np.random.default_rng(np.random.SeedSequence([seed, *words]))


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
