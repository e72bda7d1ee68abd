"""Where a record's devices may lie, where an ellipse would mislead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from pyproj import CRS

from surefoot.analysis.locate import LocateContext
from surefoot.analysis.reanchor import Placements, ReanchorContext, Settings, reanchor
from surefoot.analysis.reanchor.hypotheses import moved
from surefoot.analysis.reanchor.region import (
    ELLIPSES_WIDE,
    PLACEMENTS_COMPETE,
    Patch,
    Region,
    region_of,
    why_ellipses_mislead,
)
from surefoot.analysis.synthetic import simulate
from surefoot.model import Where
from surefoot.positions.grid import grid_at
from surefoot.readers.forms.documents import FormDocument
from surefoot.readers.forms.parse import parse_form
from surefoot.readers.priors import default_priors
from surefoot.writers.ascii_grid import write_ascii_grid


@pytest.fixture(scope="module")
def placed() -> list[Placements]:
    """Three records after one to three finds each, and after up to twenty."""
    made: list[Placements] = []
    for seed in (5, 6):
        region = simulate("nominal", rng=np.random.default_rng(seed), records=3)
        middle = region.settings.region.centroid
        grid = grid_at(region.settings.crs, middle.x, middle.y)
        context = ReanchorContext(
            grid, LocateContext(default_priors(), series=region.settings.series), Settings(300, 3)
        )
        forms = [parse_form(FormDocument(Where("f.yaml", row=1), str(f["record_id"]), f)) for f in region.forms]
        finds = region.finds.take(np.arange(0, len(region.finds), 6)) if seed == 5 else region.finds
        found = reanchor(
            forms, finds, region.searched, context=context, rng=np.random.default_rng(0), accidents=region.accidents
        )
        made += found.values()
    return made


def test_the_raster_holds_every_device_not_found(placed: list[Placements]) -> None:
    for one in placed:
        expected = sum(p.weight * p.p_missed.sum() for p in one.placements)
        assert region_of(one.placements).devices == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_a_level_holds_its_share_of_where_the_draws_put_the_devices(placed: list[Placements], level: float) -> None:
    rng = np.random.default_rng(1)
    held = []
    for one in placed:
        shape = region_of(one.placements).shape(level)
        shapely.prepare(shape)
        number = np.unique(one.row.astype(str), return_inverse=True)[1]
        inside, weight = 0.0, 0.0
        for p in one.placements:
            row = p.row_draws[:, number]
            row = row + p.row_draw_sd[number] * (rng.standard_normal(row.shape) + 1j * rng.standard_normal(row.shape))
            own = np.sqrt(np.maximum(p.hypothesis.own_variance - p.hypothesis.row_variance, 0.0))
            places = moved(p.draws, p.hypothesis) + row
            places = places + own * (rng.standard_normal(places.shape) + 1j * rng.standard_normal(places.shape))
            each = p.weight * np.broadcast_to(p.p_missed, places.shape) / len(places)
            inside += float(each[shapely.contains_xy(shape, places.real, places.imag)].sum())
            weight += float(each.sum())
        held.append(inside / weight)
    assert np.mean(held) == pytest.approx(level, abs=0.04)


def test_one_sure_placement_needs_no_raster_and_two_do(placed: list[Placements]) -> None:
    best = max((p.best for p in placed), key=lambda p: -np.trace(p.item_covariance, axis1=1, axis2=2).mean())
    sure = replace(best, weight=1.0)
    assert why_ellipses_mislead([sure]) == ()
    assert why_ellipses_mislead([replace(best, weight=0.6), replace(best, weight=0.4)]) == (PLACEMENTS_COMPETE,)
    assert why_ellipses_mislead([replace(best, weight=0.95), replace(best, weight=0.05)]) == ()
    wide = replace(sure, item_covariance=best.item_covariance + 2500.0 * np.eye(2))
    assert why_ellipses_mislead([wide]) == (ELLIPSES_WIDE,)


def test_two_placements_stay_two_places(placed: list[Placements]) -> None:
    one = min(placed, key=lambda p: np.trace(p.best.item_covariance, axis1=1, axis2=2).mean())
    far = replace(one.best, weight=0.5, hypothesis=replace(one.best.hypothesis, centroid=one.best.pivot + 2000.0))
    shape = region_of([replace(one.best, weight=0.5), far]).shape(0.9)
    between = one.best.mean.mean() + 1000.0
    assert not shape.intersects(shapely.Point(between.real, between.imag).buffer(300.0))
    assert shape.intersects(shapely.MultiPoint(np.column_stack([one.best.mean.real, one.best.mean.imag])))


def test_nothing_left_is_no_ground() -> None:
    empty = Region((Patch(np.zeros((3, 4)), 0.0, 0.0),), 1.0)
    assert empty.shape(0.9).is_empty


def test_the_ascii_grid_reads_back_north_up(tmp_path: Path) -> None:
    expected = np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 0.00125]])
    patch = Patch(expected, 500_000.0, 4_400_000.0)
    write_ascii_grid(Region((patch,) * 3, 2.0), "EPSG:32638", tmp_path / "r.asc")  # an earlier one in three parts
    write_ascii_grid(Region((patch, replace(patch, west=510_000.0)), 2.0), "EPSG:32638", tmp_path / "r.asc")
    assert sorted(f.name for f in tmp_path.iterdir()) == ["r-2.asc", "r-2.prj", "r.asc", "r.prj"]
    lines = (tmp_path / "r.asc").read_text(encoding="ascii").splitlines()
    head = dict(line.split() for line in lines[:6])
    assert (head["ncols"], head["nrows"], float(head["cellsize"])) == ("3", "2", 2.0)
    assert (float(head["xllcorner"]), float(head["yllcorner"])) == (500_000.0, 4_400_000.0)
    np.testing.assert_allclose(np.array([line.split() for line in lines[6:]], dtype=float)[::-1], expected)
    assert "xllcorner 510000.000" in (tmp_path / "r-2.asc").read_text(encoding="ascii")
    assert CRS.from_wkt((tmp_path / "r.prj").read_text(encoding="ascii")).equals(CRS(32638), ignore_axis_order=True)
