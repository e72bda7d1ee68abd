"""What each draw of a record's posterior says of the devices that were not found yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot.analysis.kernels import registration
from surefoot.analysis.reanchor.hypotheses import moved
from surefoot.analysis.reanchor.placements import Placement
from surefoot.analysis.reanchor.posterior import Posterior, Sampled
from surefoot.analysis.reanchor.sampler import scratch_for

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]
Ints = npt.NDArray[np.int64]

DRAWS = 400
MOST_COVERED = 0.999


@dataclass(frozen=True)
class Predicted:
    """The devices of one record under draws of equal weight, from all its placements.

    Attributes
    ----------
    place : complex array (draws, devices)
        Easting + i northing, metres; the row's offset predicted.
    variance : float array (draws, devices)
        Per axis about it, m2.
    missed : float array (draws, devices)
        Chance that the device lies there and was neither found nor seen in an accident.
    unsearched : float array (draws, devices)
        The same given that its place was never searched: `missed` over the chance that a device there escaped.
    neighbour : int array (devices,)
        A device next to each in its row; itself where the row holds one.
    background_per_m2
        Density of devices on no record.
    """

    place: Complexes
    variance: Floats
    missed: Floats
    unsearched: Floats
    neighbour: Ints
    background_per_m2: float


def predict(
    posterior: Posterior, placements: Sequence[Placement], rng: np.random.Generator, draws: int = DRAWS
) -> Predicted:
    """Draw from all placements by weight and say, draw by draw, where devices not yet found lie.

    Parameters
    ----------
    posterior, placements
        Of one record, all its placements with their weights.
    draws
        How many; taken systematically, so that every placement has its share to within one draw.
    """
    weight = np.concatenate([np.full(len(p.draws), p.weight / len(p.draws)) for p in placements])
    edges = np.cumsum(weight / weight.sum())
    edges[-1] = 1.0
    taken = np.searchsorted(edges, (np.arange(draws) + rng.random()) / draws, side="right")
    first = np.cumsum([0, *(len(p.draws) for p in placements)])
    parts = []
    for placement, begin, end in zip(placements, first[:-1], first[1:], strict=True):
        own = taken[(taken >= begin) & (taken < end)] - begin
        if len(own):
            sampled = next(s for s in posterior.sampled if s.hypothesis is placement.hypothesis)
            parts.append(_of_states(sampled, placement.draws[own]))
    place, variance, missed, unsearched = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Predicted(
        place, variance, missed, unsearched, neighbours_in_row(posterior.prior.row), posterior.facts.clutter_per_m2
    )


def _of_states(sampled: Sampled, states: Floats) -> tuple[Complexes, Floats, Floats, Floats]:
    """Places, variances and the two chances of every device under each state, (s, n)."""
    target, count = sampled.target, len(states)
    pattern = target.pattern
    scratch = scratch_for(target)
    sums = [np.zeros((count, size)) for size in (len(target.finds) * len(pattern), len(pattern), len(pattern))]
    pairs = sums[0].reshape(count, len(target.finds), len(pattern))
    offsets = np.zeros((count, int(pattern[:, 5].max()) + 1, 3))
    registration.add_associations(
        np.ascontiguousarray(states), np.arange(count), pattern, scratch.cells, target.search, target.finds,
        target.base, scratch.items, scratch.ints, scratch.floats, pairs, sums[1], sums[2], offsets,
    )  # fmt: skip
    shared, row = pattern[:, 4], pattern[:, 5].astype(np.int64)
    place = moved(states, sampled.hypothesis) + np.sqrt(shared) * (offsets[:, :, 1] + 1j * offsets[:, :, 2])[:, row]
    variance = pattern[:, 2] - shared + shared * offsets[:, :, 0][:, row]
    missed = np.clip(sums[1], 0.0, 1.0)
    unsearched = missed / (1.0 - np.minimum(sums[2], MOST_COVERED))
    return place, np.maximum(variance, 1e-4), missed, unsearched


def neighbours_in_row(row: npt.NDArray[np.object_]) -> Ints:
    """The next device of the same row in the order of the form, the one before for the last."""
    name, here = row.astype(str), np.arange(len(row))
    after, before = np.minimum(here + 1, len(row) - 1), np.maximum(here - 1, 0)
    follows = (after != here) & (name[after] == name)
    precedes = (before != here) & (name[before] == name)
    return np.where(follows, after, np.where(precedes, before, here))
