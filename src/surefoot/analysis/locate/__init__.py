"""From a record's raw statements to weighted readings with geometry and covariance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shapely.geometry import MultiPoint, Polygon
from shapely.geometry.base import BaseGeometry

from surefoot.analysis.locate.anchors import Place
from surefoot.analysis.locate.apart import FAR_APART_M, IMPOSSIBLE_APART_M, farthest_pair
from surefoot.analysis.locate.build import ReadingBuilder, declination_at
from surefoot.analysis.locate.digitised import locate_geometry
from surefoot.analysis.locate.epochs import MAGNETIC_EPOCH
from surefoot.analysis.locate.frames import beyond_zone_deg, easting_prefix, zone_is_open
from surefoot.analysis.locate.hypotheses import (
    Assumption,
    Assumptions,
    assumptions,
    first_shortened,
    shortened_candidates,
    stated_places,
)
from surefoot.analysis.locate.items import category_of_label, mixture_label, mixture_shares
from surefoot.analysis.locate.moments import LegErrors
from surefoot.analysis.locate.priors import Priors, merged
from surefoot.analysis.locate.quality import form_completeness, locatability
from surefoot.analysis.locate.readings import (
    Misclosure,
    Network,
    Reading,
    Readings,
    ReadItems,
    ReadLeg,
    ReadRow,
)
from surefoot.analysis.locate.sheets import settled_sheets
from surefoot.analysis.locate.tally import MOST_DEVICES, excess, items_by_type, left_out, unallocated, variants
from surefoot.errors import PositionError
from surefoot.model import Doubt, MinefieldRecord
from surefoot.terms import RecordFamily, Severity

__all__ = [
    "LegErrors",
    "LocateContext",
    "Misclosure",
    "Network",
    "Priors",
    "ReadItems",
    "ReadLeg",
    "ReadRow",
    "Reading",
    "Readings",
    "category_of_label",
    "items_by_type",
    "locate",
    "merged",
    "mixture_label",
    "mixture_shares",
]

FAR_OFF_DEG = 5.0  # no map's declination is that far off but near a strong anomaly
_EDGE_DEG = 0.002  # SK-42 and WGS 84 longitudes differ by less: a place on the zone's edge is not over it
LEAST_WIDTH_M = 1.0  # an outline narrower than the rounding of its corners is a line


@dataclass(frozen=True, slots=True)
class LocateContext:
    """What is known beside the form: the priors, the case's region (WGS 84) and overrides by series."""

    priors: Priors
    region: BaseGeometry | None = None
    region_margin_deg: float = 0.5
    series: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def locate(record: MinefieldRecord, *, context: LocateContext) -> Readings:
    """Place a record on the ground in every way its form allows.

    Parameters
    ----------
    record
        The form as written.
    context
        Priors, region and overrides by series.

    Returns
    -------
    Readings
        At most `keep_at_most` readings with weights adding to 1; where nothing can be placed one without points,
        so that its devices still count in the ledger.
        Nothing is raised for a bad form: what cannot be placed is left out with a doubt.
    """
    priors = context.priors.for_series(context.series.get(record.series, {}))
    completeness = form_completeness(record)
    if record.geometry is not None:
        reading = locate_geometry(record, priors)
        level = locatability(record, 0)
        drawn_notes = _Doubts(record)
        _explain_left_out(record, drawn_notes)
        told = tuple(drawn_notes.doubts)
        return Readings(record.record_id, (reading,), 0.0, completeness, level, told, unallocated(record))
    notes = _Doubts(record)
    record = _with_settled_sheets(record, priors, context.region, notes)
    builder = ReadingBuilder(record, priors)
    ways = _ways(record, priors, context.region, notes)
    built = [reading for way in ways.kept for reading in _built(builder, way, notes)]
    built, away = _within(built, context)
    if away:
        notes.add("SF-R045", Severity.ERROR, "reference_points", away)
    heaviest, cut = _heaviest(_merged_alike(built or [builder.unplaced(None)]), priors.keep_at_most())
    readings = _with_spread(heaviest)
    level = locatability(record, _known_points(record, readings[0]))
    _explain(record, readings, level, builder, context.region, notes)
    return Readings(
        record.record_id,
        tuple(readings),
        1.0 - (1.0 - ways.weight_cut) * (1.0 - cut),
        completeness,
        level,
        tuple(notes.doubts),
        unallocated(record),
    )


