"""How far off corrected positions still may be, as the posterior of re-anchoring states it (ISO 19157 44, 45).

No root mean square is given: one placement in a thousand that lies in another zone would be all of it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.special import chndtr

from surefoot.analysis.accuracy.measures import LEVEL, Measure, not_known
from surefoot.analysis.accuracy.positional import FEWEST_CLUSTERS, bootstrap_weights
from surefoot.terms import Stage

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_DRAWS = 400
_RADII_M = np.concatenate([[0.0], np.geomspace(0.1, 10_000.0, 300)])
_METHOD = "covariances of the posterior; Bayesian bootstrap over records"
_WORDS = (
    "Corrected positions of recorded devices that are still in the ground, each weighted by the chance that it is; "
    "the error that the posterior of re-anchoring states over all placements that remain possible, not one that was "
    "measured. "
)


def remaining_errors(
    offset_m: Floats, variance_m2: Floats, weight: Floats, record: Ints, *, rng: np.random.Generator,
    scope: str = "all", level: float = LEVEL,
) -> tuple[Measure, ...]:  # fmt: skip
    """Summarise how far devices that were not found may be from the best placement's positions.

    Parameters
    ----------
    offset_m : (n,)
        One line per device and placement: distance of its place there from its place in the best placement.
    variance_m2 : (n,)
        Mean variance per axis of its place there.
    weight : (n,)
        P(that placement is the true one and the device is still in the ground).
    record : (n,)
        Its record; one record is one cluster.
    """
    names, cluster = np.unique(record, return_inverse=True)
    enough = names.size >= FEWEST_CLUSTERS and float(weight.sum()) >= 1.0
    curves = _curves(offset_m, variance_m2, weight, cluster, int(names.size)) if enough else np.zeros((0, 0))
    many = bootstrap_weights(names.size, level, rng, _DRAWS) if enough else np.zeros((0, 0))
    made = []
    for id_, name, share in (("iso19157:44", "CE90", 0.90), ("iso19157:45", "CE95", 0.95)):
        words = f"{_WORDS}Radius about the best placement's position that holds {100 * share:.0f} %."
        blank = Measure(
            id_, name, scope, Stage.RE_ANCHORED, None, None, level, "m", float(weight.sum()), int(names.size),
            _METHOD, words,
        )  # fmt: skip
        if not enough:
            made.append(not_known(blank, "SF-A013"))
            continue
        value = float(_radius(curves.sum(axis=0), share))
        low, high = np.quantile([_radius(w @ curves, share) for w in many], [(1 - level) / 2, (1 + level) / 2])
        made.append(replace(blank, value=value, interval=(min(float(low), value), max(float(high), value))))
    return tuple(made)


def _curves(offset: Floats, variance: Floats, weight: Floats, cluster: Ints, clusters: int) -> Floats:
    """Expected devices of each record within each of `_RADII_M`, the last column without limit, (clusters, radii + 1).

    The errors of a placement are taken as circular: the squared distance over the variance is noncentral chi-squared.
    """
    scale = np.maximum(variance, 1e-6)
    inside = weight[:, None] * chndtr(_RADII_M**2 / scale[:, None], 2.0, np.minimum(offset**2 / scale, 1e9)[:, None])
    made = np.zeros((clusters, len(_RADII_M) + 1))
    np.add.at(made, cluster, np.column_stack([inside, weight]))
    return made


def _radius(curve: Floats, share: float) -> float:
    """Radius within which a share of the devices lies; the largest radius looked at where none is large enough."""
    return float(np.interp(share, curve[:-1] / max(float(curve[-1]), 1e-300), _RADII_M))
