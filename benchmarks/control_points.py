"""Control points that people set on scanned maps and photographs, as QGIS keeps them (`<image>.points`).

A folder of such files is a sample of what pairs look like in practice. The transform's beliefs about errors are held
against it by `georef.py --part points --folder`; nothing of it is shipped.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyproj

Pairs = tuple[np.ndarray, np.ndarray]


def control_points(path: Path) -> Pairs:
    """Enabled pairs of a file: source (n, 2) as in the file (rows of an image negative, that is upwards), target (n, 2)
    in metres on a plane about their middle.

    A first line ``#CRS: ...`` names the target's; without it longitude and latitude are assumed. A file without an
    enabled pair is refused by name.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = file.read().splitlines()
    crs = "EPSG:4326"
    if lines and lines[0].startswith("#CRS:"):
        crs = lines.pop(0).removeprefix("#CRS:").strip()
    rows = [row for row in csv.DictReader(lines) if row.get("enable") != "0"]
    if not rows:
        raise ValueError(f"{path}: no enabled pair; take the file out of the folder or enable its pairs in QGIS")
    x, y = ("pixelX", "pixelY") if "pixelX" in rows[0] else ("sourceX", "sourceY")
    source = np.array([[float(row[x]), float(row[y])] for row in rows])
    target = np.array([[float(row["mapX"]), float(row["mapY"])] for row in rows])
    return source, on_a_plane(target, crs)


def on_a_plane(target: np.ndarray, crs: str) -> np.ndarray:
    """Metres east and north (n, 2) about the middle, equal area."""
    lon, lat = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(*target.T)
    plane = pyproj.CRS.from_dict({"proj": "laea", "lat_0": lat.mean(), "lon_0": lon.mean(), "datum": "WGS84"})
    return np.stack(pyproj.Transformer.from_crs("EPSG:4326", plane, always_xy=True).transform(lon, lat), axis=1)
