"""What lies outside the maps: which polygons count as the maps, and the shares D1 to D4."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from surefoot.analysis.accuracy import DuplicateSymbols, OutsideShare, distance_to_footprints, share_outside
from surefoot.analysis.accuracy.measures import LEVEL, Share, clustered_share
from surefoot.model import Case, HazardousAreas
from surefoot.terms import RELEASED_STATUSES

Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Maps:
    """The footprints that count as "the maps", in the case CRS; one cluster label and one receipt date each."""

    footprints: tuple[BaseGeometry | None, ...]
    cluster: Texts
    received: npt.NDArray[np.datetime64]
    source: str  # what counts as the maps, in the words of case.toml


@dataclass(frozen=True)
class KnownOnTheDay:
    """D1 against only the maps received by the day of each event."""

    share: Share | None
    buffer_m: float
    n_undated_events: int
    n_undated_maps: int


@dataclass(frozen=True)
class Outside:
    """Everything about D1: the shares, with and without proposed duplicates, and as known on the day."""

    d1: tuple[OutsideShare, ...]
    d1_without_duplicates: tuple[OutsideShare, ...]
    known_on_the_day: tuple[KnownOnTheDay, ...]
    distance_m: Floats  # of every event to the nearest footprint; nan = not located
    maps: str


def maps_of(
    case: Case, record_footprints: Sequence[BaseGeometry | None], areas: HazardousAreas, area_shapes: Texts
) -> Maps:
    """Return what counts as the maps: as case.toml says; else the records, and without footprints the areas."""
    wanted = case.settings.maps
    if wanted is None:
        usable = any(shape is not None for shape in record_footprints)
        wanted = ("records",) if usable or len(areas) == 0 else ("areas",)
    shapes: list[BaseGeometry | None] = []
    clusters: list[str] = []
    received: list[np.datetime64] = []
    for word in wanted:
        if word == "records":
            shapes += record_footprints
            clusters += [f"record {n}" for n in range(len(record_footprints))]
            received += [
                np.datetime64(r.received.last, "D") if r.received else np.datetime64("NaT") for r in case.records
            ]
            continue
        chosen = np.flatnonzero(_area_mask(areas, word.partition(":")[2]))
        shapes += list(area_shapes[chosen])
        clusters += [f"sheet {areas.sheet[n]}" if areas.sheet[n] else f"area {n}" for n in chosen]
        received += [np.datetime64("NaT")] * len(chosen)
    return Maps(
        tuple(shapes),
        np.array(clusters, dtype=object),
        np.array(received, dtype="datetime64[D]"),
        ", ".join(wanted),
    )


def _area_mask(areas: HazardousAreas, status: str) -> npt.NDArray[np.bool_]:
    if status:
        return np.asarray(areas.status == status, dtype=bool)
    released = {str(s) for s in RELEASED_STATUSES}
    return np.array([str(s) not in released for s in areas.status], dtype=bool)


def event_clusters(points: Floats, own_sheet: Texts, maps: Maps) -> Texts:
    """Label events that are not independent: the sheet they were drawn on, else their nearest map."""
    labels = np.array([f"sheet {s}" if s else "" for s in own_sheet], dtype=object)
    shapes = [(n, shape) for n, shape in enumerate(maps.footprints) if shape is not None and not shape.is_empty]
    todo = np.flatnonzero((labels == "") & np.isfinite(points).all(axis=1))
    if shapes and len(todo):
        tree = shapely.STRtree([shape for _, shape in shapes])
        nearest = tree.nearest(np.asarray(shapely.points(points[todo]), dtype=object))
        labels[todo] = [maps.cluster[shapes[n][0]] for n in nearest]
    alone = labels == ""
    labels[alone] = [f"event {n}" for n in np.flatnonzero(alone)]
    return labels


def outside_shares(
    points: Floats, dates: npt.NDArray[np.datetime64], sheets: Texts, duplicates: DuplicateSymbols, maps: Maps,
    buffers_m: Sequence[float],
) -> Outside:  # fmt: skip
    """Compute D1 at every buffer, with all events and with one of each proposed group of duplicates."""
    clusters = event_clusters(points, sheets, maps)
    d1 = share_outside(points, clusters, maps.footprints, buffers_m)
    kept = duplicates.is_representative
    once = share_outside(points[kept], clusters[kept], maps.footprints, buffers_m)
    return Outside(
        d1, once, _known_on_the_day(points, dates, clusters, maps, buffers_m),
        distance_to_footprints(points, maps.footprints), maps.source,
    )  # fmt: skip


def _known_on_the_day(
    points: Floats, dates: npt.NDArray[np.datetime64], clusters: Texts, maps: Maps, buffers_m: Sequence[float]
) -> tuple[KnownOnTheDay, ...]:
    located = np.isfinite(points).all(axis=1)
    usable = located & ~np.isnat(dates)
    undated_events, undated_maps = int((located & np.isnat(dates)).sum()), int(np.isnat(maps.received).sum())
    if undated_maps == len(maps.received) or not usable.any():
        return tuple(KnownOnTheDay(None, float(b), undated_events, undated_maps) for b in buffers_m)
    distance = np.full(len(points), np.inf)
    receipts = np.unique(maps.received[~np.isnat(maps.received)])
    epoch = np.searchsorted(receipts, dates, side="right")
    for number in np.unique(epoch[usable]):
        if number == 0:
            continue  # before the first hand-over nothing was known
        rows = np.flatnonzero(usable & (epoch == number))
        known = [s for s, r in zip(maps.footprints, maps.received, strict=True) if r <= receipts[number - 1]]
        distance[rows] = distance_to_footprints(points[rows], known)
    made = []
    for buffer in buffers_m:
        outside = (distance[usable] > buffer).astype(np.float64)
        share = clustered_share(outside, np.ones(len(outside)), clusters[usable], level=LEVEL)
        made.append(KnownOnTheDay(share, float(buffer), undated_events, undated_maps))
    return tuple(made)


def not_computed(d1: Sequence[OutsideShare], reason: str, definition: str) -> tuple[OutsideShare, ...]:
    """Return D2 or D3 as what they are before re-anchoring: not known, with the reason."""
    return tuple(
        replace(one, value=None, interval=None, numerator=None, reason=reason, definition=definition) for one in d1
    )