def _known_points(record: MinefieldRecord, reading: Reading) -> int:
    """Number of reference points and directly given points that have a place."""
    stated = {point.id for point in record.reference_points} | {point.id for point in record.points}
    return len(stated & set(reading.points))


class _Doubts:
    def __init__(self, record: MinefieldRecord) -> None:
        self.where = record.where
        self.doubts: list[Doubt] = []

    def add(self, id_: str, severity: Severity, column: str, found: object = "", **values: object) -> None:
        doubt = Doubt(id_, severity, replace(self.where, column=column), str(found), values)
        if doubt not in self.doubts:
            self.doubts.append(doubt)


def _with_settled_sheets(
    record: MinefieldRecord, priors: Priors, region: BaseGeometry | None, notes: _Doubts
) -> MinefieldRecord:
    """Keep, of the sheets that a name may mean, those that the form's coordinates or the region allow."""
    try:
        sheets = settled_sheets(record, priors, region)
    except PositionError:
        return record  # said by `_ways`
    if len(sheets) == len(record.map.sheets):
        return record
    taken = " / ".join(sheet.name for sheet in sheets)
    notes.add("SF-R223", Severity.INFO, "map.sheet", record.map.raw_sheet, sheets=taken)
    return replace(record, map=replace(record.map, sheets=sheets))


def _ways(record: MinefieldRecord, priors: Priors, region: BaseGeometry | None, notes: _Doubts) -> Assumptions:
    """The ways to read a form; none when its words name a coordinate system that does not exist."""
    try:
        return assumptions(record, priors, region)
    except PositionError as error:
        notes.add(error.id, Severity.ERROR, "crs", error.found, **error.values)
        return Assumptions((), 0.0)


def _repeats(record: MinefieldRecord, priors: Priors, region: BaseGeometry | None) -> list[Place]:
    try:
        return shortened_candidates(record, priors, region)
    except PositionError:
        return []  # said by `_ways`


def _built(builder: ReadingBuilder, way: Assumption, notes: _Doubts) -> list[Reading]:
    try:
        return builder.build(way)
    except PositionError as error:
        notes.add(error.id, Severity.ERROR, "crs", error.found, **error.values)
        return []


def _within(readings: list[Reading], context: LocateContext) -> tuple[list[Reading], str]:
    """Leave out readings that lie far outside the case's region; say where they would lie."""
    if context.region is None:
        return readings, ""
    west, south, east, north = context.region.bounds
    margin = context.region_margin_deg
    kept, away = [], ""
    for reading in readings:
        if reading.pivot is None:
            kept.append(reading)
            continue
        longitude, latitude = reading.pivot
        inside = west - margin <= longitude <= east + margin and south - margin <= latitude <= north + margin
        if inside:
            kept.append(reading)
        else:
            away = away or f"{latitude:.4f}, {longitude:.4f}"
    return kept, "" if kept else away


def _merged_alike(readings: list[Reading]) -> list[Reading]:
    """Merge readings that place every point within a centimetre; the labels of the heaviest stay."""
    kept: list[tuple[Reading, object]] = []
    for reading in sorted(readings, key=lambda r: -r.weight):
        signature = _signature(reading)
        twin = next((n for n, (_, other) in enumerate(kept) if signature == other and other is not None), None)
        if twin is None:
            kept.append((reading, signature))
        else:
            heavier, other = kept[twin]
            kept[twin] = (replace(heavier, weight=heavier.weight + reading.weight), other)
    return [reading for reading, _ in kept]


def _signature(reading: Reading) -> object:
    if not reading.points:
        return None
    places = reading.point_positions()
    rounded = tuple((name, round(z.real, 2), round(z.imag, 2)) for name, z in sorted(places.items()))
    rows = tuple((row.no, row.items, row.spacing_m) for row in reading.rows)
    pivot = reading.pivot and (round(reading.pivot[0], 7), round(reading.pivot[1], 7))
    return (pivot, rounded, rows)


def _normalised(readings: list[Reading]) -> list[Reading]:
    total = sum(r.weight for r in readings)
    ordered = sorted(readings, key=lambda r: -r.weight)
    if total <= 0.0:  # only ways that the form gives no weight are left: none is preferred
        return [replace(r, weight=1.0 / len(ordered)) for r in ordered]
    return [replace(r, weight=r.weight / total) for r in ordered]


