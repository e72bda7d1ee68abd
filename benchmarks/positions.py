"""SK-42 to WGS 84 for a million points: GeoPandas' to_crs before, the pinned operation after, in one run.

Prints one line for RESULTS.md; nothing is written.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable

import geopandas
import numpy as np
import pyproj
from shapely import points

from surefoot.positions.datums import pin_operation, to_wgs84

SOURCE = "EPSG:28408"
NUMBER = 1_000_000
LIMIT_S = 0.5


def seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """Median wall-clock time of a call, after one call to warm up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    rng = np.random.default_rng(0)
    easting = 8_664_944.0 + rng.uniform(-50_000, 50_000, NUMBER)
    northing = 4_430_293.0 + rng.uniform(-50_000, 50_000, NUMBER)
    operation = pin_operation(SOURCE, 8_664_944.0, 4_430_293.0)
    series = geopandas.GeoSeries(points(easting, northing), crs=SOURCE)
    before = seconds(lambda: series.to_crs("EPSG:4326"), repeats=3)
    after = seconds(lambda: to_wgs84(SOURCE, easting, northing, operation))
    verdict = "reached" if after <= LIMIT_S else "NOT reached"
    print(
        f"| SK-42 -> WGS 84, {NUMBER:,} points | GeoPandas {geopandas.__version__} to_crs {before:.2f} s |"
        f" {after:.2f} s ({operation.code}), {before / after:.1f} x | must <= {LIMIT_S} s: {verdict} |"
        f" pyproj {pyproj.__version__}, Python {platform.python_version()} |"
    )


if __name__ == "__main__":
    main()
