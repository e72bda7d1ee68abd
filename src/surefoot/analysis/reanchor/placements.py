"""From the posterior's draws to placements: what remains possible for a record, and where each device then is.

Draws that hang together form one placement; placements are never averaged into one position. Inside a placement whose
finds are assigned beyond doubt a second stage takes out what a similarity cannot: the offset of each row (a best linear
unbiased prediction with the covariances of methods.md section 1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import spatial
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from surefoot.analysis.kernels import registration
from surefoot.analysis.reanchor.hypotheses import Hypothesis, similarity_basis
from surefoot.analysis.reanchor.posterior import Posterior, Sampled
from surefoot.analysis.reanchor.sampler import draw_prior, scratch_for

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]
Ints = npt.NDArray[np.int64]
KDTree: Any = spatial.KDTree  # SciPy ships no types

DRAWS = 1000
LINK_M = 2.0
LINK_SIGMAS = 0.6
LEAST_MODE = 0.02
"""Modes lighter than this are counted with the nearest heavier one of the same hypothesis."""
FIRM_FINDS = 3.0
FIRM_SHARE = 0.8
FIRM_SPREAD_M = 2.5


@dataclass(frozen=True)
class Placement:
    """One way a record still may lie on the ground.

    Attributes
    ----------
    weight
        Posterior probability; those of all placements of a record sum to 1.
    hypothesis
        The reading and the gross error it assumes.
    pivot
        Easting + i northing of the centroid of the reading under that hypothesis, metres.
    shift_m
        East + i north.
    turn_deg
        Clockwise positive.
    scale
        1 = unchanged.
    covariance : float array (4, 4)
        Of (shift east m, shift north m, turn deg, scale).
    stretch, shear
        0 unless the affine hypothesis won.
    mean : complex array (n,)
        Easting + i northing of every device, metres.
    item_covariance : float array (n, 2, 2)
        m2, the device's own scatter included.
    p_find : float array (k, n)
        P(find is that device); k are the posterior's finds.
    p_missed : float array (n,)
        P(the device is in the ground: there, and not found).
    covered : float array (n,)
        Chance that a device there would have been found by now.
    firm
        Whether the finds are assigned beyond doubt, so that the rows' own offsets were taken out.
    """

    weight: float
    hypothesis: Hypothesis
    pivot: complex
    shift_m: complex
    turn_deg: float
    scale: float
    covariance: Floats
    stretch: float
    shear: float
    mean: Complexes
    item_covariance: Floats
    p_find: Floats
    p_missed: Floats
    covered: Floats
    firm: bool
    draws: Floats  # (s, 6) states, equal weights


def placements_of(posterior: Posterior, rng: np.random.Generator, draws: int = DRAWS) -> tuple[Placement, ...]:
    """Return the placements of a record, heaviest first; their weights sum to 1."""
    made: list[Placement] = []
    for sampled, weight in zip(posterior.sampled, posterior.weight, strict=True):
        count = int(np.ceil(weight * draws))
        if weight < 1e-4:
            continue
        states = _some(sampled, count, rng)
        made.extend(_modes(posterior, sampled, float(weight), states))
    total = sum(p.weight for p in made)
    return tuple(sorted((replace(p, weight=p.weight / total) for p in made), key=lambda p: -p.weight))


def _some(sampled: Sampled, count: int, rng: np.random.Generator) -> Floats:
    """Evenly chosen draws of a hypothesis; of its prior where nothing bears on it."""
    if sampled.cloud is None:
        target = sampled.target
        factor = np.asarray(np.linalg.cholesky(target.covariance), dtype=np.float64)
        return draw_prior(count, factor, target.degrees_of_freedom, rng)
    states = sampled.cloud.states
    chosen = np.sort(rng.choice(len(states), min(count, len(states)), replace=False))
    return states[chosen]


def _modes(posterior: Posterior, sampled: Sampled, weight: float, states: Floats) -> list[Placement]:
    label = _linked(states, sampled.hypothesis.pattern)
    groups = int(label.max()) + 1
    sums = _associations(sampled, states, label, groups)
    made = []
    for g in range(groups):
        own = states[label == g]
        share = weight * len(own) / len(states)
        made.append(_placement(posterior, sampled, share, own, *(part[g] / len(own) for part in sums)))
    return made


def _linked(states: Floats, pattern: Complexes) -> Ints:
    """Label draws by the mode they hang together in; light modes join the nearest heavier one."""
    radius = float(np.sqrt(np.mean(np.abs(pattern) ** 2)))
    metres = states[:, :4] * np.array([1.0, 1.0, radius, radius])
    reach = max(LINK_M, LINK_SIGMAS * float(np.sqrt(metres.var(axis=0).mean())))
    pairs = KDTree(metres).query_pairs(reach, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(states), len(states)))
    label = np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
    return _joined(label, metres)


def _joined(label: Ints, metres: Floats) -> Ints:
    size = np.bincount(label)
    heavy = np.flatnonzero(size >= LEAST_MODE * len(label))
    if not len(heavy):
        heavy = np.array([int(np.argmax(size))])
    centre = np.stack([metres[label == g].mean(axis=0) for g in heavy])
    renamed = np.full(len(size), -1, dtype=np.int64)
    renamed[heavy] = np.arange(len(heavy))
    result = renamed[label]
    loose = np.flatnonzero(result < 0)
    if len(loose):
        result[loose] = KDTree(centre).query(metres[loose])[1]
    return result


def _associations(sampled: Sampled, states: Floats, label: Ints, groups: int) -> tuple[Floats, Floats, Floats]:
    target, n = sampled.target, len(sampled.target.pattern)
    scratch = scratch_for(target)
    sums = np.zeros((groups, len(target.finds), n)), np.zeros((groups, n)), np.zeros((groups, n))
    registration.add_associations(
        states, label, target.pattern, scratch.cells, target.search, target.finds, target.base,
        scratch.items, scratch.ints, scratch.floats, *sums,
    )  # fmt: skip
    return sums


def _placement(
    posterior: Posterior, sampled: Sampled, weight: float, states: Floats,
    pairs: Floats, missed: Floats, covered: Floats,
) -> Placement:  # fmt: skip
    hypothesis = sampled.hypothesis
    places = moved(states, hypothesis)
    mean = places.mean(axis=0)
    covariance = _spread(places - mean) + hypothesis.own_variance[:, None, None] * np.eye(2)
    firm = _is_firm(states, pairs)
    centre = states.mean(axis=0)
    if firm:
        mean, covariance = _second_stage(sampled, posterior.prior.row, centre, pairs)
    shown = states[:, :4] * np.array([1.0, 1.0, np.degrees(1.0), 1.0])
    shown[:, 3] = np.exp(states[:, 3])
    wide = np.zeros((len(posterior.find), pairs.shape[1]))
    wide[sampled.find_rows] = pairs
    return Placement(
        weight, hypothesis, hypothesis.centroid, complex(centre[0], centre[1]), float(np.degrees(centre[2])),
        float(np.exp(centre[3])), np.cov(shown.T).reshape(4, 4) if len(shown) > 1 else np.zeros((4, 4)),
        float(centre[4]), float(centre[5]), mean, covariance, wide, missed, covered, firm, states,
    )  # fmt: skip


def moved(states: Floats, hypothesis: Hypothesis) -> Complexes:
    """Places of every device under every state, (s, n), easting + i northing, metres."""
    u = hypothesis.pattern
    stretch, shear = states[:, 4:5], states[:, 5:6]
    bent = np.exp(stretch) * u.real + shear * u.imag + 1j * (shear * u.real + np.exp(-stretch) * u.imag)
    factor = np.exp(states[:, 3:4] - 1j * states[:, 2:3])
    return np.asarray(hypothesis.centroid + states[:, 0:1] + 1j * states[:, 1:2] + factor * bent)


def _spread(deviation: Complexes) -> Floats:
    """Covariance (n, 2, 2) of the places over the draws."""
    east, north = deviation.real, deviation.imag
    en = np.mean(east * north, axis=0)
    cov = np.array([[np.mean(east**2, axis=0), en], [en, np.mean(north**2, axis=0)]])
    return np.moveaxis(cov, 2, 0)


def _is_firm(states: Floats, pairs: Floats) -> bool:
    """Whether enough finds are assigned, each to one device, and the draws lie close together."""
    assigned = float(pairs.sum())
    if assigned < FIRM_FINDS or len(states) < 20:
        return False
    clear = float(pairs.max(axis=1).sum()) / assigned
    return clear > FIRM_SHARE and float(np.sqrt(states[:, :2].var(axis=0).mean())) < FIRM_SPREAD_M


def _second_stage(
    sampled: Sampled, row: npt.NDArray[np.object_], centre: Floats, pairs: Floats
) -> tuple[Complexes, Floats]:
    """Mean and covariance of the devices with each row's own offset, linear about the placement's centre.

    State: change of (shift, turn, log scale) from `centre`, then east and north offset of every row. The Student t
    prior enters as the normal it is given the centre. A find counts for a device with the weight P(it is that device).
    """
    hypothesis, target = sampled.hypothesis, sampled.target
    at = moved(centre[None, :], hypothesis)[0]
    rows, number = np.unique(row.astype(str), return_inverse=True)
    design = _design(at - hypothesis.centroid - complex(centre[0], centre[1]), number, len(rows))
    precision, force = _prior_precision(hypothesis, target.degrees_of_freedom, centre, number, len(rows))
    scatter = np.maximum(hypothesis.own_variance - hypothesis.row_variance, 1e-4)
    own = hypothesis.centroid
    for k, i in zip(*np.nonzero(pairs > 1e-3), strict=True):
        y = complex(target.finds[k, 0], target.finds[k, 1]) + own - at[i]
        h = design[i]
        weight = pairs[k, i] / (scatter[i] + target.finds[k, 2])
        precision += weight * h.T @ h
        force += weight * h.T @ np.array([y.real, y.imag])
    covariance = np.linalg.inv(precision)
    change = design @ (covariance @ force)
    cov = design @ covariance @ np.swapaxes(design, 1, 2) + scatter[:, None, None] * np.eye(2)
    return at + change[:, 0] + 1j * change[:, 1], cov


def _design(about: Complexes, number: Ints, rows: int) -> Floats:
    """(n, 2, 4 + 2 rows): how the state moves each device."""
    count = len(about)
    design = np.zeros((count, 2, 4 + 2 * rows))
    design[:, :, :4] = similarity_basis(about).reshape(count, 2, 4)
    for axis in (0, 1):
        design[np.arange(count), axis, 4 + 2 * number + axis] = 1.0
    return design


def _prior_precision(
    hypothesis: Hypothesis, degrees_of_freedom: float, centre: Floats, number: Ints, rows: int
) -> tuple[Floats, Floats]:
    """Precision of the state before the finds, and the pull of the prior's mean (no change from the form)."""
    inverse = np.linalg.inv(hypothesis.covariance)
    squared = float(centre[:4] @ inverse @ centre[:4])
    inverse = inverse * (degrees_of_freedom + 4.0) / (degrees_of_freedom + squared)
    precision = np.zeros((4 + 2 * rows, 4 + 2 * rows))
    precision[:4, :4] = inverse
    force = np.zeros(4 + 2 * rows)
    force[:4] = -inverse @ centre[:4]
    variance = np.bincount(number, hypothesis.row_variance, rows) / np.bincount(number, minlength=rows)
    precision[4:, 4:] = np.diag(np.repeat(1.0 / np.maximum(variance, 1e-4), 2))
    return precision, force
