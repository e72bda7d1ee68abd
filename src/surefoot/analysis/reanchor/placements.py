"""From the posterior's draws to placements: what remains possible for a record, and where each device then is.

Draws that hang together form one placement; placements are never averaged into one position. A placement stands where
its draws lie densest, found by mean shift (Comaniciu and Meer 2002, IEEE Trans. PAMI 24(5)), and its covariances are
second moments about that place: rows are periodic, and the mean of draws one spacing apart is a place where no draw
puts a device (docs/decisions/0016). What a similarity cannot take out, the offset of each row, is predicted draw by
draw (a best linear unbiased prediction with the covariances of methods.md section 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import spatial
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from surefoot.analysis.kernels import registration
from surefoot.analysis.reanchor.clutter import normal_points
from surefoot.analysis.reanchor.hypotheses import Hypothesis, moved
from surefoot.analysis.reanchor.posterior import Posterior, Sampled
from surefoot.analysis.reanchor.sampler import draw_prior, scratch_for

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]
Ints = npt.NDArray[np.int64]
KDTree: Any = spatial.KDTree  # SciPy ships no types

DRAWS, OVERALL_DRAWS, FEWEST_OF_PRIOR = 1000, 500, 100
LEVEL, CHI2_90 = 0.9, 4.605170185988092
"""Chance that an ellipse over all placements holds its device; quantile of chi-squared with two degrees of freedom."""
LINK_M, LINK_SIGMAS = 2.0, 1.5
"""Draws nearer than this, metres or standard deviations of the hypothesis' draws, hang together."""
LEAST_MODE = 0.02
"""Modes lighter than this are counted with the nearest heavier one of the same hypothesis."""
DENSE_M, DENSE_SIGMAS, DENSE_STEPS = 2.0, 0.6, 5
"""Reach of the mean shift, metres or standard deviations of the placement's draws, and its steps."""


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
        Of (shift east m, shift north m, turn deg, scale), about these values.
    stretch, shear
        0 unless the affine hypothesis won.
    mean : complex array (n,)
        Easting + i northing of every device where the draws lie densest, metres.
    item_covariance : float array (n, 2, 2)
        m2, about that place, the device's own scatter included.
    p_find : float array (k, n)
        P(find is that device); k are the posterior's finds.
    p_missed : float array (n,)
        P(the device is in the ground: there, and not found).
    covered : float array (n,)
        Chance that a device there would have been found by now.
    row : int array (n,)
        Number of the row of every device.
    row_offset : complex array (rows,)
        East + i north of each row beyond the similarity, metres; in the order of the rows' sorted names.
    row_offset_sd : float array (rows,)
        Its standard deviation per axis, metres.
    stranger
        Nothing seen is of the record: it stands as it reads.
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
    row: Ints
    row_offset: Complexes
    row_offset_sd: Floats
    draws: Floats  # (s, 6) states, equal weights
    row_draws: Complexes  # (s, rows) offset of each row under each draw, metres
    row_draw_sd: Floats  # (rows,) standard deviation per axis about it
    stranger: bool = False


def placements_of(posterior: Posterior, rng: np.random.Generator, draws: int = DRAWS) -> tuple[Placement, ...]:
    """Return the placements of a record, heaviest first; their weights sum to 1."""
    made: list[Placement] = []
    for sampled, weight in zip(posterior.sampled, posterior.weight, strict=True):
        if weight < 1e-4:
            continue
        count = max(int(np.ceil(weight * draws)), FEWEST_OF_PRIOR if sampled.stranger else 1)
        states = _some(sampled, count, rng)
        made.extend(_modes(posterior, sampled, float(weight), states))
    total = sum(p.weight for p in made)
    return tuple(sorted((replace(p, weight=p.weight / total) for p in made), key=lambda p: -p.weight))


def predicted(placement: Placement, most: int) -> tuple[Complexes, Floats]:
    """Places (s, n) of every device under at most so many draws, and the sd of its own about them (n,), metres."""
    chosen = np.linspace(0, len(placement.draws) - 1, min(most, len(placement.draws))).astype(np.int64)
    hypothesis = placement.hypothesis
    places = moved(placement.draws[chosen], hypothesis) + placement.row_draws[np.ix_(chosen, placement.row)]
    own = np.maximum(hypothesis.own_variance - hypothesis.row_variance, 0.0)
    return places, np.sqrt(own + placement.row_draw_sd[placement.row] ** 2)


