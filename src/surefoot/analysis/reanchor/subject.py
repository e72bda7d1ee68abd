"""A record as it enters and as it leaves, and the density of its devices at each thing seen before and after."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot.analysis.reanchor.ground import Seen
from surefoot.analysis.reanchor.hypotheses import RecordPrior
from surefoot.analysis.reanchor.placements import Placement
from surefoot.analysis.reanchor.posterior import Posterior, RecordFacts

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Subject:
    """A record as it enters: its hypotheses and facts, and two densities at each thing seen, (m,), per m2.

    `vague_density` is that of its devices that have no place of their own, `clutter` that of devices of no record. What
    is dated before `since`, the earliest day on which it was laid, has nothing to do with it; NaT = not known.
    """

    prior: RecordPrior
    facts: RecordFacts
    vague_density: Floats
    clutter: Floats
    since: np.datetime64 = np.datetime64("NaT")  # noqa: RUF009 - a constant


@dataclass(frozen=True)
class Corrected:
    """A record after the finds: its posterior and what remains possible."""

    posterior: Posterior
    placements: tuple[Placement, ...]


@dataclass(frozen=True)
class Work:
    """One record to be corrected, given the density of all others at each thing seen, (m,), per m2."""

    subject: Subject
    others: Floats

    @property
    def record_id(self) -> str:
        """Id of the record: what a runner calls the work by."""
        return self.subject.prior.record_id


def of_others(density: Sequence[Floats], rivals: Iterable[int]) -> Floats:
    """Density of some records together at each thing seen, (m,)."""
    total = np.zeros_like(density[0])
    for n in rivals:
        total = total + density[n]
    return total


def density_before(subject: Subject, seen: Seen) -> Floats:
    """Density of a record's devices at each thing seen before any find: the mean over its hypotheses."""
    total = np.array(subject.vague_density)
    for h in subject.prior.hypotheses:
        swing = np.abs(h.pattern) ** 2 * (h.covariance[2, 2] + h.covariance[3, 3]) / 2.0
        variance = 0.5 * (h.covariance[0, 0] + h.covariance[1, 1]) + swing + h.own_variance
        places = h.centroid + h.pattern
        cov = variance[:, None, None] * np.eye(2)
        total = total + h.weight * _mixture(places, cov, subject.facts.presence, seen)
    return np.asarray(total)


def density_after(corrected: Corrected, subject: Subject, seen: Seen) -> Floats:
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
