"""What lies outside the maps once the errors of records and events are taken out: D2, and D3 over exposure.

An event is outside when its true place is in no record's true footprint. Where a footprint truly lies is drawn from
the placements that remain possible (methods.md section 3, "membership probabilities"): an event that is a device of a
record lies inside; any other is held, with the error of its own place, against the footprint as each placement moves
it. A record without placements of its own moves by the uncertainty that its form states.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from surefoot.analysis.accuracy import LEVEL, OutsideShare, clustered_share
from surefoot.analysis.reanchor import Placement, Placements
from surefoot.terms import Stage

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Complexes = npt.NDArray[np.complex128]

EXPOSURE_RATIOS = (1.0, 2.0, 3.0, 5.0, 10.0)
"""Exposure outside over inside (interfaces.md section 5)."""
DRAWS = 128
D2_WORDS = (
    "D2: share of the located events whose true place lies farther than the buffer from every true footprint, "
    "averaged over the placements that remain possible and over the events' own error. It speaks of events and of "
    "where people walk, not of the maps."
)
D3_WORDS = (
    "D3: D2 if people were exposed outside the footprints so many times as inside: w / (w + (1 - w) ratio). "
    "The ratio is not known; read the whole band."
)


@dataclass(frozen=True)
class Located:
    """Events with a place.

    Attributes
    ----------
    position : complex array (m,)
        Metres, case CRS.
    variance : float array (m,)
        Per axis, m2.
    cluster : array (m,)
        Events that are not independent share a label.
    seen : int array (m,)
        As `Placements.find` counts: finds, then accidents.
    """

    position: Complexes
    variance: Floats
    cluster: npt.NDArray[np.object_]
    seen: Ints


@dataclass(frozen=True)
class Spread:
    """Devices of no record: even density within `reach_m` of a footprint, `beyond` times as dense farther out."""

    reach_m: float
    beyond: float


def corrected_shares(
    d1: Sequence[OutsideShare], events: Located, footprints: Sequence[BaseGeometry | None], sigma_m: Floats,
    placements: Mapping[int, Placements], spread: Spread, rng: np.random.Generator,
) -> tuple[OutsideShare, ...]:  # fmt: skip
    """Return D2 for every buffer of D1.

    Parameters
    ----------
    footprints
        Of every record as recorded, case CRS; None = none.
    sigma_m : (records,)
        Sigma per axis that the form states, for records without placements.
    placements
        By record number.
    spread
        Where devices of no record are expected.
    """
    buffers = [float(share.buffer_m or 0.0) for share in d1]
    member, beside = np.zeros(len(events.position)), np.ones((len(buffers), len(events.position)))
    for number, shape in enumerate(footprints):
        if shape is not None and not shape.is_empty:
            own, within = _inside(shape, placements.get(number), float(sigma_m[number]), events, buffers, spread, rng)
            member += own
            beside *= 1.0 - within
    # An event is a device of one record at most, so these chances add up; where it lies otherwise is asked of each map.
    outside = (1.0 - np.minimum(member, 1.0)) * beside
    made = []
    for one, chance in zip(d1, np.clip(outside, 0.0, 1.0), strict=True):
        if one.value is None:
            made.append(replace(one, stage=Stage.RE_ANCHORED, definition=D2_WORDS))
            continue
        share = clustered_share(chance, np.ones(len(chance)), events.cluster, level=LEVEL)
        assert share is not None
        made.append(replace(
            one, stage=Stage.RE_ANCHORED, definition=D2_WORDS, value=share.value, interval=share.interval,
            numerator=share.numerator, denominator=share.denominator, reason=None,
        ))  # fmt: skip
    return tuple(made)


def reweighted_shares(d2: Sequence[OutsideShare]) -> tuple[OutsideShare, ...]:
    """Return D3: every D2 at every exposure ratio."""
    made = []
    for share in d2:
        for ratio in EXPOSURE_RATIOS:
            one = replace(share, exposure_ratio=ratio, definition=D3_WORDS, numerator=None)
            if share.value is not None and share.interval is not None:
                ends = (_reweighted(share.interval[0], ratio), _reweighted(share.interval[1], ratio))
                one = replace(one, value=_reweighted(share.value, ratio), interval=ends)
            made.append(one)
    return tuple(made)


def _reweighted(share: float, ratio: float) -> float:
    return share / (share + (1.0 - share) * ratio)


def _inside(
    shape: BaseGeometry, placed: Placements | None, sigma_m: float, events: Located, buffers: Sequence[float],
    spread: Spread, rng: np.random.Generator,
) -> tuple[Floats, Floats]:  # fmt: skip
    """P(each event is a device of the record), (events,), and P(it is in the footprint if not), (buffers, events)."""
    result, member = np.zeros((len(buffers), len(events.position))), np.zeros(len(events.position))
    near = _near(shape, placed, sigma_m, events, max(buffers))
    if not len(near):
        return member, result
    where = events.position[near]
    noise = np.sqrt(events.variance[near]) * _normal(rng, (DRAWS, len(near)))
    if placed is None:
        back = where + noise - sigma_m * _normal(rng, (DRAWS, 1))
        result[:, near] = _within(shape, back, buffers, spread)
        return member, result
    chosen = rng.choice(len(placed.placements), DRAWS, p=_weights(placed))
    back = np.stack([
        _as_recorded(where + noise[n], placed, placed.placements[p], rng) for n, p in enumerate(chosen)
    ])  # fmt: skip
    member[near] = _weights(placed) @ np.stack([_member(placed, p, events.seen[near]) for p in placed.placements])
    result[:, near] = _within(shape, back, buffers, spread)
    return member, result


def _near(
    shape: BaseGeometry, placed: Placements | None, sigma_m: float, events: Located, buffer_m: float
) -> Ints:  # fmt: skip
    """Events that may lie in the footprint wherever it may be."""
    west, south, east, north = shape.bounds
    box = np.array([[west, south], [east, north]])
    reach = buffer_m + 4.0 * sigma_m
    if placed is not None:
        size = float(np.hypot(east - west, north - south))
        means = np.concatenate([p.mean for p in placed.placements])
        spread = max(float(np.sqrt(p.item_covariance[:, [0, 1], [0, 1]].max())) for p in placed.placements)
        box = np.array([[means.real.min(), means.imag.min()], [means.real.max(), means.imag.max()]])
        reach = buffer_m + size + 4.0 * spread
    far = reach + 4.0 * np.sqrt(events.variance)
    x, y = events.position.real, events.position.imag
    return np.flatnonzero(
        (x > box[0, 0] - far) & (x < box[1, 0] + far) & (y > box[0, 1] - far) & (y < box[1, 1] + far)
    )  # fmt: skip


def _weights(placed: Placements) -> Floats:
    weight = np.array([p.weight for p in placed.placements])
    return np.asarray(weight / weight.sum())


def _member(placed: Placements, placement: Placement, seen: Ints) -> Floats:
    """P(each event is a device of the record) under a placement."""
    chance = dict(zip(placed.find.tolist(), placement.p_find.sum(axis=1).tolist(), strict=True))
    return np.array([min(chance.get(int(k), 0.0), 1.0) for k in seen])


def _as_recorded(place: Complexes, placed: Placements, placement: Placement, rng: np.random.Generator) -> Complexes:
    """Take true places back to where the record as it reads shows them, by one draw of a placement."""
    state = placement.draws[int(rng.integers(len(placement.draws)))]
    hypothesis, recorded = placement.hypothesis, placed.recorded
    about = (place - hypothesis.centroid - complex(state[0], state[1])) * np.exp(-state[3] + 1j * state[2])
    # The pattern of a hypothesis is the recorded one turned and scaled, or its mirror image.
    middle = recorded.mean()
    pattern, plain = hypothesis.pattern, recorded - middle
    length = float(np.sum(np.abs(plain) ** 2))
    if length == 0.0:
        return np.asarray(middle + about)
    straight, mirrored = np.sum(np.conj(plain) * pattern) / length, np.sum(plain * pattern) / length
    if abs(straight) >= abs(mirrored):
        return np.asarray(middle + about / straight)
    return np.asarray(middle + np.conj(about / mirrored))


def _within(shape: BaseGeometry, places: Complexes, buffers: Sequence[float], spread: Spread) -> Floats:
    """P(an event of no record is within each buffer of a shape), from draws (draws, events); (buffers, events).

    A draw counts as much as devices of no record are dense there.
    """
    points = np.asarray(shapely.points(places.real.ravel(), places.imag.ravel()), dtype=object)
    shapely.prepare(shape)
    distance = shapely.distance(shape, points).reshape(places.shape)
    weight = np.where(distance <= spread.reach_m, 1.0, spread.beyond)
    weight = weight / np.maximum(weight.sum(axis=0), np.finfo(float).tiny)
    return np.stack([np.sum(weight * (distance <= buffer), axis=0) for buffer in buffers])


def _normal(rng: np.random.Generator, size: tuple[int, int]) -> Complexes:
    return np.asarray(rng.standard_normal(size) + 1j * rng.standard_normal(size))
