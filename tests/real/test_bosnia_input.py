"""The public Bosnian map extract, as it is: null and empty polygons, crossing outlines, doubled symbols.

Read in place and never shipped. The counts are those of the design's own survey of the files.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import shapely

from surefoot.model import Accidents, HazardousAreas
from surefoot.readers.read_tables import TableResult, read_table_file

HERE = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("SUREFOOT_DATA", HERE.parent / "shared" / "data")) / "bosnia"

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(),
    reason=f"the Bosnian files are not shipped; SUREFOOT_DATA names their folder (looked in {FOLDER})",
)


def read(name: str) -> TableResult:
    (result,) = read_table_file(FOLDER / name)
    return result


def test_suspected_areas_keep_7971_of_11068() -> None:
    result = read("suspected_areas.geojson")
    count = result.count
    assert (count.kind, count.rows_in, count.set_aside) == ("areas", 11_068, 3_097)
    assert Counter(s.id for s in result.set_aside) == {"SF-R131": 3_097}
    areas = result.facts
    assert isinstance(areas, HazardousAreas)
    assert len(areas) == 7_971
    assert set(areas.status.tolist()) == {"suspected"}
    assert shapely.is_valid(areas.geometry).all()
    assert (shapely.area(areas.geometry) > 0).all()
    assert areas.sheet[0] == "2585-III"
    repaired = [d for d in result.doubts if d.id == "SF-R133"]
    assert [d.values["count"] for d in repaired] == [467]


def test_suspected_area_is_never_made_smaller_by_the_repair() -> None:
    areas = read("suspected_areas.geojson").facts
    assert isinstance(areas, HazardousAreas)
    # the plain sum of GEOS's two repairs on the same file: 0.0056169 and 0.0056183 square degrees
    assert shapely.area(areas.geometry).sum() > 0.0056


def test_cleared_areas() -> None:
    result = read("cleared_areas.geojson")
    areas = result.facts
    assert isinstance(areas, HazardousAreas)
    assert result.count.rows_in == 8_329
    assert 105 <= result.count.set_aside <= 120
    assert set(areas.status.tolist()) == {"cleared"}


def test_incidents_are_accidents_with_their_sheet() -> None:
    result = read("incidents.geojson")
    accidents = result.facts
    assert isinstance(accidents, Accidents)
    assert (result.count.rows_in, result.count.set_aside, len(accidents)) == (988, 0, 988)
    assert np.isfinite(accidents.longitude).all()
    assert all(accidents.sheet.tolist())
    assert {"SF-R155", "SF-R156"} <= {d.id for d in result.doubts}


def test_lifted_minefields_are_symbols_of_records() -> None:
    result = read("lifted_minefields.geojson")
    assert result.count.kind == "records"
    assert isinstance(result.facts, tuple)
    assert len(result.facts) == 514
    assert {event.kind for record in result.facts for event in record.events} == {"lifted"}