def overall(placements: Sequence[Placement]) -> tuple[Complexes, Floats]:
    """Mean (n,) and covariance (n, 2, 2) of every device over all placements of a record.

    The ellipse that holds a device with the stated chance whichever placement is true; while several compete it is
    wide and its middle may be a place where no placement puts the device (`between_placements`). It has the shape of
    the second moments of the heaviest placements that hold 90 % together, since one far off with a weight of a
    hundredth would draw it out over kilometres, and the size of which the 90 % ellipse holds 90 % of all draws: their
    tails are heavy while finds are few.
    """
    weight = np.array([p.weight for p in placements])
    weight = weight / weight.sum()
    core = _core(weight)
    chosen = [placements[n] for n in core]
    share = weight[core] / weight[core].sum()
    means = np.stack([p.mean for p in chosen])
    mean = share @ means
    off = np.stack([(means - mean).real, (means - mean).imag], axis=-1)
    within = np.stack([p.item_covariance for p in chosen])
    covariance = np.einsum("p,pnij->nij", share, within) + np.einsum("p,pni,pnj->nij", share, off, off)
    return mean, covariance * _size(placements, weight, mean, np.linalg.inv(covariance))[:, None, None]


def _core(weight: Floats) -> Ints:
    """Numbers of the heaviest placements that together hold the level."""
    order = np.argsort(-weight, kind="stable")
    return np.asarray(order[: int(np.searchsorted(np.cumsum(weight[order]), LEVEL - 1e-9)) + 1], dtype=np.int64)


def between_placements(placements: Sequence[Placement], mean: Complexes) -> npt.NDArray[np.bool_]:
    """Devices (n,) whose mean over all placements lies in no placement's own 90 % ellipse: no place for a marker."""
    result = np.ones(len(mean), dtype=bool)
    for n in _core(np.array([p.weight for p in placements]) / sum(p.weight for p in placements)):
        off = np.stack([(mean - placements[n].mean).real, (mean - placements[n].mean).imag], axis=-1)
        squared = np.einsum("ni,nij,nj->n", off, np.linalg.inv(placements[n].item_covariance), off)
        result &= squared > CHI2_90
    return result


def _size(placements: Sequence[Placement], weight: Floats, mean: Complexes, precision: Floats) -> Floats:
    """Factor (n,) on the moments with which an ellipse of 90 % holds 90 % of the draws."""
    noise = normal_points() @ np.array([1.0, 1.0j])
    squared, shares = [], []
    for share, placement in zip(weight, placements, strict=True):
        places, sd = predicted(placement, OVERALL_DRAWS)
        places = places + sd * noise[(np.arange(len(places))[:, None] + 7 * np.arange(len(sd))) % len(noise)] - mean
        off = np.stack([places.real, places.imag], axis=-1)
        squared.append(np.einsum("sni,nij,snj->sn", off, precision, off))
        shares.append(np.full(len(places), share / len(places)))
    distance, held = np.concatenate(squared), np.concatenate(shares)
    order = np.argsort(distance, axis=0)
    edge = np.minimum((np.cumsum(held[order], axis=0) < LEVEL).sum(axis=0), len(distance) - 1)
    return np.asarray(np.take_along_axis(np.take_along_axis(distance, order, 0), edge[None], 0)[0] / CHI2_90)


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
    metres = _in_metres(states, sampled.hypothesis.pattern)
    label = _linked(metres)
    groups = int(label.max()) + 1
    sums, offsets = _associations(sampled, states, label, groups)
    made = []
    for g in range(groups):
        own = label == g
        share = weight * float(own.mean())
        means = (part[g] / own.sum() for part in sums)
        made.append(_placement(posterior, sampled, share, states[own], _densest(metres[own]), offsets[own], *means))
    return made


