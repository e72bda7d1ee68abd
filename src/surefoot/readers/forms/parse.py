"""From the fields of a form, as text, to a `MinefieldRecord` of statements.

Every value that cannot be read becomes a doubt beside the field it stands in; the rest of the form goes on.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from surefoot.errors import InputError
from surefoot.model import (
    Candidate,
    ControlPoint,
    GivenPoint,
    LaterEvent,
    Leg,
    MapReference,
    MinefieldRecord,
    PlannedDevice,
    ReferencePoint,
    Sketch,
    StatedDate,
    category_of_model,
)
from surefoot.positions.bearings import is_back_bearing, parse_bearing
from surefoot.positions.coordinates import parse_coordinate, parse_local
from surefoot.positions.distances import parse_distance
from surefoot.positions.sheets import farthest_centres_km, parse_sheet
from surefoot.positions.statements import BearingStatement, CoordinateStatement, DistanceStatement
from surefoot.positions.zones import parse_crs
from surefoot.readers.forms.days import is_month_first, parse_date
from surefoot.readers.forms.documents import FormDocument
from surefoot.readers.forms.events import date_texts, parse_events
from surefoot.readers.forms.margin import margin_of
from surefoot.readers.forms.names import with_one_name_each
from surefoot.readers.forms.notes import Notes
from surefoot.readers.forms.numbers import count_of, rows_of, totals_of
from surefoot.readers.forms.numbers import text_of as _text
from surefoot.readers.forms.schema import passes, schema, validator
from surefoot.readers.forms.shape import in_shape
from surefoot.readers.forms.words import distance_method_of, instrument_of, parse_family
from surefoot.readers.priors import default_priors
from surefoot.terms import BearingUnit, DeviceCategory, EventKind, RecordFamily, Severity

_YES = re.compile(r"^(true|yes|да|1|da|bəli|այո|так)$", re.IGNORECASE)


def parse_form(document: FormDocument) -> MinefieldRecord:
    """Read one form.

    Raises
    ------
    InputError
        SF-R006 when the document is no form: not a table of fields, or without a single known field.
    """
    if document.fields is None or not set(document.fields) & set(schema()["properties"]):
        raise InputError("SF-R006", document.found or ", ".join(map(str, document.fields or {}))[:80])
    notes = Notes(document.where)
    fields = with_one_name_each(_well_formed(in_shape(document.fields), notes), notes)
    for twice in document.twice:
        notes.add("SF-R205", Severity.WARNING, twice.key, twice.key, first=twice.first, second=twice.second)
    record_id = _text(fields.get("record_id")) or document.default_id
    family = notes.attempt(parse_family, _text(fields.get("family")), "family") or RecordFamily.OTHER
    formulyar = family is RecordFamily.FORMULYAR
    crs = notes.attempt(parse_crs, _text(fields.get("crs")), "crs")
    notes.local_metres = crs is not None and crs.projection == "local"
    given = _reference_points(fields.get("reference_points", []), notes)
    record = MinefieldRecord(
        record_id=record_id,
        where=document.where,
        family=family,
        form_no=_text(fields.get("form_no")),
        series=_text(fields.get("series")),
        unit=_pseudonym(fields.get("unit")),
        compiler=_pseudonym(fields.get("compiler")),
        laid=_date(fields.get("laid"), "laid", notes),
        compiled=_date(fields.get("compiled"), "compiled", notes),
        received=_date(fields.get("received"), "received", notes),
        map=_map_reference(fields.get("map", {}), family, notes),
        crs=crs,
        reference_points=given,
        legs=_legs(fields.get("legs", []), given, formulyar, notes),
        points=_points(fields.get("points", []), notes),
        rows=rows_of(fields.get("rows", []), notes),
        devices=_devices(fields.get("devices", []), formulyar, notes),
        area=tuple(_text(point) for point in fields.get("area", [])),
        front=notes.attempt(parse_distance, _text(fields.get("front")), "front"),
        depth=notes.attempt(parse_distance, _text(fields.get("depth")), "depth"),
        totals=totals_of(fields.get("totals"), notes),
        method=_text(fields.get("method")),
        fuze=_text(fields.get("fuze")),
        life=_text(fields.get("life")),
        anti_handling=_text(fields.get("anti_handling")),
        booby_traps=_text(fields.get("booby_traps")),
        passages=_text(fields.get("passages")),
        events=_events(fields.get("events", []), notes),
        sketch=_sketch(fields.get("sketch"), notes),
    )
    return _with_doubts(record, notes)


def _with_doubts(record: MinefieldRecord, notes: Notes) -> MinefieldRecord:
    record = _with_corners_as_area(record, notes)
    _check_area(record, notes)
    _check_dates(record, notes)
    _note_unknown_models(record, notes)
    return replace(record, doubts=tuple(notes.doubts))


def _with_corners_as_area(record: MinefieldRecord, notes: Notes) -> MinefieldRecord:
    """A perimeter or remotely laid field whose corners are given, but not named as its area."""
    bounded = record.family in (RecordFamily.REMOTE, RecordFamily.PERIMETER)
    if not bounded or record.area or record.rows or len(record.points) < 3:
        return record
    corners = tuple(point.id for point in record.points)
    notes.add("SF-R033", Severity.INFO, "area", ", ".join(corners))
    return replace(record, area=corners)


def _check_area(record: MinefieldRecord, notes: Notes) -> None:
    if record.area and len(set(record.area)) < 3:
        notes.add("SF-R020", Severity.ERROR, "area", ", ".join(record.area), count=len(set(record.area)))


def _check_dates(record: MinefieldRecord, notes: Notes) -> None:
    for earlier, later, column in (
        (record.laid, record.compiled, "compiled"),
        (record.laid, record.received, "received"),
        (record.compiled, record.received, "received"),
    ):
        if earlier and later and later.last < earlier.first:
            notes.add("SF-R015", Severity.WARNING, column, later.raw, earlier=earlier.raw)
    for event in record.events:
        if event.date and record.laid and event.date.last < record.laid.first:
            notes.add("SF-R015", Severity.WARNING, "events", event.raw, earlier=record.laid.raw)


def _note_unknown_models(record: MinefieldRecord, notes: Notes) -> None:
    models = {model for row in record.rows for model in row.mines} | {*record.totals}
    models |= {device.model for device in record.devices}
    for model in sorted(models - {""}):
        if category_of_model(model) is DeviceCategory.UNKNOWN:
            notes.add("SF-R016", Severity.INFO, "mines", model)


def _well_formed(fields: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    """Drop what the schema does not allow, each with a doubt; keep the rest."""
    if passes(fields):
        return dict(fields)
    bad: set[tuple[str, int | None]] = set()
    for error in sorted(validator().iter_errors(fields), key=lambda e: [str(p) for p in e.absolute_path]):
        path = list(error.absolute_path)
        if error.validator == "additionalProperties":
            known = set(error.schema["properties"])
            for name in sorted(set(map(str, error.instance)) - known):
                found = str(error.instance.get(name))[:80]
                notes.add("SF-R017", Severity.INFO, ".".join([*map(str, path), name]), found)
        elif path:
            notes.add("SF-R018", Severity.ERROR, ".".join(map(str, path)), str(error.instance)[:80])
            # Inside a list the whole entry goes, so that nothing slips to another place in silence.
            bad.add((str(path[0]), path[1] if len(path) > 1 and isinstance(path[1], int) else None))
    return {key: _kept(key, value, bad) for key, value in fields.items() if (key, None) not in bad}


def _kept(key: str, value: Any, bad: set[tuple[str, int | None]]) -> Any:
    if not isinstance(value, list):
        return {} if any(name == key for name, _ in bad) else value
    return [entry for number, entry in enumerate(value) if (key, number) not in bad]


def _date(value: object, column: str, notes: Notes) -> StatedDate | None:
    text = _text(value)
    stated = notes.attempt(parse_date, text, column)
    if stated is not None and is_month_first(text):
        notes.add("SF-R208", Severity.WARNING, column, text, day=stated.first.isoformat())
    return stated


def _pseudonym(value: object) -> str:
    """Units and compilers are kept only so far that the same hand can be recognised again."""
    text = _text(value)
    if not text:
        return ""
    return hashlib.sha256(" ".join(text.casefold().split()).encode()).hexdigest()[:10]


def _position(text: object, column: str, notes: Notes) -> CoordinateStatement | None:
    return notes.attempt(parse_local if notes.local_metres else parse_coordinate, _text(text), column)


def _bearing(entry: Mapping[str, Any], formulyar: bool, column: str, notes: Notes) -> BearingStatement | None:
    text, north = _text(entry.get("bearing")), _text(entry.get("north"))
    bearing = notes.attempt(
        lambda raw: parse_bearing(raw, north_text=north, formulyar=formulyar), text, f"{column}.bearing"
    )
    if bearing is not None and is_back_bearing(text):
        notes.add("SF-R035", Severity.INFO, f"{column}.bearing", text)
    if bearing is not None and formulyar and bearing.value <= 60 and re.search(r"(?<![\d.])\d{1,2}\.\d\d$", text):
        notes.add("SF-R034", Severity.WARNING, f"{column}.bearing", text, hyphenated=text.replace(".", "-"))
    hyphenated = re.search(r"\d ?- ?\d\d\b", text) is not None and not re.search(r"[°º]|deg|град", text)
    if bearing is not None and bearing.unit is BearingUnit.DEGREE and hyphenated:
        notes.add("SF-R030", Severity.WARNING, f"{column}.bearing", text, degrees=f"{bearing.value:.2f}")
    return bearing


def _distance(entry: Mapping[str, Any], column: str, notes: Notes) -> DistanceStatement | None:
    stated = notes.attempt(parse_distance, _text(entry.get("distance")), f"{column}.distance")
    slope = notes.attempt(_slope_deg, _text(entry.get("slope")), f"{column}.slope")
    if stated is None or slope is None:
        return stated
    return DistanceStatement(stated.raw, stated.value, stated.unit, slope)


def _slope_deg(text: str) -> float:
    match = re.match(r"^\s*([+-]?\d+(?:[.,]\d+)?)\s*(%|°|º|deg|град\w*)?\s*$", text)
    if match is None:
        if re.match(r"^(horizontal|flat|гориз\w*|нет|none)$", text.strip(), re.IGNORECASE):
            return 0.0
        raise InputError("SF-R019", text)
    value = abs(float(match[1].replace(",", ".")))
    degrees = math.degrees(math.atan(value / 100)) if match[2] == "%" else value
    if degrees > 60:
        raise InputError("SF-R019", text)
    return degrees


def _reference_points(entries: list[Mapping[str, Any]], notes: Notes) -> tuple[ReferencePoint, ...]:
    return tuple(
        _reference_point(entry, f"reference_points[{number}]", notes) for number, entry in enumerate(entries, start=1)
    )


def _reference_point(entry: Mapping[str, Any], column: str, notes: Notes) -> ReferencePoint:
    written = entry.get("candidates", [])
    written = written if isinstance(written, list) else re.split(r"\s*;\s*", written)
    known = [candidate for candidate in (_candidate(c, column, notes) for c in written) if candidate]
    stated = [weight for _, weight in known if weight is not None]
    position = _position(entry.get("position"), f"{column}.position", notes)
    free = max(0.0, 1.0 - sum(stated))
    unstated = sum(weight is None for _, weight in known) + (position is not None)
    # Places without a stated weight share equally what is left after the chance that it is none of them.
    unknown = free * (_landmark_mistaken() if unstated else 1.0)
    free -= unknown
    candidates = tuple(
        Candidate(position, weight if weight is not None else free / unstated) for position, weight in known
    )
    total = sum(c.weight for c in candidates)
    if total > 1.0:
        candidates = tuple(Candidate(c.position, c.weight / total) for c in candidates)
    return ReferencePoint(
        id=_text(entry.get("id")),
        description=_text(entry.get("description")),
        position=position,
        candidates=candidates,
        unknown_weight=unknown if candidates else 0.0,
    )


def _landmark_mistaken() -> float:
    return float(default_priors().table["hypotheses"]["landmark_mistaken"])


def _candidate(written: object, column: str, notes: Notes) -> tuple[CoordinateStatement, float | None] | None:
    entry: Mapping[str, Any] = written if isinstance(written, dict) else {"position": written}
    position = _position(entry.get("position"), f"{column}.candidates", notes)
    weight = notes.attempt(_share, _text(entry.get("weight")), f"{column}.candidates")
    return None if position is None else (position, weight)


def _share(text: str) -> float:
    match = re.match(r"^\s*(\d+(?:[.,]\d+)?)\s*(%)?\s*$", text)
    value = float(match[1].replace(",", ".")) / (100 if match[2] else 1) if match else -1.0
    if not 0.0 <= value <= 1.0:
        raise InputError("SF-R021", text)
    return value


def _legs(
    entries: list[Mapping[str, Any]], given: tuple[ReferencePoint, ...], formulyar: bool, notes: Notes
) -> tuple[Leg, ...]:
    legs = []
    for number, entry in enumerate(entries, start=1):
        column = f"legs[{number}]"
        origin = _text(entry.get("from"))
        if not origin and len(given) == 1:
            origin = given[0].id
        bearing = _bearing(entry, formulyar, column, notes)
        distance = _distance(entry, column, notes)
        if not origin or not _text(entry.get("to")) or (bearing is None and distance is None):
            notes.add("SF-R022", Severity.ERROR, column, _legible(entry))
            continue
        words = f"{_text(entry.get('instrument'))} {_text(entry.get('distance'))}"
        legs.append(
            Leg(
                origin,
                _text(entry.get("to")),
                bearing,
                distance,
                instrument=instrument_of(f"{_text(entry.get('instrument'))} {_text(entry.get('bearing'))}"),
                distance_method=distance_method_of(words),
            )
        )
    return tuple(legs)


def _legible(entry: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in entry.items())[:120]


def _points(entries: list[Mapping[str, Any]], notes: Notes) -> tuple[GivenPoint, ...]:
    points = []
    for number, entry in enumerate(entries, start=1):
        position = _position(entry.get("position"), f"points[{number}].position", notes)
        if position is not None:
            points.append(GivenPoint(_text(entry.get("id")), position))
    return tuple(points)


def _devices(entries: list[Mapping[str, Any]], formulyar: bool, notes: Notes) -> tuple[PlannedDevice, ...]:
    devices = []
    for number, entry in enumerate(entries, start=1):
        column = f"devices[{number}]"
        devices.append(
            PlannedDevice(
                row=_text(entry.get("row")),
                index=count_of(_text(entry.get("index")), f"{column}.index", notes),
                model=_text(entry.get("type")),
                position=_position(entry.get("position"), f"{column}.position", notes),
                origin=_text(entry.get("from")),
                bearing=_bearing(entry, formulyar, column, notes),
                distance=_distance(entry, column, notes),
            )
        )
    return tuple(devices)


def _events(entries: list[Any], notes: Notes) -> tuple[LaterEvent, ...]:
    events: list[LaterEvent] = []
    for number, entry in enumerate(entries, start=1):
        column, text = f"events[{number}]", _text(entry)
        read = notes.attempt(parse_events, text, column)
        if read is None:  # its day does not exist: the rest is read all the same
            read = parse_events(text, no_such_day=True)
        else:
            for day in filter(is_month_first, date_texts(text)):
                notes.add("SF-R208", Severity.WARNING, column, text, day=parse_date(day).first.isoformat())
        if text and all(event.kind is EventKind.UNKNOWN for event in read[:1]):
            notes.add("SF-R024", Severity.WARNING, column, text)
        events.extend(read)
    return tuple(events)


def _weight_of_sheet(raw_sheet: str, family: RecordFamily) -> Severity:
    """Other map series have names of their own; what looks like a Soviet sheet, or stands on a formulyar, is a loss."""
    soviet = re.match(r"\W*[^\W\d_]\W*\d{1,2}\b", raw_sheet) is not None
    other_series = family in (RecordFamily.ZAPISNIK, RecordFamily.NATO) and not soviet
    return Severity.INFO if other_series else Severity.WARNING


def _map_reference(written: Mapping[str, Any], family: RecordFamily, notes: Notes) -> MapReference:
    raw_sheet = _text(written.get("sheet"))
    sheets = parse_sheet(raw_sheet) if raw_sheet else ()
    if raw_sheet and not sheets:
        notes.add("SF-R207", _weight_of_sheet(raw_sheet, family), "map.sheet", raw_sheet)
    if len(sheets) > 1:
        names = " / ".join(sheet.name for sheet in sheets)
        apart = f"{farthest_centres_km(sheets):.1f}"
        notes.add("SF-R025", Severity.WARNING, "map.sheet", raw_sheet, sheets=names, apart=apart)
    margin = margin_of(written, notes)
    return MapReference(
        raw_sheet=raw_sheet,
        sheets=sheets,
        scale=notes.attempt(_scale, _text(written.get("scale")), "map.scale"),
        edition=_text(written.get("edition")),
        raw_margin_declination=margin.raw,
        margin_declination_deg=margin.degrees,
        margin_year=margin.year,
    )


def _scale(text: str) -> float:
    match = re.match(r"^\s*(?:1\s*[:/]\s*)?(\d[\d\s., ]*)\s*(k|к|тыс\w*|000)?\.?\s*$", text, re.IGNORECASE)
    if match is None:
        raise InputError("SF-R026", text)
    value = float(re.sub(r"[^\d]", "", match[1])) * (1000 if match[2] else 1)
    if not 100 <= value <= 5_000_000:
        raise InputError("SF-R026", text)
    return value


def _sketch(written: Mapping[str, Any] | None, notes: Notes) -> Sketch | None:
    if not written:
        return None
    arrow = notes.attempt(_number, _text(written.get("north_arrow_deg")), "sketch.north_arrow_deg")
    points = (
        _control_point(entry, f"sketch.control_points[{number}]", notes)
        for number, entry in enumerate(written.get("control_points", []), start=1)
    )
    return Sketch(
        image=_text(written.get("image")),
        scale_known=bool(_YES.match(_text(written.get("scale_known")))),
        north_arrow_deg=arrow,
        control_points=tuple(point for point in points if point is not None),
    )


def _control_point(entry: Mapping[str, Any], column: str, notes: Notes) -> ControlPoint | None:
    written = entry.get("pixel")
    text = " ".join(map(str, written)) if isinstance(written, list) else _text(written)
    numbers = re.findall(r"-?\d+(?:\.\d+)?", text)
    if len(numbers) != 2:
        notes.add("SF-R028", Severity.ERROR, f"{column}.pixel", text)
        return None
    return ControlPoint(
        (float(numbers[0]), float(numbers[1])),
        _text(entry.get("point")),
        _position(entry.get("position"), f"{column}.position", notes),
    )


def _number(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError as error:
        raise InputError("SF-R029", text) from error
