"""Positional measures as recorded against the simulator's truth: how often the 90 % interval holds it.

python benchmarks/positional.py [--nominal 20] [--easy 12] [--seed 500]
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from calibration import _case
from surefoot.analysis.assess import Assessment, assess
from surefoot.analysis.locate import merged
from surefoot.analysis.synthetic import simulate
from surefoot.analysis.synthetic.region import SimulatedRegion
from surefoot.readers.priors import default_priors

Floats = npt.NDArray[np.float64]


def assessed(region: SimulatedRegion, seed: int, *, reanchoring: bool = False) -> Assessment:
    """Assess a made-up region with the whole table of priors."""
    case = _case(region)
    priors = merged(default_priors().table, case.settings.priors)
    return assess(replace(case, settings=replace(case.settings, priors=priors)), seed=seed, reanchoring=reanchoring)


def truth_of(region: SimulatedRegion, result: Assessment) -> dict[str, float]:
    """Return what the measures would be if every recorded device were seen, by name."""
    devices = region.truth.devices
    used = (devices.recorded == 1) & np.isfinite(devices.recorded_longitude)
    off = result.grid.project(devices.longitude[used], devices.latitude[used])
    off = off - result.grid.project(devices.recorded_longitude[used], devices.recorded_latitude[used])
    bias, length = off.mean(axis=0), np.hypot(*off.T)
    sigma = float(np.sqrt(np.mean(np.sum((off - bias) ** 2, axis=1)) / 2.0))
    minor, major = np.sqrt(np.linalg.eigvalsh(np.cov(off.T)))
    return {
        "bias of positions, east": bias[0],
        "bias of positions, north": bias[1],
        "RMSE of planimetry": float(np.sqrt(np.mean(length**2))),
        "CE90": 2.146 * sigma,
        "CE95": 2.448 * sigma,
        "circular error 90 % of biased data": float(np.quantile(length, 0.9)),
        "confidence ellipse, semi-major axis": major,
        "confidence ellipse, semi-minor axis": minor,
    } | {f"rate of positional errors above {m} m": float(np.mean(length > m)) for m in (5, 10, 25, 50, 100)}


def study(preset: str, regions: int, first_seed: int) -> None:
    """Print one line per measure."""
    rows: dict[str, list[tuple[float, ...]]] = {}
    for seed in range(first_seed, first_seed + regions):
        region = simulate(preset, rng=np.random.default_rng(seed))
        result = assessed(region, seed - first_seed)
        truth = truth_of(region, result)
        for m in result.measures:
            if m.scope == "all" and m.name in truth and m.value is not None and m.interval is not None:
                rows.setdefault(m.name, []).append((truth[m.name], m.value, *m.interval))
    for name, found in rows.items():
        table = np.array(found)
        held = int(np.sum((table[:, 2] - 1e-9 <= table[:, 0]) & (table[:, 0] <= table[:, 3] + 1e-9)))
        true, value, low, high = np.median(table, axis=0)
        print(f"| {preset} | {name} | {held} of {len(table)} | {true:.3g} | {value:.3g} | {low:.3g} to {high:.3g} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nominal", type=int, default=20)
    parser.add_argument("--easy", type=int, default=12)
    parser.add_argument("--seed", type=int, default=500)
    options = parser.parse_args()
    print("| preset | measure | interval holds the truth | truth | value | interval |\n|---|---|---|---|---|---|")
    study("nominal", options.nominal, options.seed)
    study("easy", options.easy, options.seed)


if __name__ == "__main__":
    main()