def _in_metres(states: Floats, pattern: Complexes) -> Floats:
    """Shift, turn and scale as lengths at the radius of gyration of the pattern, (s, 4)."""
    radius = float(np.sqrt(np.mean(np.abs(pattern) ** 2)))
    scaled: Floats = states[:, :4] * np.array([1.0, 1.0, radius, radius])
    return scaled


def _densest(metres: Floats) -> Ints:
    """Rows of the draws about the place where they lie densest."""
    reach = max(DENSE_M, DENSE_SIGMAS * float(np.sqrt(metres.var(axis=0).sum())))
    tree = KDTree(metres)
    centre = metres[int(np.argmax(tree.query_ball_point(metres, reach, return_length=True)))]
    for _ in range(DENSE_STEPS):
        near = np.sort(np.asarray(tree.query_ball_point(centre, reach), dtype=np.int64))
        centre = metres[near].mean(axis=0)
    return near


def _linked(metres: Floats) -> Ints:
    """Label draws by the mode they hang together in; light modes join the nearest heavier one."""
    reach = max(LINK_M, LINK_SIGMAS * float(np.sqrt(metres.var(axis=0).mean())))
    pairs = KDTree(metres).query_pairs(reach, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(metres), len(metres)))
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


def _associations(
    sampled: Sampled, states: Floats, label: Ints, groups: int
) -> tuple[tuple[Floats, Floats, Floats], Floats]:
    target, n = sampled.target, len(sampled.target.pattern)
    scratch = scratch_for(target)
    sums = np.zeros((groups, len(target.finds), n)), np.zeros((groups, n)), np.zeros((groups, n))
    offsets = np.zeros((len(states), int(target.pattern[:, 5].max()) + 1, 3))
    registration.add_associations(
        states, label, target.pattern, scratch.cells, target.search, target.finds, target.base,
        scratch.items, scratch.ints, scratch.floats, *sums, offsets,
    )  # fmt: skip
    return sums, offsets


def _placement(
    posterior: Posterior, sampled: Sampled, weight: float, states: Floats, dense: Ints, offsets: Floats,
    pairs: Floats, missed: Floats, covered: Floats,
) -> Placement:  # fmt: skip
    hypothesis, pattern = sampled.hypothesis, sampled.target.pattern
    shared, row = pattern[:, 4], pattern[:, 5].astype(np.int64)
    at_row = offsets[:, :, 1] + 1j * offsets[:, :, 2]
    places = moved(states, hypothesis) + np.sqrt(shared) * at_row[:, row]
    mean = places[dense].mean(axis=0)
    own = pattern[:, 2] - shared + shared * offsets[:, :, 0].mean(axis=0)[row]
    covariance = _spread(places - mean) + own[:, None, None] * np.eye(2)
    shown = states[:, :4] * np.array([1.0, 1.0, np.degrees(1.0), 1.0])
    shown[:, 3] = np.exp(states[:, 3])
    centre, bend = shown[dense].mean(axis=0), states[dense, 4:].mean(axis=0)
    off = shown - centre
    wide = np.zeros((len(posterior.find), pairs.shape[1]))
    wide[sampled.find_rows] = pairs
    usual, offset = np.sqrt(np.bincount(row, shared) / np.bincount(row)), at_row[dense].mean(axis=0)
    offset_variance = offsets[:, :, 0].mean(axis=0) + 0.5 * np.mean(np.abs(at_row - offset) ** 2, axis=0)
    return Placement(
        weight, hypothesis, hypothesis.centroid, complex(centre[0], centre[1]), float(centre[2]), float(centre[3]),
        off.T @ off / len(off), float(bend[0]), float(bend[1]), mean, covariance, wide, missed,
        covered, row, usual * offset, usual * np.sqrt(offset_variance), states,
        usual * at_row, usual * np.sqrt(offsets[:, :, 0].mean(axis=0)), sampled.stranger,
    )  # fmt: skip


def _spread(deviation: Complexes) -> Floats:
    """Second moments (n, 2, 2) of the deviations over the draws."""
    east, north = deviation.real, deviation.imag
    en = np.mean(east * north, axis=0)
    cov = np.array([[np.mean(east**2, axis=0), en], [en, np.mean(north**2, axis=0)]])
    return np.moveaxis(cov, 2, 0)
