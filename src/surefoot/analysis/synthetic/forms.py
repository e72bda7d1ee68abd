"""From a drawn pattern to a record form, every field as the text a compiler would write (interfaces.md 3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.analysis.synthetic.measured import Measured, measure
from surefoot.analysis.synthetic.notation import (
    MAP_SCALE,
    Compass,
    Notation,
    Place,
    distance_text,
    sheet_name,
    write_place,
)
from surefoot.analysis.synthetic.patterns import Pattern
from surefoot.model import StatedDate, Texts
from surefoot.positions.declination import declination_deg
from surefoot.positions.local import from_local
from surefoot.terms import RecordFamily

_WORDS: Mapping[str, Mapping[str, str]] = {
    "ru": {
        "landmark": "придуманный ориентир {} (имитация, открытое море)",
        "unit": "вымышленная часть",
        "instrument": "компас, шагами",
        "method": "вручную (имитация)",
        "passage": "проход у ряда 1, ширина 2 м",
        "none": "нет",
        "lifted": "{date} снято {count} {model}",
    },
    "en": {
        "landmark": "invented landmark {} (simulated, open sea)",
        "unit": "invented unit",
        "instrument": "compass, paces",
        "method": "by hand (simulated)",
        "passage": "passage beside row 1, 2 m wide",
        "none": "none",
        "lifted": "{date} lifted {count} {model}",
    },
}


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands on a form besides the pattern."""

    record_id: str
    form_no: str
    laid: dt.date
    second_landmark: complex | None  # metres east + i north of the pattern's centre
    states_area: bool
    states_passage: bool


@dataclass(frozen=True)
class CompiledForm:
    """A form, and where its words put everything."""

    form: Mapping[str, Any]
    landmark: Place
    measured: Measured


def write_form(
    pattern: Pattern, models: Texts, heading: Heading, notation: Notation, centre: tuple[float, float]
) -> CompiledForm:
    """Write the record of a pattern.

    Parameters
    ----------
    pattern, models
        The pattern, with the model of each device as this compiler calls it, shape (n,).
    heading, notation
        What else is stated, and how.
    centre
        Longitude, latitude of the pattern's centroid, degrees on WGS 84.
    """
    landmark = _written(notation, centre, pattern.landmark)
    year = StatedDate("", heading.laid, heading.laid).decimal_year
    declination = float(declination_deg(landmark.longitude, landmark.latitude, year))
    measured = measure(pattern, Compass(notation, declination), centre, landmark)
    form = _head(heading, notation, landmark)
    form["reference_points"] = _reference_points(heading, notation, centre, landmark)
    instrument = _WORDS[notation.language]["instrument"]
    form["legs"] = [
        {**leg, "instrument": instrument}
        for leg in measured.legs
        if heading.states_area or not leg["to"].startswith("C")
    ]
    form["rows"] = _rows(pattern, models, notation)
    if measured.devices:
        form["devices"] = [{**device, "type": models[position]} for position, device in measured.devices.items()]
    if heading.states_area:
        form["area"] = ["C1", "C2", "C3", "C4"]
        form["front"], form["depth"] = _extent(pattern, notation)
    form |= _foot(heading, notation, models)
    return CompiledForm(form, landmark, measured)


def with_lifted(form: Mapping[str, Any], language: str, date: dt.date, count: int, model: str) -> Mapping[str, Any]:
    """Return the form with a later event "12.10.94 снято 4 ПМН" noted on it."""
    written = f"{date:%d.%m.%y}" if language == "ru" else date.isoformat()
    note = _WORDS[language]["lifted"].format(date=written, count=count, model=model)
    return {**form, "events": [*form.get("events", []), note]}


def _written(notation: Notation, centre: tuple[float, float], offset: complex) -> Place:
    longitude, latitude = from_local(np.array([offset]), pivot=centre)
    return write_place(notation, float(longitude[0]), float(latitude[0]))


def _head(heading: Heading, notation: Notation, landmark: Place) -> dict[str, Any]:
    formulyar = notation.family is RecordFamily.FORMULYAR
    on_map = {"scale": str(MAP_SCALE), "edition": "1978" if formulyar else "1986"}
    if formulyar:
        on_map["sheet"] = sheet_name(landmark.longitude, landmark.latitude)
    return {
        "record_id": heading.record_id,
        "form_no": heading.form_no,
        "family": str(notation.family),
        "series": f"SIM-{notation.family.upper()}",
        "unit": _WORDS[notation.language]["unit"],
        "laid": f"{heading.laid:%d.%m.%Y}" if notation.language == "ru" else heading.laid.isoformat(),
        "map": on_map,
        "crs": notation.crs_words,
    }


def _reference_points(
    heading: Heading, notation: Notation, centre: tuple[float, float], landmark: Place
) -> list[dict[str, str]]:
    places = [("A", landmark)]
    if heading.second_landmark is not None:
        # No leg ties it to the pattern: a tie would tell the reader of the very errors that are pinned.
        places.append(("B", _written(notation, centre, heading.second_landmark)))
    words = _WORDS[notation.language]["landmark"]
    return [{"id": name, "description": words.format(name), "position": place.text} for name, place in places]


def _rows(pattern: Pattern, models: Texts, notation: Notation) -> list[dict[str, Any]]:
    rows = []
    for number in pattern.row_numbers:
        inside = models[pattern.row == number]
        row: dict[str, Any] = {"no": str(number), "from": f"{number}", "to": f"{number}e"}
        spacing = pattern.spacing_m[number - 1]
        if not np.isnan(spacing):
            row["spacing"] = distance_text(notation, float(spacing), 1)
        rows.append(row | {"count": str(len(inside)), "mines": counted(inside)})
    return rows


def counted(models: Texts) -> dict[str, str]:
    """Return the number of devices of each model, as written: {model: "12"}."""
    names, counts = np.unique(models.astype(str), return_counts=True)
    return {str(name): str(count) for name, count in zip(names, counts, strict=True)}


def _extent(pattern: Pattern, notation: Notation) -> tuple[str, str]:
    front = abs(pattern.corners[1] - pattern.corners[0])
    depth = abs(pattern.corners[3] - pattern.corners[0])
    return distance_text(notation, float(front), 0), distance_text(notation, float(depth), 0)


def _foot(heading: Heading, notation: Notation, models: Texts) -> dict[str, Any]:
    words = _WORDS[notation.language]
    foot: dict[str, Any] = {
        "totals": counted(models),
        "method": words["method"],
        "booby_traps": words["none"],
    }
    return foot | ({"passages": words["passage"]} if heading.states_passage else {})
