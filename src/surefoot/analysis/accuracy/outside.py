"""What lies outside the maps: D1 (events) and D4 (devices), interfaces.md section 5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from surefoot.analysis.accuracy.completeness import missing_items
from surefoot.analysis.accuracy.measures import LEVEL, clustered_share
from surefoot.analysis.matching import Association
from surefoot.terms import Stage

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.generic]

D1_WORDS = (
    "D1: share of the located events farther than the buffer from every footprint; an event on the edge "
    "counts as inside. It speaks of events and of where people walk, not of the maps."
)
D4_WORDS = (
    "D4: share of the devices found on verified ground that match no record; sums of association "
    "probabilities. The only one of the four that speaks of the maps."
)


@dataclass(frozen=True, slots=True)
class OutsideShare:
    """One share "outside the maps"; not known: `value` and `interval` None, `reason` a message id."""

    buffer_m: float | None
    exposure_ratio: float | None
    value: float | None
    interval: tuple[float, float] | None
    level: float
    numerator: float | None  # None = not known
    denominator: float
    n_not_located: int
    n_without_footprint: int
    stage: Stage
    definition: str
    reason: str | None = None


def distance_to_footprints(event_points: Floats, footprints: Sequence[BaseGeometry | None]) -> Floats:
    """Distance in metres of every event to the nearest footprint.

    Parameters
    ----------
    event_points : (n, 2)
        Easting and northing, metres; nan = not located, which gives nan.
    footprints
        Geometries in the same CRS; None and empty ones are passed over.

    Returns
    -------
    (n,) array
        0 inside and on the edge; inf when there is no footprint.
    """
    located = np.isfinite(event_points).all(axis=1)
    distance = np.full(event_points.shape[0], np.nan)
    distance[located] = np.inf
    usable = [g for g in footprints if g is not None and not g.is_empty]
    if usable and located.any():
        tree = shapely.STRtree(usable)
        points = np.atleast_1d(np.asarray(shapely.points(event_points[located]), dtype=object))
        pairs, metres = tree.query_nearest(points, all_matches=False, return_distance=True)
        nearest = np.full(points.size, np.inf)
        nearest[pairs[0]] = metres
        distance[located] = nearest
    return distance


def share_outside(
    event_points: Floats,
    event_clusters: Labels,
    footprints: Sequence[BaseGeometry | None],
    buffers_m: Sequence[float],
    *,
    stage: Stage = Stage.AS_RECORDED,
    level: float = LEVEL,
    definition: str = D1_WORDS,
) -> tuple[OutsideShare, ...]:
    """Share of the located events outside every footprint, for each buffer (D1).

    Parameters
    ----------
    event_points : (n, 2)
        Easting and northing, metres, case CRS; nan = not located (counted, not used).
    event_clusters : (n,)
        Events that are not independent share a label.
    footprints
        One per record or area, metres, same CRS; None or empty = has none (counted).
    buffers_m
        Outside = farther than the buffer from every footprint.
    stage, level, definition
        Written into the result.

    Returns
    -------
    tuple of OutsideShare
        In the order of `buffers_m`. No footprint at all, or no located event: no value, with a reason.
    """
    distance = distance_to_footprints(event_points, footprints)
    located = ~np.isnan(distance)
    without = sum(1 for g in footprints if g is None or g.is_empty)
    none_usable = without == len(footprints)
    made = []
    for buffer in buffers_m:
        outside = distance[located] > buffer
        share = None
        if not none_usable:
            share = clustered_share(
                outside.astype(np.float64),
                np.ones(outside.size),
                np.asarray(event_clusters)[located],
                level=level,
            )
        made.append(OutsideShare(
            buffer_m=float(buffer),
            exposure_ratio=None,
            value=None if share is None else share.value,
            interval=None if share is None else share.interval,
            level=level,
            numerator=None if share is None else float(outside.sum()),
            denominator=float(outside.size),
            n_not_located=int((~located).sum()),
            n_without_footprint=without,
            stage=stage,
            definition=definition,
            reason=("SF-A015" if none_usable else "SF-A016") if share is None else None,
        ))  # fmt: skip
    return tuple(made)


def devices_outside_records(
    association: Association,
    on_verified: Booleans,
    cluster: Labels,
    weights: Floats | None = None,
    *,
    n_not_located: int = 0,
    n_without_footprint: int = 0,
    stage: Stage = Stage.AS_RECORDED,
    level: float = LEVEL,
) -> OutsideShare:
    """Share of the devices found on verified ground that match no record (D4); see `completeness`."""
    measure = missing_items(association, on_verified, cluster, weights, stage=stage, level=level)
    return OutsideShare(
        buffer_m=None,
        exposure_ratio=None,
        value=measure.value,
        interval=measure.interval,
        level=level,
        numerator=None if measure.value is None else measure.value * measure.n,
        denominator=measure.n,
        n_not_located=n_not_located,
        n_without_footprint=n_without_footprint,
        stage=stage,
        definition=D4_WORDS,
        reason=measure.reason,
    )
