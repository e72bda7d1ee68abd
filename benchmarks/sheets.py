"""Shifts between overlapping map sheets, from symbols repeated on both.

`--part real`: incidents and lifted minefields of Bosnia; the files are read in place (SUREFOOT_DATA) and never
shipped. `--part simulated`: made-up overlaps with a known shift; how often the stated 95 % ellipse and the bounds of
the length hold it. Prints tables for RESULTS.md.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import numpy as np
import pyproj

from surefoot.analysis.accuracy import sheet_shifts

FOLDER = Path(os.environ.get("SUREFOOT_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "bosnia"
CHI2_TWO = 5.991464547107979


def symbols(name: str) -> tuple[np.ndarray, np.ndarray]:
    features = json.loads((FOLDER / name).read_text(encoding="utf-8"))["features"]
    some = [f for f in features if f["geometry"] and f["geometry"]["type"] == "Point"]
    lonlat = np.array([f["geometry"]["coordinates"][:2] for f in some])
    east, north = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:32634", always_xy=True).transform(*lonlat.T)
    return np.stack([east, north], axis=1), np.array([f["properties"]["fileId"] or "" for f in some], dtype=object)


def made_up(pairs: int, strangers: int, shifted: bool, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """An overlap of 10 km by 2 km: repeated symbols (error t4, 5 m), strangers on each sheet, and the true shift."""
    size = [10_000, 2_000]
    shift = rng.normal(0, 30, 2) if shifted else np.zeros(2)
    common = rng.uniform(0, size, (pairs, 2))
    error = 5 * rng.standard_normal((pairs, 2)) / np.sqrt(rng.chisquare(4, (pairs, 1)) / 4)
    own = [rng.uniform(0, size, (strangers, 2)) for _ in range(2)]
    points = np.concatenate([common, own[0], common + shift + error, own[1]])
    return points, np.repeat(np.array(["A", "B"], dtype=object), pairs + strangers), shift


def simulated(repetitions: int, seed: int) -> None:
    """Sheets with fewer than three proposed pairs state nothing and are not counted."""
    print("| repeated | strangers | true shift | stated | ellipse holds it | length's bounds hold it | `consistent` |")
    print("|---|---|---|---|---|---|---|")
    for shifted in (True, False):
        for pairs, strangers in ((3, 0), (5, 0), (10, 0), (20, 0), (10, 10), (10, 40), (20, 100)):
            held, bounds, consistent = [], [], []
            for r in range(repetitions):
                rng = np.random.default_rng([seed + r, pairs, strangers, int(shifted)])
                points, sheet, shift = made_up(pairs, strangers, shifted, rng)
                found = sheet_shifts(points, sheet, rng=rng)
                if not found or np.isnan(found[0].shift_m[0]):
                    continue
                miss = found[0].shift_m - shift
                held.append(miss @ np.linalg.solve(found[0].cov_m2, miss) <= CHI2_TWO)
                bounds.append(found[0].length_m[1] <= np.hypot(*shift) <= found[0].length_m[2])
                consistent.append(found[0].consistent)
            cells = " | ".join(f"{np.mean(v):.3f}" for v in (held, bounds, consistent))
            print(
                f"| {pairs} | {strangers} | {'30 m an axis' if shifted else 'none'} | {len(held)} | {cells} |",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=["real", "simulated"], default="real")
    parser.add_argument("--repetitions", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.part == "simulated":
        simulated(options.repetitions, options.seed)
    else:
        real()


def real() -> None:
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
