"""Vector files of every format: the same places, the CRS honoured, bad files refused."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyogrio
import pyogrio.raw
import pytest
import shapely
from pyproj import Transformer

from surefoot.errors import InputError
from surefoot.model import Accidents, DevicesFound, HazardousAreas
from surefoot.readers.columns import TableContext
from surefoot.readers.read_tables import read_table_file
from surefoot.readers.sniff import sniff

LON, LAT = np.array([46.929995, 46.933714]), np.array([39.989996, 39.989642])
SQUARE = shapely.box(46.92, 39.98, 46.94, 39.99)


def write(path: Path, driver: str, shapes: npt.NDArray[Any], crs: str = "EPSG:4326", **columns: list[Any]) -> Path:
    fields = list(columns)
    values = [np.array(columns[name], dtype=object) for name in fields]
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(shapes),
        field_data=values,
        fields=fields,
        driver=driver,
        crs=crs,
        geometry_type=str(shapes[0].geom_type),
    )
    return path


@pytest.mark.parametrize(
    ("name", "driver"),
    [
        ("finds.geojson", "GeoJSON"),
        ("finds.gpkg", "GPKG"),
        ("finds.fgb", "FlatGeobuf"),
        ("finds.shp", "ESRI Shapefile"),
        ("finds.kml", "KML"),
        ("finds.gpx", "GPX"),
    ],
)
def test_every_format_gives_the_same_places(tmp_path: Path, name: str, driver: str) -> None:
    label = {"GPX": "name", "KML": "Name"}.get(driver, "id")
    write(tmp_path / name, driver, shapely.points(LON, LAT), **{label: ["a", "b"]})
    (result,) = read_table_file(tmp_path / name)
    assert isinstance(result.facts, DevicesFound)
    order = np.argsort(result.facts.longitude)
    assert result.facts.longitude[order] == pytest.approx(LON, abs=1e-8)
    assert result.facts.latitude[order] == pytest.approx(LAT, abs=1e-8)
    assert sorted(result.facts.id.tolist()) == ["a", "b"]


def test_zipped_shapefile_and_kmz(tmp_path: Path) -> None:
    write(tmp_path / "finds.shp", "ESRI Shapefile", shapely.points(LON, LAT), id=["a", "b"])
    write(tmp_path / "doc.kml", "KML", shapely.points(LON, LAT), id=["a", "b"])
    with zipfile.ZipFile(tmp_path / "finds.zip", "w") as archive:
        for part in tmp_path.glob("finds.*"):
            if part.suffix != ".zip":
                archive.write(part, part.name)
    with zipfile.ZipFile(tmp_path / "finds.kmz", "w") as archive:
        archive.write(tmp_path / "doc.kml", "doc.kml")
    for name in ("finds.zip", "finds.kmz"):
        (result,) = read_table_file(tmp_path / name)
        assert result.count.accepted == 2, name


@pytest.mark.parametrize("crs", ["EPSG:32638", "EPSG:3857", "EPSG:28408"])
def test_crs_of_the_file_is_honoured(tmp_path: Path, crs: str) -> None:
    east, north = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(LON, LAT)
    if crs == "EPSG:28408":  # the checked place of records.md, section 6, case 1
        east, north = np.array([8664944.0, 8664944.0]), np.array([4430293.0, 4430293.0])
    write(tmp_path / "finds.gpkg", "GPKG", shapely.points(east, north), crs, id=["a", "b"])
    (result,) = read_table_file(tmp_path / "finds.gpkg")
    assert isinstance(result.facts, DevicesFound)
    assert result.facts.longitude[0] == pytest.approx(LON[0], abs=2e-6)
    assert result.facts.latitude[0] == pytest.approx(LAT[0], abs=2e-6)


def test_polygons_are_moved_with_every_vertex(tmp_path: Path) -> None:
    to_utm = Transformer.from_crs("EPSG:4326", "EPSG:32638", always_xy=True)
    moved = shapely.transform(SQUARE, lambda xy: np.column_stack(to_utm.transform(xy[:, 0], xy[:, 1])))
    write(tmp_path / "areas.gpkg", "GPKG", np.array([moved]), "EPSG:32638", status=["CHA"])
    (result,) = read_table_file(tmp_path / "areas.gpkg")
    assert isinstance(result.facts, HazardousAreas)
    assert result.facts.geometry[0].symmetric_difference(SQUARE).area < 1e-12
    assert result.facts.status[0] == "CHA"


def collection(*features: tuple[object, dict[str, object]]) -> str:
    parts = [{"type": "Feature", "geometry": g, "properties": p} for g, p in features]
    return json.dumps({"type": "FeatureCollection", "features": parts})


def ring(*points: tuple[float, float]) -> dict[str, object]:
    return {"type": "Polygon", "coordinates": [list(points)]}


def test_bad_features_are_set_aside_one_by_one(tmp_path: Path) -> None:
    good = ring((46.5, 39.5), (46.51, 39.5), (46.51, 39.51), (46.5, 39.5))
    path = tmp_path / "areas.geojson"
    path.write_text(
        collection(
            (good, {"status": "SHA"}),
            (None, {"status": "SHA"}),
            ({"type": "Polygon", "coordinates": []}, {"status": "SHA"}),
            (ring((46.5, 39.5), (46.51, 39.5), (46.5, 39.5)), {"status": "SHA"}),
            (ring((46.5, 39.5), (46.51, 39.5)), {"status": "SHA"}),
            ({"type": "Point", "coordinates": [46.5, 39.5]}, {"status": "SHA"}),
            (ring((-71, 42), (-71.1, 42), (-71.1, 42.1), (-71, 42)), {"status": "SHA"}),
        ),
        encoding="utf-8",
    )
    context = TableContext(region=shapely.box(46, 39, 47, 40))
    (result,) = read_table_file(path, "areas", context)
    assert (result.count.rows_in, result.count.accepted, result.count.set_aside) == (7, 1, 6)
    reasons = {s.where.row: s.id for s in result.set_aside}
    assert reasons == {
        2: "SF-R131", 3: "SF-R131", 4: "SF-R132", 5: "SF-R132", 6: "SF-R134", 7: "SF-R125"
    }  # fmt: skip


def test_latitude_first_geojson_is_mended_where_the_region_says_so(tmp_path: Path) -> None:
    path = tmp_path / "areas.geojson"
    path.write_text(
        collection((ring((39.5, 46.5), (39.5, 46.51), (39.51, 46.51), (39.5, 46.5)), {"status": "SHA"})),
        encoding="utf-8",
    )
    (result,) = read_table_file(path, "areas", TableContext(region=shapely.box(46, 39, 47, 40)))
    assert isinstance(result.facts, HazardousAreas)
    assert result.facts.geometry[0].bounds == pytest.approx((46.5, 39.5, 46.51, 39.51))
    assert [d.id for d in result.doubts if d.id == "SF-R127"] == ["SF-R127"]


def test_accident_without_geometry_is_not_located(tmp_path: Path) -> None:
    path = tmp_path / "accidents.geojson"
    point = {"type": "Point", "coordinates": [46.5, 39.5]}
    path.write_text(collection((point, {"killed": 1}), (None, {"killed": 2})), encoding="utf-8")
    (result,) = read_table_file(path)
    assert isinstance(result.facts, Accidents)
    assert result.facts.killed.tolist() == [1, 2]
    assert np.isnan(result.facts.longitude[1])
    assert (result.count.accepted, result.count.accepted_with_doubts) == (1, 1)


def test_symbols_of_one_sheet_and_of_two_are_told(tmp_path: Path) -> None:
    path = tmp_path / "accidents.geojson"
    spots = [(46.5, "A"), (46.50002, "A"), (46.5006, "B")]
    features = [({"type": "Point", "coordinates": [x, 39.5]}, {"sheet": s, "n": x}) for x, s in spots]
    path.write_text(collection(*features), encoding="utf-8")
    (result,) = read_table_file(path)
    told = {d.id: d.values["count"] for d in result.doubts if d.id in {"SF-R155", "SF-R156"}}
    assert told == {"SF-R155": 1, "SF-R156": 2}


def test_shapefile_without_prj_says_what_was_taken(tmp_path: Path) -> None:
    write(tmp_path / "finds.shp", "ESRI Shapefile", shapely.points(LON, LAT), id=["a", "b"])
    (tmp_path / "finds.prj").unlink()
    (result,) = read_table_file(tmp_path / "finds.shp")
    assert result.count.accepted == 2
    assert "SF-R186" in [d.id for d in result.doubts]


# --- hostile files ---------------------------------------------------------------------------------------


def test_zip_bomb_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "finds.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 100_000_000)
    with pytest.raises(InputError) as caught:
        sniff(path)
    assert caught.value.id == "SF-R107"


@pytest.mark.parametrize(("name", "root"), [("finds.kml", "kml"), ("finds.gpx", "gpx")])
def test_entity_bomb_ends_with_a_reason(tmp_path: Path, name: str, root: str) -> None:
    tenfold = [f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 12)]
    entities = '<!ENTITY l0 "lol">' + "".join(tenfold)
    inside = "<Document><name>&l11;</name></Document>"
    body = f'<?xml version="1.0"?><!DOCTYPE x [{entities}]><{root}>{inside}</{root}>'
    (tmp_path / name).write_text(body, encoding="utf-8")
    (result,) = read_table_file(tmp_path / name)
    assert result.facts is None
    assert result.count.set_aside == 1


def test_virtual_file_that_names_another_is_not_opened(tmp_path: Path) -> None:
    layer = '<OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer>'
    (tmp_path / "finds.gpkg").write_text(f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>", encoding="utf-8")
    (result,) = read_table_file(tmp_path / "finds.gpkg")
    assert [s.id for s in result.set_aside] == ["SF-R105"]


GPX = """<?xml version="1.0"?><gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1">
<wpt lat="39.99" lon="46.93"><time>2021-05-12T10:00:00Z</time><name>F1</name></wpt>
<wpt lat="39.991" lon="46.93"><name>F2</name></wpt></gpx>"""
KML = """<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder><name>finds</name>
<Placemark><name>F1</name><TimeStamp><when>2021-05-12</when></TimeStamp>
<Point><coordinates>46.93,39.99,0</coordinates></Point></Placemark>
<Placemark id="p2"><name>F2</name><Point><coordinates>46.93,39.991,0</coordinates></Point></Placemark>
</Folder></Document></kml>"""


@pytest.mark.parametrize(("name", "text"), [("finds.gpx", GPX), ("finds.kml", KML)])
def test_the_name_of_a_point_is_its_id_and_its_time_the_date(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    (result,) = read_table_file(tmp_path / name)
    assert isinstance(result.facts, DevicesFound)
    assert result.facts.id.tolist() == ["F1", "F2"]
    assert [str(day) for day in result.facts.date] == ["2021-05-12", "NaT"]
    assert "SF-R111" in [d.id for d in result.doubts]
