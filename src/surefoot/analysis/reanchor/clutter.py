"""Devices of no record about a record: how many to expect where, before any find (`[clutter]` of the priors).

They are taken to lie over the record's outline and a margin about it, wherever the record truly is, and thinly beyond.
A thing seen whose place is vague may lie anywhere within its error, so the density at it is the mean over that error.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import shapely
from scipy.special import ndtri
from scipy.stats import qmc
from shapely.geometry.base import BaseGeometry

from surefoot.analysis.reanchor.ground import Seen
from surefoot.analysis.reanchor.hypotheses import Hypothesis, RecordPrior

Floats = npt.NDArray[np.float64]

_POINTS = 64
_FARTHEST_SIGMAS = 4.0


@dataclass(frozen=True)
class Clutter:
    """Densities per m2.

    Attributes
    ----------
    near
        Of devices of no record, over the outline and its margin.
    own
        Of the record's own devices over the same ground.
    at_seen : float array (m,)
        Of devices of no record at each thing seen.
    """

    near: float
    own: float
    at_seen: Floats


def expected_clutter(prior: RecordPrior, seen: Seen, *, share: float, reach_m: float, beyond: float) -> Clutter:
    """Return how dense devices of no record are expected to lie.

    Parameters
    ----------
    prior, seen
        The record before any find, and what was seen.
    share
        Devices of no record per recorded one.
    reach_m
        Margin about the record's outline over which they are spread.
    beyond
        Density farther out as a share of that.
    """
    first = prior.hypotheses[0]
    outline = _outline(first, reach_m)
    own = len(prior.item) / float(outline.area)
    near = share * own
    inside = np.zeros(len(seen))
    for hypothesis in _apart(prior):
        np.maximum(inside, _chance_inside(outline, first, hypothesis, seen), out=inside)
    return Clutter(near, own, near * (beyond + (1.0 - beyond) * inside))


def _outline(hypothesis: Hypothesis, reach_m: float) -> BaseGeometry:
    """Outline of the pattern about its centroid with the margin, metres."""
    u = hypothesis.pattern
    return shapely.MultiPoint(np.column_stack([u.real, u.imag])).convex_hull.buffer(reach_m)


def _apart(prior: RecordPrior) -> list[Hypothesis]:
    """Hypotheses that put the record at different places."""
    kept: list[Hypothesis] = []
    for hypothesis in prior.hypotheses:
        if all(abs(hypothesis.centroid - other.centroid) > 1.0 for other in kept):
            kept.append(hypothesis)
    return kept


def _chance_inside(outline: BaseGeometry, first: Hypothesis, hypothesis: Hypothesis, seen: Seen) -> Floats:
    """P(the true place of each thing seen lies in the outline, wherever the record's own error puts it)."""
    east, north = (seen.position - [hypothesis.centroid.real, hypothesis.centroid.imag]).T
    own = 0.5 * (hypothesis.covariance[0, 0] + hypothesis.covariance[1, 1])
    sigma = np.sqrt(seen.variance + own)
    radius = float(np.abs(first.pattern).max()) + float(np.sqrt(outline.area))
    near = np.flatnonzero(np.hypot(east, north) < radius + _FARTHEST_SIGMAS * sigma)
    result = np.zeros(len(seen))
    if len(near):
        unit = normal_points()
        x = east[near] + unit[:, :1] * sigma[near]
        y = north[near] + unit[:, 1:] * sigma[near]
        shapely.prepare(outline)
        result[near] = shapely.contains_xy(outline, x, y).mean(axis=0)
    return result


@cache
def normal_points() -> Floats:
    """Evenly spread points of a standard normal distribution in the plane, (64, 2)."""
    return np.asarray(ndtri(qmc.Sobol(2, scramble=False).random(_POINTS) + 0.5 / _POINTS), dtype=np.float64)
