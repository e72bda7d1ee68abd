"""Georeferenced old maps: fit on a few random pairs, predict the others, beside the usual methods.

Kastoria (1,106 pairs, metres to metres) and three maps of Tallinn (pixel to longitude and latitude, projected to
a plane about their middle), then made-up sets with known truth. For every number of pairs k: root mean square of
the planimetric error over all held-out pairs of all repetitions, coverage of the stated 95 % ellipses, and their
median size. The usual methods are least squares (similarity, affine), GDAL's polynomial of order 2 and its thin
plate spline (own code after GDAL's formulas: centred least squares, and a spline with a linear part and no
smoothing). An image's rows run downwards; the usual similarity and ours are told so.

Nothing is written; the tables belong into RESULTS.md. The files are read in place (SUREFOOT_DATA).
"""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pyproj
from scipy.interpolate import RBFInterpolator

from surefoot import fit_transform

FOLDER = Path(os.environ.get("SUREFOOT_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "georef"
TALLINN = {
    "Tallinn 1889": "Tallinn_1889_reference_points.csv",
    "Tallinn 1910": "Tallinn_1910.csv",
    "Tallinn 1920": "Tallinn_1920_reference_points.csv",
}
COUNTS = (3, 5, 10, 30)
MOST_OTHERS = 300  # held-out pairs that are scored per repetition, chosen at random
CHI2_TWO = 5.991464547107979
Pairs = tuple[np.ndarray, np.ndarray]


def kastoria() -> Pairs:
    table = np.genfromtxt(FOLDER / "kastoria1925_homologous.csv", delimiter=",", skip_header=1)
    return table[:, 2:], table[:, :2]


def tallinn(name: str) -> Pairs:
    with (FOLDER / TALLINN[name]).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    pixel = np.array([[float(r["x"]), float(r["y"])] for r in rows])
    lon, lat = np.array([[float(r["lon"]), float(r["lat"])] for r in rows]).T
    plane = pyproj.CRS.from_dict({"proj": "laea", "lat_0": lat.mean(), "lon_0": lon.mean(), "datum": "WGS84"})
    east, north = pyproj.Transformer.from_crs("EPSG:4326", plane, always_xy=True).transform(lon, lat)
    return pixel, np.stack([east, north], axis=1)


def similarity(source: np.ndarray, target: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    z, w = source @ [1, 1j], target @ [1, 1j]
    middle = z.mean()
    slope = np.vdot(z - middle, w - w.mean()) / np.vdot(z - middle, z - middle)
    return lambda p: np.stack([(v := w.mean() + slope * (p @ [1, 1j] - middle)).real, v.imag], axis=1)


def polynomial(order: int) -> Callable[[np.ndarray, np.ndarray], Callable[[np.ndarray], np.ndarray]]:
    def columns(u: np.ndarray) -> np.ndarray:
        x, y = u.T
        terms = [np.ones(len(u)), x, y] + ([x * x, x * y, y * y] if order == 2 else [])
        return np.stack(terms, axis=1)

    def fit(source: np.ndarray, target: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        middle, size = source.mean(axis=0), np.ptp(source, axis=0).max()
        weights = np.linalg.lstsq(columns((source - middle) / size), target, rcond=None)[0]
        return lambda p: columns((p - middle) / size) @ weights

    return fit


def spline(source: np.ndarray, target: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    fitted = RBFInterpolator(source, target, kernel="thin_plate_spline", degree=1)
    return lambda p: np.asarray(fitted(p))


PLAIN = {
    "similarity": (2, similarity),
    "affine = GDAL order 1": (3, polynomial(1)),
    "GDAL order 2": (6, polynomial(2)),
    "GDAL thin plate": (4, spline),
}


def made_up(kind: str, rng: np.random.Generator) -> tuple[Pairs, np.ndarray]:
    """A sheet of 240 pairs, and which of them are right; the wrong ones are never scored."""
    n = 240
    source = rng.uniform(0, [5000, 3500], (n, 2))
    u = (source - [2500, 1750]) / 2500
    turn = rng.uniform(-np.pi, np.pi)
    scale = np.exp(rng.uniform(-1, 1))
    rotation = scale * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    if kind == "affine":
        rotation = rotation @ np.array([[1.02, 0.015], [0.0, 0.985]])
    bend = np.zeros((n, 2))
    if kind == "smooth bend, 10 % wrong":
        a, b = rng.normal(size=(2, 3)), rng.uniform(0, 2 * np.pi, (2, 3))
        waves = rng.normal(size=(2, 3, 2)) * 1.3
        bend = 15 * np.stack([(a[k] * np.sin(u @ waves[k].T + b[k])).sum(axis=1) for k in (0, 1)], axis=1)
    target = (source + bend + rng.normal(size=(n, 2)) * 5) @ rotation.T + rng.uniform(-1e6, 1e6, 2)
    right = np.ones(n, dtype=bool)
    if "wrong" in kind:
        right = rng.random(n) >= 0.1
        target[~right] = rng.permutation(target)[: int(np.sum(~right))]
    return (source, target), right


MADE_UP = ("similarity", "affine", "similarity, 10 % wrong", "smooth bend, 10 % wrong")


def one(job: tuple[str, int, int]) -> dict[str, np.ndarray]:
    """Squared misses of the held-out pairs per method; `inside` and `area` of ours."""
    name, k, seed = job
    rng = np.random.default_rng([seed, k])
    if name in MADE_UP:
        (source, target), right = made_up(name, rng)
        step = np.sqrt(np.linalg.det(np.cov(target[right].T)) / np.linalg.det(np.cov(source[right].T))) ** 0.5
        target = target / step  # every repetition counts alike
    else:
        source, target = kastoria() if name == "Kastoria" else tallinn(name)
        right = np.ones(len(source), dtype=bool)
    order = rng.permutation(len(source))
    fitted, others = order[:k], order[k:][right[order[k:]]][:MOST_OTHERS]
    transform = fit_transform(source[fitted], target[fitted], mirrored=name in TALLINN, rng=np.random.default_rng(seed))
    mean, cov = transform.predict(source[others])
    miss = target[others] - mean
    distance = np.einsum("ia,iab,ib->i", miss, np.linalg.inv(cov), miss)
    out = {
        "ours": np.sum(miss**2, axis=1),
        "inside": distance <= CHI2_TWO,
        "size": np.linalg.det(cov) ** 0.25,
    }
    flipped = source * [1, -1] if name in TALLINN else source
    for method, (least, fit) in PLAIN.items():
        if k >= least:
            guess = fit(flipped[fitted], target[fitted])(flipped[others])
            out[method] = np.sum((target[others] - guess) ** 2, axis=1)
    return out


def jobs(names: list[str], repetitions: int, seed: int) -> Iterator[tuple[str, int, list[tuple[str, int, int]]]]:
    for name in names:
        size = 240 if name in MADE_UP else len((kastoria() if name == "Kastoria" else tallinn(name))[0])
        for k in COUNTS:
            if k < size:
                yield name, k, [(name, k, seed + r) for r in range(repetitions)]


def line(name: str, k: int, results: list[dict[str, np.ndarray]]) -> str:
    """One row of the table; the coverage's standard error is over repetitions."""
    rms = {
        m: float(np.sqrt(np.mean(np.concatenate([r[m] for r in results])))) for m in ("ours", *PLAIN) if m in results[0]
    }
    plain = {m: v for m, v in rms.items() if m != "ours"}
    best = min(plain, key=lambda m: plain[m])
    inside = np.array([r["inside"].mean() for r in results])
    error = inside.std(ddof=1) / np.sqrt(len(inside))
    size = np.median(np.concatenate([r["size"] for r in results]))
    cells = [f"{plain[m]:.3g}" if m in plain else "-" for m in PLAIN]
    return (
        f"| {name} | {k} | {rms['ours']:.3g} | {' | '.join(cells)} | {rms['ours'] / plain[best] - 1:+.1%} ({best}) |"
        f" {inside.mean():.3f} +- {error:.3f} | {size:.3g} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", help="names of sets")
    parser.add_argument("--repetitions", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    names = options.only or ["Kastoria", *TALLINN, *MADE_UP]
    print(
        "| set | k | ours, RMSE m | " + " | ".join(PLAIN) + " | ours to the best | coverage of 95 % | sd per axis, m |"
    )
    print("|---" * (6 + len(PLAIN)) + "|")
    with ProcessPoolExecutor(options.workers) as pool:
        for name, k, some in jobs(names, options.repetitions, options.seed):
            print(line(name, k, list(pool.map(one, some, chunksize=4))), flush=True)


if __name__ == "__main__":
    main()
