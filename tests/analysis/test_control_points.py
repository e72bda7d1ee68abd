"""Files of control points: the beliefs of the transform are held against them (`georef.py --part points`)."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyproj
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import georef
from control_points import control_points


def written(path: Path, target, source, crs: str = "", enable=None, names="sourceX,sourceY") -> Path:
    enable = [1] * len(source) if enable is None else enable
    rows = [",".join(map(str, (*t, *s, e))) for t, s, e in zip(target, source, enable, strict=True)]
    head = [f"#CRS: {crs}"] if crs else []
    path.write_text("\n".join([*head, f"mapX,mapY,{names},enable", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("names", ["sourceX,sourceY", "pixelX,pixelY"])
def test_degrees_become_metres_and_what_is_switched_off_stays_out(tmp_path, names):
    target = [[30.0, 50.0], [30.01, 50.0], [30.0, 50.01], [31.0, 51.0]]
    source = [[0.0, 0.0], [100.0, 0.0], [0.0, -100.0], [5.0, 5.0]]
    pixel, metres = control_points(written(tmp_path / "a.points", target, source, enable=[1, 1, 1, 0], names=names))
    assert pixel.tolist() == source[:3]
    _, _, along = pyproj.Geod(ellps="WGS84").inv([30.0, 30.0], [50.0, 50.0], [30.01, 30.0], [50.0, 50.01])
    assert np.hypot(*(metres[1:] - metres[0]).T) == pytest.approx(along, rel=1e-6)


def test_the_stated_system_counts(tmp_path):
    target = [[500000.0, 5540000.0], [501000.0, 5540000.0], [500000.0, 5541000.0]]
    _, metres = control_points(written(tmp_path / "a.points", target, target, crs="EPSG:32636"))
    assert np.hypot(*(metres[1:] - metres[0]).T) == pytest.approx([1000 / 0.9996, 1000 / 0.9996], rel=1e-5)


@pytest.mark.parametrize("enable", [[], [0]])
def test_a_file_without_pairs_is_refused_by_name(tmp_path, enable):
    path = written(tmp_path / "empty.points", [[1.0, 2.0]] * len(enable), [[1.0, 2.0]] * len(enable), enable=enable)
    with pytest.raises(ValueError, match=r"empty\.points"):
        control_points(path)


def test_a_folder_is_scored_sheet_by_sheet(tmp_path, capsys):
    rng = np.random.default_rng(3)
    for name, far in (("one", 1.0), ("two", 1.0), ("continent", 3000.0)):
        source = rng.uniform(0, 2000, (14, 2))
        target = 500000 + far * (source + rng.normal(0, 5, source.shape))
        written(tmp_path / f"{name}.points", target, source, crs="EPSG:32636" if far == 1 else "EPSG:3857")
    with ThreadPoolExecutor(1) as pool:
        georef.points_part(tmp_path, (5, 10, 20), range(1), pool)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("2 sheets")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith(("| 5", "| 10"))]
    assert [row[:2] for row in rows] == [["5", "2"], ["10", "2"]]
    assert all(0.5 <= float(row[2].split()[0]) <= 1 for row in rows)
