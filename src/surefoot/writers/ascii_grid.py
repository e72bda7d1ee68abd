"""A raster as an ESRI ASCII grid with its ``.prj``: text that QGIS and ArcGIS open."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from pyproj import CRS

from surefoot.analysis.reanchor.region import Patch, Region


def write_ascii_grid(region: Region, crs: str, path: str | os.PathLike[str]) -> None:
    """Write the expected number of devices in each cell, rows from north to south.

    Parameters
    ----------
    region
        On the grid of the case.
    crs
        Of the case; written beside the grid as ESRI's WKT.
    path
        ``NAME.asc``; ``NAME.prj`` is written too, and where placements lie apart ``NAME-2.asc`` and so on for the
        ground with fewer devices. Existing files are replaced; parts of an earlier grid of that name are removed.
    """
    target = Path(path)
    for number, patch in enumerate(region.patches, start=1):
        name = _part(target, number)
        name.write_text(_text(patch, region.cell_m), encoding="ascii")
        name.with_suffix(".prj").write_text(CRS(crs).to_wkt("WKT1_ESRI"), encoding="ascii")
    number = len(region.patches) + 1
    while (old := _part(target, number)).exists():
        old.unlink()
        old.with_suffix(".prj").unlink(missing_ok=True)
        number += 1


def _part(target: Path, number: int) -> Path:
    return target if number == 1 else target.with_stem(f"{target.stem}-{number}")


def _text(patch: Patch, cell_m: float) -> str:
    rows, columns = patch.expected.shape
    head = (
        f"ncols {columns}\nnrows {rows}\nxllcorner {patch.west:.3f}\nyllcorner {patch.south:.3f}\n"
        f"cellsize {cell_m:.6f}\nNODATA_value -9999\n"
    )
    body = "\n".join(" ".join(f"{value:.6g}" for value in row) for row in np.flipud(patch.expected).tolist())
    return head + body + "\n"
