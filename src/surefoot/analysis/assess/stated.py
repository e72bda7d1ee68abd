"""What the form of every record allows it to be off by: the hypotheses of re-anchoring, before any find."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from surefoot.analysis.accuracy.stated import StatedErrors
from surefoot.analysis.locate import Priors, Readings
from surefoot.analysis.reanchor.hypotheses import AS_READ, Hypothesis, RecordPrior, hypotheses_of
from surefoot.model import Case
from surefoot.positions.grid import Grid

Floats = npt.NDArray[np.float64]

STATED_AT = 3
"""Devices of each record at which its errors are taken: first, middle, last."""
MOST_RECORDS = 200
"""Records drawn to stand for all where there are more."""


def stated_errors(
    case: Case, located: Sequence[Readings], priors: Priors, grid: Grid, devices: Floats, rng: np.random.Generator
) -> StatedErrors:
    """Return the errors that each record's form allows: its readings, stated uncertainty and known gross mistakes.

    Parameters
    ----------
    devices : (records,)
        Devices whose own place is recorded.
    """
    made: dict[int, RecordPrior] = {}
    inside = _region(case, grid)
    for number in _drawn(case, devices, rng):
        own = priors.for_series(case.settings.series.get(case.records[number].series, {}))
        prior = hypotheses_of(located[number], own, grid.project, grid.crs)
        if prior is not None:
            made[number] = prior
    most = max((len(prior.hypotheses) for prior in made.values()), default=1)
    shape = (len(located), most)
    weight, gross = np.zeros(shape), np.zeros(shape, dtype=np.bool_)
    offset, cov = np.zeros((*shape, STATED_AT, 2)), np.zeros((*shape, STATED_AT, 3))
    for number, prior in made.items():
        read = next(h for h in prior.hypotheses if h.error == AS_READ)
        for slot, hypothesis in enumerate(h for h in prior.hypotheses if h is read or _lies(h, inside)):
            weight[number, slot], gross[number, slot] = hypothesis.weight, hypothesis.error != AS_READ
            offset[number, slot], cov[number, slot] = _errors(hypothesis, read)
    return StatedErrors(weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300), offset, cov, gross, devices)


def _region(case: Case, grid: Grid) -> tuple[Floats, Floats]:
    """South-west and north-east corner of the case's region, metres."""
    west, south, east, north = case.settings.region.bounds
    corners = grid.project(np.array([west, west, east, east]), np.array([south, north, south, north]))
    return corners.min(axis=0), corners.max(axis=0)


def _lies(hypothesis: Hypothesis, inside: tuple[Floats, Floats]) -> bool:
    """Whether the record would lie in the region: one of elsewhere is no record of this case."""
    at = np.array([hypothesis.centroid.real, hypothesis.centroid.imag])
    return bool(np.all((at >= inside[0]) & (at <= inside[1])))


def _drawn(case: Case, devices: Floats, rng: np.random.Generator) -> list[int]:
    """Draw records with devices, whatever the order they came in."""
    some = sorted(np.flatnonzero(devices > 0.0).tolist(), key=lambda number: case.records[number].record_id)
    if len(some) <= MOST_RECORDS:
        return some
    return [some[at] for at in rng.choice(len(some), MOST_RECORDS, replace=False)]


def _errors(hypothesis: Hypothesis, read: Hypothesis) -> tuple[Floats, Floats]:
    """Place by a hypothesis minus place as read, (k, 2) metres, and its covariance ee, en, nn, (k, 3) m2."""
    at = np.linspace(0, len(read.pattern) - 1, STATED_AT).round().astype(np.int64)
    pattern = hypothesis.pattern[at]
    moved = (hypothesis.centroid + pattern) - (read.centroid + read.pattern[at])
    # A clockwise turn moves a device at (e, n) by (n, -e), a log scale by (e, n).
    slope = np.zeros((STATED_AT, 2, 4))
    slope[:, 0, 0] = slope[:, 1, 1] = 1.0
    slope[:, 0, 2], slope[:, 1, 2] = pattern.imag, -pattern.real
    slope[:, 0, 3], slope[:, 1, 3] = pattern.real, pattern.imag
    full = slope @ hypothesis.covariance @ slope.transpose(0, 2, 1)
    own = hypothesis.own_variance[at]
    cov = np.column_stack([full[:, 0, 0] + own, full[:, 0, 1], full[:, 1, 1] + own])
    return np.column_stack([moved.real, moved.imag]), cov
