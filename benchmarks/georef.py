"""Maps fitted on a few pairs of points, the other pairs predicted, beside the usual methods.

`--part simulated`: made-up sheets (`simulated_maps.py`); what is decided about priors is decided on these.
`--part real`: Kastoria (1,106 pairs, metres to metres) and three maps of Tallinn (pixel to longitude and latitude,
projected to a plane about their middle), k random pairs fitted (every choice of k once where there are no more choices
than repetitions), up to 300 of the others predicted. For every k: root
mean square of the planimetric error over all held-out pairs of all repetitions, coverage of the stated 95 %
ellipses, and their median size.

`--part points --folder F`: the same over many sheets, one file of control points each (`control_points.py`); sets
that reach beyond 100 km are left out, where a map's projection would be measured. Averages are over sheets.

`--part chance`: what the textbook's exact interval of a least-squares similarity (F distribution, normal errors)
covers on a set of few pairs, over many such sets: a coverage from nine to thirteen pairs is a small sample, however
often it is drawn from. Then the same interval on the real sets.

The usual methods are least squares (similarity, affine, projective), GDAL's polynomials of order 2 and 3 and its thin
plate spline (own code after GDAL's formulas: centred least squares, and a spline with a linear part and no
smoothing). An image's rows run downwards; the usual similarity and ours are told so.

Nothing is written; the tables belong into RESULTS.md. The files are read in place (SUREFOOT_DATA).
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import combinations
from math import comb
from pathlib import Path

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.optimize import least_squares
from scipy.spatial import Delaunay
from scipy.stats import f as f_distribution

from control_points import Pairs, control_points, on_a_plane
from simulated_maps import KINDS, NOISES, SIDE_M, WRONGS, sheet
from surefoot import fit_transform

FOLDER = Path(os.environ.get("SUREFOOT_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "georef"
TALLINN = {
    "Tallinn 1889": "Tallinn_1889_reference_points.csv",
    "Tallinn 1910": "Tallinn_1910.csv",
    "Tallinn 1920": "Tallinn_1920_reference_points.csv",
}
COUNTS = {"real": (3, 5, 10, 30), "simulated": (3, 5, 8, 10, 20, 30), "points": (5, 10, 20)}
LEAST_OTHERS, REACH_M = 3, (20.0, 1e5)  # of a file of control points: held-out pairs, radius
MOST_OTHERS = 300  # held-out pairs that are scored per repetition, chosen at random
CHI2_TWO = 5.991464547107979
Scores = dict[str, np.ndarray]


def kastoria() -> Pairs:
    table = np.genfromtxt(FOLDER / "kastoria1925_homologous.csv", delimiter=",", skip_header=1)
    return table[:, 2:], table[:, :2]


def tallinn(name: str) -> Pairs:
    with (FOLDER / TALLINN[name]).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    pixel = np.array([[float(r["x"]), float(r["y"])] for r in rows])
    return pixel, on_a_plane(np.array([[float(r["lon"]), float(r["lat"])] for r in rows]), "EPSG:4326")


def similarity(source: np.ndarray, target: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    z, w = source @ [1, 1j], target @ [1, 1j]
    middle = z.mean()
    slope = np.vdot(z - middle, w - w.mean()) / np.vdot(z - middle, z - middle)
    return lambda p: np.stack([(v := w.mean() + slope * (p @ [1, 1j] - middle)).real, v.imag], axis=1)


def polynomial(order: int) -> Callable[[np.ndarray, np.ndarray], Callable[[np.ndarray], np.ndarray]]:
    def columns(u: np.ndarray) -> np.ndarray:
        x, y = u.T
        return np.stack([x ** (d - j) * y**j for d in range(order + 1) for j in range(d + 1)], axis=1)

    def fit(source: np.ndarray, target: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        middle, size = source.mean(axis=0), np.ptp(source, axis=0).max()
        weights = np.linalg.lstsq(columns((source - middle) / size), target, rcond=None)[0]
        return lambda p: columns((p - middle) / size) @ weights

    return fit


def projective(source: np.ndarray, target: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Direct linear transform on centred points, then least squares of the misses themselves (Gauss-Newton)."""
    sm, tm = source.mean(axis=0), target.mean(axis=0)
    ss, ts = np.ptp(source, axis=0).max(), np.ptp(target, axis=0).max()
    u, v = (source - sm) / ss, (target - tm) / ts

    def mapped(h: np.ndarray, p: np.ndarray) -> np.ndarray:
        homogeneous = np.column_stack([p, np.ones(len(p))])
        return (homogeneous @ h[:6].reshape(2, 3).T) / (1 + p @ h[6:])[:, None]

    one, zero = np.column_stack([u, np.ones(len(u))]), np.zeros((len(u), 3))
    rows = np.concatenate([np.hstack([one, zero, -v[:, :1] * u]), np.hstack([zero, one, -v[:, 1:] * u])])
    start = np.linalg.lstsq(rows, v.T.ravel(), rcond=None)[0]
    h = least_squares(lambda h: (mapped(h, u) - v).ravel(), start).x
    return lambda p: tm + ts * mapped(h, (p - sm) / ss)