def _heaviest(readings: list[Reading], keep: int) -> tuple[list[Reading], float]:
    """The heaviest readings with weights adding to 1, and the weight of those left out."""
    ordered = _normalised(readings)
    if len(ordered) <= keep:
        return ordered, 0.0
    return _normalised(ordered[:keep]), sum(r.weight for r in ordered[keep:])


def _with_spread(readings: list[Reading]) -> list[Reading]:
    """State how far each reading's points lie from those of the heaviest one."""
    if len(readings) < 2 or readings[0].pivot is None:
        return readings
    reference = readings[0].lonlat_points()
    return [readings[0], *(replace(r, spread_m=r.farthest_from(reference)) for r in readings[1:])]


def _explain(
    record: MinefieldRecord, readings: list[Reading], level: int, builder: ReadingBuilder,
    region: BaseGeometry | None, notes: _Doubts,
) -> None:  # fmt: skip
    for id_, severity, column, found, values in builder.remarks:
        notes.add(id_, severity, column, found, **values)
    _explain_place(record, readings, level, notes)
    _explain_zone(record, readings, notes)
    _explain_margin(record, readings, builder, notes)
    _explain_repeats(record, readings, _repeats(record, builder.priors, region), region is not None, notes)
    for reading in readings[:1]:
        for miss in reading.misclosures:
            severity = Severity.WARNING if miss.ratio < 30 else Severity.INFO
            if not miss.shared:
                notes.add("SF-R230", Severity.ERROR, "legs", f"{miss.length_m:.0f} m", target=miss.target)
                continue
            notes.add(
                "SF-R051", severity, "legs", f"{miss.length_m:.1f} m = 1:{_whole_ratio(miss.ratio)}", target=miss.target
            )
    if len(readings) > 1 and readings[0].points:
        spread = " / ".join(f"{r.spread_m:.0f}" for r in readings)
        notes.add("SF-R052", Severity.WARNING, "", f"{len(readings)}", spread=spread)
    _explain_apart(record, readings[0], notes)
    _explain_outline(record, readings[0], notes)
    for in_rows, in_totals in variants(record).items():
        notes.add("SF-R229", Severity.INFO, "totals", in_totals, row=in_rows)
    for model, count in excess(record).items():
        notes.add("SF-R053", Severity.WARNING, "totals", f"{count} {model}".strip())
    rest = unallocated(record)
    if rest and record.rows:
        notes.add("SF-R054", Severity.INFO, "totals", sum(rest.values()))
    _explain_left_out(record, notes)
    if record.family is RecordFamily.INTERVIEW:
        notes.add("SF-R055", Severity.INFO, "family", record.family)


def _whole_ratio(ratio: float) -> str:
    """Return the ratio of a closure cut to a whole number: 1:18 for 18.66, which is worse than 1:19."""
    return str(math.floor(ratio)) if math.isfinite(ratio) else "∞"


def _explain_left_out(record: MinefieldRecord, notes: _Doubts) -> None:
    """Say which numbers are too large to be those of one record."""
    for column, count in left_out(record).items():
        notes.add("SF-R195", Severity.ERROR, column, count, most=MOST_DEVICES)


def _explain_apart(record: MinefieldRecord, reading: Reading, notes: _Doubts) -> None:
    """Say that points stated by coordinates lie farther apart than those of one record do."""
    stated = {name for name, _ in stated_places(record)}
    pair = farthest_pair({name: place for name, place in reading.point_positions().items() if name in stated})
    if pair is None or pair[2] <= FAR_APART_M:
        return
    severity = Severity.ERROR if pair[2] > IMPOSSIBLE_APART_M else Severity.WARNING
    notes.add("SF-R228", severity, "reference_points", f"{pair[0]} - {pair[1]}", apart=f"{pair[2] / 1000.0:.1f}")


def _explain_outline(record: MinefieldRecord, reading: Reading, notes: _Doubts) -> None:
    """Say that an outline has no surface, or crosses itself: its corners are not in the order they are walked."""
    places = reading.point_positions() if reading.points else {}
    corners = [(places[name].real, places[name].imag) for name in reading.area if name in places]
    if len(corners) < 3:
        return
    hull = MultiPoint(corners).convex_hull
    if hull.area <= LEAST_WIDTH_M * hull.length / 2:
        notes.add("SF-R206", Severity.WARNING, "area", ", ".join(reading.area))
    elif not Polygon(corners).is_valid:
        notes.add("SF-R032", Severity.WARNING, "area", ", ".join(reading.area))


