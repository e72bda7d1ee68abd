"""What a form leaves open about the ground: the sheet, the hundred-kilometre square, the zone; points far apart."""

from __future__ import annotations

from typing import Any

import pytest
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from surefoot.analysis.locate import LocateContext, Readings, locate
from surefoot.model import Doubt, Where
from surefoot.readers.forms.documents import FormDocument
from surefoot.readers.forms.parse import parse_form
from surefoot.readers.priors import default_priors


def placed(region: BaseGeometry | None = None, **fields: Any) -> Readings:
    """Locate a Soviet-type form with nothing on it but the fields."""
    form = {"form_no": "1", "family": "formulyar", "laid": "07.1993", **fields}
    record = parse_form(FormDocument(Where("form.yaml", row=1), "form", form))
    return locate(record, context=LocateContext(default_priors(), region))


def doubt(found: Readings, id_: str) -> Doubt | None:
    return next((doubt for doubt in found.doubts if doubt.id == id_), None)


def at(id_: str, position: str) -> dict[str, str]:
    return {"id": id_, "position": position}


# --- a sheet's name that may mean several ----------------------------------------------------------------

LATIN_B = {"sheet": "K-38-141-B"}
ONLY_B, ONLY_V, BOTH = box(46.3, 40.2, 46.4, 40.3), box(46.05, 40.05, 46.2, 40.1), box(46.0, 40.0, 46.5, 40.3)


@pytest.mark.parametrize(
    ("region", "sheets"),
    [
        (ONLY_B, {"K-38-141-Б": 1.0}),
        (ONLY_V, {"K-38-141-В": 1.0}),
        (BOTH, {"K-38-141-Б": 0.5, "K-38-141-В": 0.5}),
        (box(47.0, 40.0, 47.5, 40.3), {"K-38-141-Б": 0.5, "K-38-141-В": 0.5}),
        (None, {"K-38-141-Б": 0.5, "K-38-141-В": 0.5}),
    ],
    ids=["only Б", "only В", "both meet", "none meets", "no region"],
)
def test_the_region_decides_between_sheets_where_only_one_meets_it(
    region: BaseGeometry | None, sheets: dict[str, float]
) -> None:
    found = placed(region, map=LATIN_B)
    assert {r.hypotheses["sheet"]: r.weight for r in found.readings} == sheets
    assert (doubt(found, "SF-R223") is not None) == (len(sheets) == 1)


@pytest.mark.parametrize(
    "position", ["40-15-00 46-20-00", "X=4460000 Y=8613000", "X=60000 Y=13000", "кв. 6013"],
    ids=["degrees", "metres", "shortened", "square"],
)  # fmt: skip
def test_coordinates_on_one_of_the_sheets_decide_before_the_region(position: str) -> None:
    found = placed(ONLY_V, map=LATIN_B, reference_points=[at("A", position)])
    settled = doubt(found, "SF-R223")
    assert settled is not None
    assert settled.values["sheets"] == "K-38-141-Б"
    assert doubt(found, "SF-R048") is None


def test_a_coordinate_on_neither_sheet_decides_nothing() -> None:
    found = placed(map=LATIN_B, reference_points=[at("A", "X=4465000 Y=8588000")])
    assert doubt(found, "SF-R223") is None
    assert doubt(found, "SF-R048") is not None