def spline(source: np.ndarray, target: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    fitted = RBFInterpolator(source, target, kernel="thin_plate_spline", degree=1)
    return lambda p: np.asarray(fitted(p))


PLAIN = {
    "similarity": (2, similarity),
    "affine = GDAL order 1": (3, polynomial(1)),
    "projective": (4, projective),
    "GDAL order 2": (6, polynomial(2)),
    "GDAL order 3": (10, polynomial(3)),
    "GDAL thin plate": (4, spline),
}


def scored(source: np.ndarray, target: np.ndarray, k: int, mirrored: bool, seed: int) -> Scores:
    """Squared misses of the pairs from the k-th on, per method; `inside` and `size` of ours."""
    transform = fit_transform(source[:k], target[:k], mirrored=mirrored, rng=np.random.default_rng(seed))
    mean, cov = transform.predict(source[k:])
    miss = target[k:] - mean
    distance = np.einsum("ia,iab,ib->i", miss, np.linalg.inv(cov), miss)
    out = {
        "ours": np.sum(miss**2, axis=1),
        "inside": distance <= CHI2_TWO,
        "size": np.linalg.det(cov) ** 0.25,
    }
    flipped = source * [1, -1] if mirrored else source
    for method, (least, fit) in PLAIN.items():
        if k >= least:
            guess = fit(flipped[:k], target[:k])(flipped[k:])
            out[method] = np.sum((target[k:] - guess) ** 2, axis=1)
    return out


def real(job: tuple[str, int, int, tuple[int, ...]]) -> Scores:
    name, k, seed, order = job
    source, target = pairs_of(name)
    some = list(order)
    return scored(source[some], target[some], k, name in TALLINN, seed)


def pairs_of(name: str) -> Pairs:
    return kastoria() if name == "Kastoria" else tallinn(name)


def orders(size: int, k: int, seeds: range) -> list[tuple[int, ...]]:
    """Orders of the pairs, the fitted ones first; every choice once where there are no more choices than seeds."""
    if comb(size, k) <= len(seeds):
        every = range(size)
        return [(*fitted, *(i for i in every if i not in fitted)) for fitted in combinations(every, k)]
    drawn = (np.random.default_rng([seed, k]).permutation(size)[: k + MOST_OTHERS] for seed in seeds)
    return [tuple(order.tolist()) for order in drawn]


def simulated(job: tuple[str, int, float, float, int]) -> Scores:
    """Misses in units of the pairs' sd; the methods' are of right pairs only."""
    name, k, noise, wrong, seed = job
    numbers = [seed, k, list(KINDS).index(name), round(1e4 * noise), round(100 * wrong)]
    s = sheet(KINDS[name], k, noise, wrong, np.random.default_rng(numbers))
    out = scored(s.source, s.target, k, False, seed)
    unit = s.scale * SIDE_M * noise
    right = s.right[k:]
    within = Delaunay(s.source[:k]).find_simplex(s.source[k:]) >= 0
    found = {m: v[right] / unit**2 for m, v in out.items() if m == "ours" or m in PLAIN}
    inside = out["inside"]
    return found | {
        "right": inside[right],
        "all": inside,
        "within": inside[right & within],
        "beyond": inside[right & ~within],
        "size": out["size"] / unit,
    }


def rms(results: list[Scores]) -> dict[str, float]:
    return {
        m: float(np.sqrt(np.mean(np.concatenate([r[m] for r in results])))) for m in ("ours", *PLAIN) if m in results[0]
    }


def against_best(results: list[Scores]) -> tuple[float, str]:
    """RMSE of ours over that of the best usual method, best in hindsight, and which that is."""
    found = rms(results)
    best = min((m for m in found if m != "ours"), key=lambda m: found[m])
    return found["ours"] / found[best], best


def share(results: list[Scores], key: str) -> str:
    """Mean coverage and its standard error over repetitions."""
    each = np.array([r[key].mean() for r in results if len(r[key])])
    return f"{each.mean():.3f} +- {each.std(ddof=1) / np.sqrt(len(each)):.3f}" if len(each) > 1 else "-"


def real_part(names: list[str], counts: tuple[int, ...], seeds: range, pool: ProcessPoolExecutor) -> None:
    print(
        "| set | k | ours, RMSE m | " + " | ".join(PLAIN) + " | ours to the best | coverage of 95 % | sd per axis, m |"
    )
    print("|---" * (6 + len(PLAIN)) + "|")
    for name in names:
        size = len(pairs_of(name)[0])
        for k in (k for k in counts if k < size):
            jobs = [(name, k, seed, order) for seed, order in zip(seeds, orders(size, k, seeds), strict=False)]
            results = list(pool.map(real, jobs, chunksize=4))
            found = rms(results)
            ratio, best = against_best(results)
            cells = [f"{found[m]:.3g}" if m in found else "-" for m in PLAIN]
            print(
                f"| {name} | {k} | {found['ours']:.3g} | {' | '.join(cells)} | {ratio - 1:+.1%} ({best}) |"
                f" {share(results, 'inside')} | {np.median(np.concatenate([r['size'] for r in results])):.3g} |",
                flush=True,
            )


def points(job: tuple[Path, int, int]) -> Scores:
    path, k, seed = job
    source, target = control_points(path)
    order = np.random.default_rng([seed, k]).permutation(len(source))[: k + MOST_OTHERS]
    source, target = source[order], target[order]
    out = scored(source, target, k, False, seed)
    arm = np.hypot(*(source - source[:k].mean(axis=0)).T)
    near = arm[k:] <= np.sqrt(np.mean(arm[:k] ** 2))
    return out | {"near": out["inside"][near], "far": out["inside"][~near]}


def points_part(folder: Path, counts: tuple[int, ...], seeds: range, pool: ProcessPoolExecutor) -> None:
    """Every sheet counts once; `near` and `far` are held-out pairs within and beyond the fitted ones' radius."""
    sizes = {}
    for path in sorted(folder.glob("*.points")):
        target = control_points(path)[1]
        if REACH_M[0] < np.hypot(*(target - target.mean(axis=0)).T).max() < REACH_M[1]:
            sizes[path] = len(target)
    print(f"{len(sizes)} sheets, radius {REACH_M[0]:g} m to {REACH_M[1]:g} m\n")
    print("| k | sheets | coverage of 95 % | near | far | sheets below 0.90 | to the best: mean | median |")
    print("|---|---|---|---|---|---|---|---|")
    for k in counts:
        some = [path for path, n in sizes.items() if n >= k + LEAST_OTHERS]
        if len(some) < 2:
            continue
        results = list(pool.map(points, [(path, k, seed) for path in some for seed in seeds], chunksize=4))
        sheets = [results[i : i + len(seeds)] for i in range(0, len(results), len(seeds))]
        ratios = [against_best(sheet)[0] for sheet in sheets]
        each = {key: of_sheets(sheets, key) for key in ("inside", "near", "far")}
        error = each["inside"].std(ddof=1) / np.sqrt(len(sheets))
        print(
            f"| {k} | {len(sheets)} | {each['inside'].mean():.3f} +- {error:.3f} | {each['near'].mean():.3f} |"
            f" {each['far'].mean():.3f} | {np.mean(each['inside'] < 0.90):.2f} |"
            f" {np.exp(np.mean(np.log(ratios))):.3f} | {np.median(ratios):.3f} |",
            flush=True,
        )


def of_sheets(sheets: list[list[Scores]], key: str) -> np.ndarray:
    """Share of a sheet's held-out pairs, all its repetitions together, sheet by sheet."""
    joined = [np.concatenate([result[key] for result in sheet]) for sheet in sheets]
    return np.array([values.mean() for values in joined if len(values)])


def textbook(source: np.ndarray, target: np.ndarray, k: int, repetitions: int, rng: np.random.Generator) -> float:
    """Share of the other pairs inside the 95 % ellipses of a least-squares similarity with normal errors."""
    z, w = source @ [1, 1j], target @ [1, 1j]
    shares = []
    for _ in range(repetitions):
        order = rng.permutation(len(z))[: k + MOST_OTHERS]
        a, b = order[:k], order[k:]
        arm = z[a] - z[a].mean()
        lever = np.sum(np.abs(arm) ** 2)
        slope = np.vdot(arm, w[a] - w[a].mean()) / lever
        variance = np.sum(np.abs(w[a] - w[a].mean() - slope * arm) ** 2) / (2 * k - 4)
        off = z[b] - z[a].mean()
        miss = np.abs(w[b] - w[a].mean() - slope * off) ** 2 / (1 + 1 / k + np.abs(off) ** 2 / lever)
        shares.append(np.mean(miss <= variance * 2 * f_distribution.ppf(0.95, 2, 2 * k - 4)))
    return float(np.mean(shares))


def chance_part(sets: int, repetitions: int, seed: int) -> None:
    print("| pairs | fitted | errors | mean coverage | sd over sets | 5 and 95 % | in 0.90-0.98 | below | above |")
    print("|---|---|---|---|---|---|---|---|---|")
    for sheets, k in (((13,), 5), ((13,), 10), ((11,), 5), ((11,), 10), ((9,), 5), ((13, 11, 9), 5), ((13, 11), 10)):
        for errors in ("normal", "t4", "t4, 5 % near misses"):
            rng = np.random.default_rng([seed, *sheets, k])
            others = np.array(sheets) - k
            c = np.array([
                np.average([textbook(*few_pairs(n, errors, rng), k, repetitions, rng) for n in sheets], weights=others)
                for _ in range(sets)
            ])  # fmt: skip
            inside, (low, high) = np.mean((c >= 0.90) & (c <= 0.98)), np.quantile(c, [0.05, 0.95])
            print(
                f"| {' + '.join(map(str, sheets))} | {k} | {errors} | {c.mean():.3f} | {c.std():.3f} |"
                f" {low:.3f}, {high:.3f} | {inside:.2f} | {np.mean(c < 0.90):.2f} | {np.mean(c > 0.98):.2f} |",
                flush=True,
            )
    for name in ("Kastoria", *TALLINN):
        source, target = pairs_of(name)
        flipped = source * [1, -1] if name in TALLINN else source
        cells = [
            f"k = {k}: {textbook(flipped, target, k, repetitions, np.random.default_rng(seed)):.3f}"
            for k in (5, 10, 30)
            if k < len(source)
        ]
        print(f"{name}: {', '.join(cells)}")


def few_pairs(n: int, errors: str, rng: np.random.Generator) -> Pairs:
    """A sheet of 5 km by 3.5 km; near misses are 100 to 500 m off."""
    source = rng.uniform(0, [5000, 3500], (n, 2))
    miss = 10 * rng.standard_normal((n, 2))
    if errors != "normal":
        miss = miss / np.sqrt(rng.chisquare(4, (n, 1)) / 2)
    if "near" in errors:
        wrong = rng.random(n) < 0.05
        toward = rng.uniform(0, 2 * np.pi, n)
        away = rng.uniform(100, 500, n) * wrong
        miss = miss + away[:, None] * np.stack([np.cos(toward), np.sin(toward)], axis=1)
    return source, source + miss


Cell = tuple[str, int, float, float]


def simulated_part(names: list[str], counts: tuple[int, ...], seeds: range, pool: ProcessPoolExecutor) -> None:
    """Two tables: by number of pairs and share of wrong ones; by kind of map, without wrong ones."""
    found: dict[Cell, list[Scores]] = {}
    for k in counts:
        cells = [(name, k, noise, wrong) for name in names for noise in NOISES for wrong in WRONGS]
        jobs = [(*cell, seed) for cell in cells for seed in seeds]
        for job, result in zip(jobs, pool.map(simulated, jobs, chunksize=9), strict=True):
            found.setdefault(job[:4], []).append(result)
        print(f"# k = {k} done", file=sys.stderr, flush=True)
    print("| k | wrong | right pairs | all pairs | right, in the hull | beyond it | size | to the best: mean | worst |")
    print("|---|---|---|---|---|---|---|---|---|")
    for k in counts:
        for wrong in WRONGS:
            some = {c: r for c, r in found.items() if c[1] == k and c[3] == wrong}
            flat = [r for results in some.values() for r in results]
            ratio = {c: against_best(r)[0] for c, r in some.items()}
            worst = max(ratio, key=lambda c: ratio[c])
            cover = " | ".join(share(flat, key) for key in ("right", "all", "within", "beyond"))
            print(
                f"| {k} | {wrong:.0%} | {cover} | {np.median(np.concatenate([r['size'] for r in flat])):.2f} |"
                f" {np.exp(np.mean(np.log(list(ratio.values())))):.2f} |"
                f" {ratio[worst]:.2f} ({worst[0]}, {SIDE_M * worst[2]:.3g} m) |"
            )
    print("\n| map | " + " | ".join(f"k = {k}" for k in counts) + " |")
    print("|---" * (1 + len(counts)) + "|")
    for name in names:
        row = []
        for k in counts:
            each = [found[name, k, noise, 0.0] for noise in NOISES]
            ratios = " ".join(f"{against_best(results)[0]:.2f}" for results in each)
            row.append(f"{np.mean([r['right'].mean() for results in each for r in results]):.3f}; {ratios}")
        print(f"| {name} | " + " | ".join(row) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=["real", "simulated", "points", "chance"], default="simulated")
    parser.add_argument("--folder", type=Path, help="of --part points: QGIS .points files")
    parser.add_argument("--only", nargs="*", help="names of sets or kinds of map")
    parser.add_argument("--counts", nargs="*", type=int, help="numbers of pairs fitted")
    parser.add_argument("--repetitions", type=int, help="default: 100 of a real set, otherwise 3 of each sheet")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    if options.part == "chance":
        chance_part(200, options.repetitions or 60, options.seed)
        return
    if (options.part == "points") != (options.folder is not None):
        parser.error("--part points and --folder go together")
    is_real = options.part == "real"
    names = options.only or (["Kastoria", *TALLINN] if is_real else list(KINDS))
    repetitions = options.repetitions or (100 if is_real else 3)
    seeds = range(options.seed, options.seed + repetitions)
    counts = tuple(options.counts or COUNTS[options.part])
    with ProcessPoolExecutor(options.workers) as pool:
        if options.part == "points":
            points_part(options.folder, counts, seeds, pool)
        else:
            (real_part if is_real else simulated_part)(names, counts, seeds, pool)


if __name__ == "__main__":
    main()