def _explain_zone(record: MinefieldRecord, readings: list[Reading], notes: _Doubts) -> None:
    """Say where the zone came from, or that it is needed, when neither the words nor the eastings state it."""
    plane = [s for _, s in stated_places(record) if s.kind == "square" or (s.kind == "plane" and s.easting is not None)]
    if not plane or not zone_is_open(record, plane):
        return
    reading = readings[0]
    zone = easting_prefix(reading.crs) if reading.crs.startswith("EPSG") else None
    if zone is None:
        if not reading.points:
            notes.add("SF-R226", Severity.ERROR, "crs", plane[0].raw)
        return
    over = [name for name, (lon, _) in reading.lonlat_points().items() if beyond_zone_deg(reading.crs, lon) > _EDGE_DEG]
    if over:
        notes.add("SF-R227", Severity.WARNING, "crs", ", ".join(over), zone=zone)
    elif record.map.sheets:
        notes.add("SF-R064", Severity.INFO, "crs", record.map.raw_sheet, zone=zone)
    else:
        taken = list(dict.fromkeys(r.hypotheses.get("crs", r.crs) for r in readings))
        sure = len(taken) == 1 and record.crs is not None and record.crs.datum
        notes.add("SF-R224", Severity.INFO if sure else Severity.WARNING, "crs", " / ".join(taken))


def _explain_repeats(
    record: MinefieldRecord, readings: list[Reading], repeats: list[Place], in_region: bool, notes: _Doubts
) -> None:
    """List the places that shortened digits may mean; inside the region each of them is a reading."""
    shortened = first_shortened(record)
    if shortened is None:
        return
    listed = "; ".join(f"{p.northing:.0f} {p.easting:.0f}" for p in repeats)
    if in_region:
        severity = Severity.WARNING if len(repeats) > 1 else Severity.INFO if repeats else Severity.ERROR
        notes.add("SF-R225", severity, "reference_points", shortened[0], count=len(repeats), candidates=listed)
    elif len(repeats) > 1 and shortened[0] not in readings[0].points:
        notes.add("SF-R061", Severity.ERROR, "reference_points", len(repeats), candidates=listed)


def _explain_margin(record: MinefieldRecord, readings: list[Reading], builder: ReadingBuilder, notes: _Doubts) -> None:
    """Say what the declination of the map's margin leaves open, and that it is hard to believe."""
    pivot, margin, raw = readings[0].pivot, record.map.margin_declination_deg, record.map.raw_margin_declination
    if margin is None or pivot is None:
        return
    if any(MAGNETIC_EPOCH in reading.hypotheses for reading in readings):
        laying = builder.declination(pivot)
        told = {"margin": f"{margin:.2f}", "laying": "?" if laying in (None, margin) else f"{laying:.2f}"}
        notes.add("SF-R219", Severity.WARNING, "map.margin_declination", raw, **told)
    year = record.map.margin_year or builder.year
    try:
        model = declination_at(*pivot, year)
    except PositionError:
        return  # the year is none of the model's
    if abs((margin - model + 180.0) % 360.0 - 180.0) > FAR_OFF_DEG:
        told = {"margin": f"{margin:.2f}", "model": f"{model:.2f}", "year": str(int(year))}
        notes.add("SF-R221", Severity.WARNING, "map.margin_declination", raw, **told)


def _explain_place(record: MinefieldRecord, readings: list[Reading], level: int, notes: _Doubts) -> None:
    described = bool(stated_places(record)) or bool(record.reference_points)
    if not described:
        notes.add("SF-R041", Severity.ERROR, "reference_points")
    elif not any(r.points for r in readings):
        notes.add("SF-R042", Severity.ERROR, "reference_points", record.map.raw_sheet)
    elif level == 1:
        notes.add("SF-R043", Severity.INFO, "reference_points")
    names = {name for r in readings for name in r.points}
    wanted = {leg.target for leg in record.legs} | set(record.area)
    wanted |= {name for row in record.rows for name in (row.origin, row.target) if name}
    missing = sorted(wanted - names)
    if missing and names:
        notes.add("SF-R044", Severity.ERROR, "legs", ", ".join(missing))
