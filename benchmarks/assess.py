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
        program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        peak = _peak_mb(program)
        seconds = time.perf_counter() - begun
        said = program.communicate()[1]
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        peak, busy = max(peak, used.ru_maxrss / 1024), used.ru_utime + used.ru_stime
        sizes = {path.name: path.stat().st_size // 1024 for path in sorted(out.glob("*"))}
    print(f"exit {program.returncode} {said[-300:]}")
    took = f"{seconds:.1f} s ({busy:.1f} s of processor time)"
    print(f"| assess, {items} items, {finds} finds | {took} | {peak:.0f} MB | {sizes} KiB |")


def _peak_mb(program: subprocess.Popen[str]) -> float:
    """Wait for the program; return the most memory that it and the children that read files took together."""
    peak = 0.0
    while program.poll() is None:
        peak = max(peak, sum(map(_resident_mb, _family(program.pid))))
        time.sleep(0.1)
    return peak


def _family(pid: int) -> list[int]:
    """Return a process and all that it started; on Linux only, elsewhere none."""
    try:  # each thread tells its own children
        told = [path.read_text(encoding="ascii") for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return [pid, *(one for text in told for child in text.split() for one in _family(int(child)))]


def _resident_mb(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 2**20
    except OSError:
        return 0.0


if __name__ == "__main__":
    main()
