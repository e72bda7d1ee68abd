"""Shifts between overlapping map sheets of Bosnia, from incidents and lifted minefields repeated on two sheets.

The files are read in place (SUREFOOT_DATA) and never shipped. Prints a table for RESULTS.md.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pyproj

from surefoot.analysis.accuracy import sheet_shifts

FOLDER = Path(os.environ.get("SUREFOOT_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "bosnia"


def symbols(name: str) -> tuple[np.ndarray, np.ndarray]:
    features = json.loads((FOLDER / name).read_text(encoding="utf-8"))["features"]
    some = [f for f in features if f["geometry"] and f["geometry"]["type"] == "Point"]
    lonlat = np.array([f["geometry"]["coordinates"][:2] for f in some])
    east, north = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:32634", always_xy=True).transform(*lonlat.T)
    return np.stack([east, north], axis=1), np.array([f["properties"]["fileId"] or "" for f in some], dtype=object)


def main() -> None:
    print("| symbols | sheets | pairs | shift east, north, m | length, 95 % bounds, m | sd of a pair | consistent |")
    print("|---|---|---|---|---|---|---|")
    for name in ("incidents.geojson", "lifted_minefields.geojson"):
        points, sheet = symbols(name)
        few = 0
        kind = name.split(".")[0]
        for s in sheet_shifts(points, sheet, rng=np.random.default_rng(0)):
            if np.isnan(s.shift_m[0]):
                few += 1
                continue
            print(
                f"| {kind} | {s.first} to {s.second} | {s.pairs} | {s.shift_m[0]:.0f}, {s.shift_m[1]:.0f} |"
                f" {s.length_m[0]:.0f} ({s.length_m[1]:.0f}-{s.length_m[2]:.0f}) | {s.pair_sd_m[0]:.1f} |"
                f" {'yes' if s.consistent else 'no'} |"
            )
        print(f"| {kind} | {few} more | fewer than 3 | not known | not known | not known | not known |")


if __name__ == "__main__":
    main()
