"""What lies outside the maps once the errors of records and events are taken out: D2, and D3 over exposure.

An event is outside when its true place is in no record's true footprint. Where a footprint truly lies is drawn from
the placements that remain possible (methods.md section 3, "membership probabilities"): an event that is a device of a
record lies inside; any other is held, with the error of its own place, against the footprint as each placement moves
it. A record without placements of its own moves by the uncertainty that its form states.

How many events lie far from every record is learnt from the events themselves: the prior density out there, spread over
a whole region, would else claim those whose place is vague (docs/decisions/0028).
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
DRAWS = 256
PRIOR_EVENTS, ROUNDS, LEAST = 1.0, 100, 1e-6
"""Events that the prior share far from every record counts for, rounds until the events have settled it, and the least
such density and odds that are taken for possible."""
ERROR_SIGMAS = 3.0
"""How far an event may lie from where it is reported."""
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
    """Devices of no record, before any event: `share` of them per recorded one within `reach_m` of the footprints.

    They are `beyond` times as dense farther out.
    """

    share: float
    reach_m: float
    beyond: float


@dataclass(frozen=True)
class _Beside:
    """Events beside the records, wherever these are.

    `free` (events,) is the chance that each is a device of no record with placements, `nearest` (draws, events) how far
    from the nearest true footprint it lies, metres; where not `known` (events,) a record without placements is near.
    """

    free: Floats
    nearest: Floats
    known: npt.NDArray[np.bool_]


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
    beside = _beside(footprints, sigma_m, placements, events, max(*buffers, spread.reach_m), rng)
    outside = _outside(beside, buffers, spread, _far_ground(footprints, events, spread.reach_m))
    made = []
    for one, chance in zip(d1, outside, strict=True):
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


def _outside(beside: _Beside, buffers: Sequence[float], spread: Spread, far_ground: float) -> Floats:
    """P(each event lies farther than each buffer from every true footprint), (buffers, events)."""
    about, beyond = beside.nearest <= spread.reach_m, max(spread.beyond, LEAST)
    near = about.mean(axis=0)
    far = beside.free * beyond * (1.0 - near) / (near + beyond * (1.0 - near))
    denser = 1.0
    if spread.share > 0.0:
        odds = spread.share / (1.0 + spread.share) * beyond * far_ground
        denser = _denser(far[beside.known], max(odds, LEAST))
    none = (beside.free + (denser - 1.0) * far) / (1.0 + (denser - 1.0) * far)
    # A draw counts as much as devices of no record are dense there.
    weight = np.where(about, 1.0, beyond * denser)
    weight /= np.maximum(weight.sum(axis=0), np.finfo(float).tiny)
    return np.stack([none * np.sum(weight * (beside.nearest > buffer), axis=0) for buffer in buffers])


def _denser(far: Floats, odds: float) -> float:
    """How many times the prior density the events speak for far from every record.

    Parameters
    ----------
    far : (events,)
        P(each event lies there and is no device of a record) at the prior density.
    odds
        Prior odds of such an event.

    Notes
    -----
    One share of a mixture whose parts are known, by expectation and maximisation (Saerens, Latinne and Decaestecker
    2002, Neural Computation 14); the prior counts as `PRIOR_EVENTS`.
    """
    prior = share = odds / (1.0 + odds)
    for _ in range(ROUNDS):
        denser = share / (1.0 - share) / odds
        chance = denser * far / (1.0 + (denser - 1.0) * far)
        share = (PRIOR_EVENTS * prior + float(chance.sum())) / (PRIOR_EVENTS + len(far))
    return share / (1.0 - share) / odds


def _far_ground(footprints: Sequence[BaseGeometry | None], events: Located, reach_m: float) -> float:
    """Ground out of reach of every footprint where events may lie, as a multiple of that within reach of each.

    It is the hull of footprints and events with their own errors less what is within reach.
    """
    shapes = [shape.buffer(reach_m) for shape in footprints if shape is not None and not shape.is_empty]
    own = sum(shape.area for shape in shapes)
    if own == 0.0:
        return 0.0
    points = shapely.points(events.position.real, events.position.imag)
    about, discs = shapely.union_all(shapes), shapely.buffer(points, ERROR_SIGMAS * np.sqrt(events.variance))
    whole = shapely.GeometryCollection([about, *np.atleast_1d(discs)]).convex_hull
    return float((whole.area - about.area) / own)


def _beside(
    footprints: Sequence[BaseGeometry | None], sigma_m: Floats, placements: Mapping[int, Placements], events: Located,
    reach_m: float, rng: np.random.Generator,
) -> _Beside:  # fmt: skip
    """Hold draws of the events' places against every footprint as draws of its record's placements move it."""
    count = len(events.position)
    where = events.position + np.sqrt(events.variance) * _normal(rng, (DRAWS, count))
    member, known, nearest = np.zeros(count), np.ones(count, dtype=bool), np.full((DRAWS, count), np.inf)
    for number, shape in enumerate(footprints):
        if shape is None or shape.is_empty:
            continue
        placed = placements.get(number)
        near = _near(shape, placed, float(sigma_m[number]), events, reach_m)
        if placed is None:
            known[near] = False
        else:
            member[near] += _weights(placed) @ np.stack(
                [_member(placed, p, events.seen[near]) for p in placed.placements]
            )
        back = _drawn_back(where[:, near], placed, float(sigma_m[number]), rng)
        shapely.prepare(shape)
        points = np.asarray(shapely.points(back.real, back.imag), dtype=object)
        nearest[:, near] = np.minimum(nearest[:, near], shapely.distance(shape, points))
    # An event is a device of one record at most, so these chances add up.
    return _Beside(1.0 - np.minimum(member, 1.0), nearest, known)


def _drawn_back(where: Complexes, placed: Placements | None, sigma_m: float, rng: np.random.Generator) -> Complexes:
    """Take draws of true places, (draws, events), back to where the record as it reads shows them."""
    if placed is None:
        return np.asarray(where - sigma_m * _normal(rng, (len(where), 1)))
    chosen = rng.choice(len(placed.placements), len(where), p=_weights(placed))
    return np.stack(
        [_as_recorded(row, placed, placed.placements[p], rng) for row, p in zip(where, chosen, strict=True)]
    )


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


def _normal(rng: np.random.Generator, size: tuple[int, int]) -> Complexes:
    return np.asarray(rng.standard_normal(size) + 1j * rng.standard_normal(size))
