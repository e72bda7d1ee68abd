"""100,000 recorded items against 20,000 finds through ``surefoot assess``: wall time and peak memory.

Must: at most 60 s on two cores and under 1 GB. Prints the line for RESULTS.md.

    python benchmarks/assess.py [--records 1940] [--seed 1]
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from surefoot.analysis.synthetic import simulate
from surefoot.writers.case_folder import write_case


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1940)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        case, out = Path(folder) / "case", Path(folder) / "out"
        region = simulate("nominal", rng=np.random.default_rng(options.seed), records=options.records)
        write_case(region, case)
        items, finds = int(np.sum(region.truth.devices.recorded)), len(region.finds.id)
        begun = time.perf_counter()
        command = [sys.executable, "-m", "surefoot", "assess", str(case), "--out", str(out), "--quiet"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        seconds = time.perf_counter() - begun
        # The largest of the children: the program itself, or the limited child that reads the files.
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        peak, busy = used.ru_maxrss / 1024, used.ru_utime + used.ru_stime
        sizes = {path.name: path.stat().st_size // 1024 for path in sorted(out.glob("*"))}
    print(f"exit {done.returncode} {done.stderr[-300:]}")
    took = f"{seconds:.1f} s ({busy:.1f} s of processor time)"
    print(f"| assess, {items} items, {finds} finds | {took} | {peak:.0f} MB | {sizes} KiB |")


if __name__ == "__main__":
    main()
