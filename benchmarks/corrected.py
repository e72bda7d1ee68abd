"""What an assessment says after re-anchoring against the simulator's truth: shares, D2, what is left in the ground.

    python benchmarks/corrected.py [--regions 200] [--records 8] [--seed 3000] [--jobs 2]

One line per figure: mean of the truth, bias, and how often the 90 % interval holds the truth of its own region and that
of all regions together. Prints a table for RESULTS.md; writes nothing.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from positional import assessed
from surefoot.analysis.assess import Assessment
from surefoot.analysis.synthetic import simulate
from surefoot.analysis.synthetic.region import SimulatedRegion
from surefoot.designations import type_key
from surefoot.terms import Stage

Complexes = npt.NDArray[np.complex128]
Line = dict[str, tuple[float, float, float, float, float]]
"""By figure: truth as numerator and denominator, value, interval."""


def region_of(number: int, preset: str, records: int, seed: int) -> Line:
    """Assess one made-up region and hold it against its truth."""
    region = simulate(preset, rng=np.random.default_rng([seed, number]), records=records)
    result = assessed(region, number, reanchoring=True)
    return {**_shares(region, result), **_outside(region, result), **_left(region, result)}


def _shares(region: SimulatedRegion, result: Assessment) -> Line:
    devices = region.truth.devices
    measures = {m.id: m for m in result.measures if m.scope == "all" and m.stage is Stage.RE_ANCHORED}
    recorded_of = dict(zip(devices.find_id, devices.recorded == 1, strict=True))
    on = np.flatnonzero(result.on_verified[: len(region.finds)] >= 0)
    none = sum(not recorded_of[region.finds.id[k]] for k in on)
    place = result.grid.project(devices.longitude, devices.latitude)
    inside = np.zeros(len(place), dtype=bool)
    if len(result.verified.shapes):
        inside[
            np.unique(shapely.STRtree(result.verified.shapes).query(shapely.points(place), predicate="within")[0])
        ] = True
    of_record = inside & (devices.recorded == 1)
    absent = float(np.sum(of_record & (devices.present == 0)))
    made: Line = {}
    for id_, name, k, n in (
        ("iso19157:7", "rate of missing items", float(none), float(len(on))),
        ("iso19157:3", "rate of excess items", absent, float(of_record.sum())),
    ):
        measure = measures[id_]
        if measure.value is not None and measure.interval is not None and n:
            made[name] = (k, n, measure.value, *measure.interval)
    return made


def _outside(region: SimulatedRegion, result: Assessment) -> Line:
    """D1 and D2 without buffer against the true places of the events and of the footprints."""
    devices, d1, d2 = region.truth.devices, result.outside.d1[0], result.d2[0]
    if d2.value is None or d2.interval is None or d1.value is None or d1.interval is None:
        return {}
    at = result.grid.project(devices.longitude, devices.latitude)[devices.accident_id != ""]
    footprints = [shape for shape in _true_footprints(region, result) if shape is not None]
    points = shapely.points(at)
    inside = np.zeros(len(at), dtype=bool)
    for footprint in footprints:
        inside |= shapely.intersects(footprint, points)
    k, n = float((~inside).sum()), float(len(inside))
    return {
        "D1, no buffer": (k, n, d1.value, *d1.interval),
        "D2, no buffer": (k, n, d2.value, *d2.interval),
    }


def _true_footprints(region: SimulatedRegion, result: Assessment) -> list[BaseGeometry | None]:
    """Move every footprint as the record's devices truly lie: a similarity or its mirror image, by least squares."""
    devices = region.truth.devices
    true = result.grid.project(devices.longitude, devices.latitude) @ np.array([1, 1j])
    read = result.grid.project(devices.recorded_longitude, devices.recorded_latitude) @ np.array([1, 1j])
    shapes = result.grid.project_shapes(np.array([*(s.footprint for s in result.shapes), None], dtype=object))
    made: list[BaseGeometry | None] = []
    for record, shape in zip(result.case.records, shapes, strict=False):
        own = np.flatnonzero((devices.record_id == record.record_id) & np.isfinite(read))
        if shape is None or len(own) < 3:
            made.append(None)
            continue
        fits = []
        for plain in (read[own], np.conj(read[own])):
            design = np.column_stack([np.ones(len(own)), plain - plain.mean()])
            (offset, factor), residual, *_ = np.linalg.lstsq(design, true[own], rcond=None)
            fits.append((float(residual.sum().real), offset - factor * plain.mean(), factor))
        mirrored = fits[1][0] < fits[0][0]
        _, offset, factor = fits[int(mirrored)]
        made.append(shapely.transform(shape, lambda xy: _pair(offset + factor * _number(xy, mirrored))))  # noqa: B023
    return made


def _number(xy: npt.NDArray[np.float64], mirrored: bool) -> Complexes:
    return np.asarray(xy[:, 0] + (-1j if mirrored else 1j) * xy[:, 1])


def _pair(z: Complexes) -> npt.NDArray[np.float64]:
    return np.column_stack([z.real, z.imag])


def _left(region: SimulatedRegion, result: Assessment) -> Line:
    devices, still = region.truth.devices, result.ledger.still_in_ground
    if still is None:
        return {}
    gone = (devices.found == 1) | (devices.accident_id != "") | (devices.lifted_on_form == 1)
    left = (devices.recorded == 1) & (devices.present == 1) & ~gone
    kinds = np.array([type_key(str(model)) for model in devices.model], dtype=object)
    each = {
        f"still in the ground: {kind}": (float(np.sum(left & (kinds == kind))), 1.0, told.median, *told.interval)
        for kind, told in result.ledger.still_by_type.items()
    }
    return {"still in the ground": (float(left.sum()), 1.0, still.median, *still.interval), **each}


def _one(work: tuple[int, str, int, int]) -> Line:
    return region_of(*work)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="nominal")
    parser.add_argument("--regions", type=int, default=200)
    parser.add_argument("--records", type=int, default=8)
    parser.add_argument("--seed", type=int, default=3000)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    for threads in ("OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(threads, "1")
    work = [(number, asked.preset, asked.records, asked.seed) for number in range(asked.regions)]
    with ProcessPoolExecutor(asked.jobs) as pool:
        lines = list(pool.map(_one, work))
    print(f"{asked.preset}, {asked.regions} regions of {asked.records} records, seed {asked.seed}\n")
    print(
        "| figure | regions | truth | bias | holds its region's truth | holds that of all |\n|---|---|---|---|---|---|"
    )
    for name in sorted({name for line in lines for name in line}):
        table = np.array([line[name] for line in lines if name in line])
        truth, together = table[:, 0] / table[:, 1], table[:, 0].sum() / table[:, 1].sum()
        low, high = table[:, 3] - 1e-9, table[:, 4] + 1e-9
        own, common = (np.mean((low <= t) & (t <= high)) for t in (truth, together))
        bias = np.mean(table[:, 2] - truth)
        print(f"| {name} | {len(table)} | {truth.mean():.4g} | {bias:+.4f} | {own:.3f} | {common:.3f} |")


if __name__ == "__main__":
    main()
