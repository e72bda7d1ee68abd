"""Are the totals honest? Coverage of two lists over the odds ratio, of random blocks, and of regions.

Prints Markdown tables for RESULTS.md; nothing is written::

    python benchmarks/totals.py --only lists
    python benchmarks/totals.py --only survey
    python benchmarks/totals.py --only regions --regions 20
    SUREFOOT_DATA=... python benchmarks/totals.py --only many
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from surefoot.analysis.accuracy import share_posterior
from surefoot.analysis.assess import assess
from surefoot.analysis.completeness import (
    Histories,
    Stratum,
    TwoLists,
    latent_class_total,
    log_linear_total,
    survey_total,
    two_list_total,
)
from surefoot.analysis.synthetic import simulate
from surefoot.readers import read_case_folder
from surefoot.writers.case_folder import write_case

ODDS_RATIOS = (0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0)
BLOCKS, OCCUPIED, DETECTION = 6000, 0.06, 0.9


# --- two lists -------------------------------------------------------------------------------------------


def cell_probabilities(recorded: float, found: float, odds_ratio: float) -> list[float]:
    """P(both), P(recorded only), P(found only), P(neither) with the given margins and odds ratio."""
    both = recorded * found
    if odds_ratio != 1.0:
        a = 1.0 + (recorded + found) * (odds_ratio - 1.0)
        root = np.sqrt(a * a - 4.0 * odds_ratio * (odds_ratio - 1.0) * recorded * found)
        both = (a - root) / (2.0 * (odds_ratio - 1.0))
    return [both, recorded - both, found - both, 1.0 - recorded - found + both]


def coverage_of_two_lists(sets: int, seed: int) -> None:
    """Counts as they are: everything recorded is real, devices are independent."""
    rng = np.random.default_rng(seed)
    print(f"\nTwo lists, {sets} sets a line, 90 %; sets with fewer than ten on both lists are refused:\n")
    print("| devices | recorded | found | odds ratio | estimated | at its odds ratio | integrated | by prior alone |")
    print("|---|---|---|---|---|---|---|---|")
    for devices, recorded, found in ((300, 0.5, 0.15), (1000, 0.4, 0.2), (5000, 0.4, 0.3), (50_000, 0.25, 0.3)):
        for psi in ODDS_RATIOS:
            held = np.zeros(3)
            done = 0
            for _ in range(sets):
                both, only, new, _ = rng.multinomial(devices, cell_probabilities(recorded, found, psi))
                result = two_list_total(TwoLists(both, new, both + only), odds_ratios=(psi,))
                if result.integrated.interval is None or result.integrated.mixture is None:
                    continue
                done += 1
                at = (result.curve[0].interval, result.integrated.interval, result.integrated.mixture)
                held += [low <= devices <= high for low, high in at]
            own, whole, alone = held / max(done, 1)
            print(
                f"| {devices} | {recorded} | {found} | {psi} | {done} | {own:.3f} | {whole:.3f} | {alone:.3f} |",
                flush=True,
            )


def clustered_lists(psi: float, rng: np.random.Generator) -> tuple[TwoLists, int]:
    """Make up sixty fields, part of them searched; false records, finds that share their field's luck."""
    fields, real_share, detection, recorded_share = 60, 0.8, 0.9, 0.6
    devices = rng.integers(5, 40, fields)
    on_record = rng.binomial(devices, rng.beta(recorded_share * 8, (1 - recorded_share) * 8, fields))
    # searching is for fields; psi acts between being recorded and being searched, device by device
    searched = rng.random(fields) < 0.4
    stated = np.round(on_record / real_share).astype(int)
    p_recorded = np.where(searched, 0.9, 0.0)
    p_new = p_recorded / (psi * (1.0 - p_recorded) + p_recorded)
    inside_recorded = rng.binomial(on_record, p_recorded)
    inside_new = rng.binomial(devices - on_record, p_new)
    n11, n01 = rng.binomial(inside_recorded, detection), rng.binomial(inside_new, detection)
    trials = stated * p_recorded * detection
    used = (n11 + n01) > 0
    correctness = share_posterior(n11.astype(float), trials, np.arange(fields))
    completeness = share_posterior(n11[used].astype(float), (n11 + n01)[used].astype(float), np.flatnonzero(used))
    lists = TwoLists(float(n11.sum()), float(n01.sum()), float(stated.sum()), correctness, completeness)
    return lists, int(devices.sum())


def coverage_of_clustered_lists(sets: int, seed: int) -> None:
    """False records, detection 0.9, whole fields searched; the odds ratio is the realised one, near 1."""
    rng = np.random.default_rng(seed)
    held, done, widths = np.zeros(2), 0, []
    for _ in range(sets):
        lists, truth = clustered_lists(1.0, rng)
        result = two_list_total(lists, odds_ratios=(1.0,))
        if result.integrated.interval is None:
            continue
        done += 1
        at = (result.curve[0].interval, result.integrated.interval)
        held += [low <= truth <= high for low, high in at]
        widths.append((at[0][1] - at[0][0]) / truth)
    print(f"\nClustered, a fifth of the records false, whole fields searched, {done} sets: at odds ratio 1 "
          f"{held[0] / done:.3f} (relative width {np.mean(widths):.2f}), "
          f"integrated {held[1] / done:.3f}", flush=True)  # fmt: skip


# --- random blocks ---------------------------------------------------------------------------------------


def ground(kind: str, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Devices in each block: 6 % of the blocks hold some."""
    occupied = rng.random(BLOCKS) < OCCUPIED
    n = int(occupied.sum())
    counts = np.zeros(BLOCKS, dtype=np.int64)
    if kind == "geometric":
        counts[occupied] = rng.negative_binomial(1.0, 1.0 / 9.0, n) + 1
    elif kind == "even":
        counts[occupied] = rng.negative_binomial(2.0, 2.0 / 22.0, n)
    else:
        counts[occupied] = np.ceil(np.exp(rng.normal(np.log(6.0), 1.0, n))).astype(np.int64)
    return counts


def coverage_of_surveys(sets: int, seed: int) -> None:
    """Ground the model was made for, and log-normal counts, for which it was not."""
    rng = np.random.default_rng(seed)
    print(f"\n{BLOCKS} blocks, {OCCUPIED:.0%} occupied, detection {DETECTION}, {sets} surveys a line, 90 %:\n")
    print("| counts | blocks searched | model covers | relative width | median / truth | HT covers | HT has one |")
    print("|---|---|---|---|---|---|---|")
    for kind in ("geometric", "even", "log-normal"):
        for n in (60, 150, 400):
            held, ht_held, ht_has, widths, ratios = 0, 0, 0, [], []
            for _ in range(sets):
                counts = ground(kind, rng)
                chosen = rng.choice(BLOCKS, n, replace=False)
                found = rng.binomial(counts[chosen], DETECTION)
                result, truth = survey_total([Stratum(BLOCKS, found, DETECTION)], rng=rng), int(counts.sum())
                assert result.model_interval is not None
                assert result.model_total is not None
                low, high = result.model_interval
                held += low <= truth <= high
                widths.append((high - low) / truth)
                ratios.append(result.model_total / truth)
                if result.ht_interval is not None:
                    ht_has += 1
                    ht_held += result.ht_interval[0] <= truth <= result.ht_interval[1]
            print(
                f"| {kind} | {n} | {held / sets:.3f} | {np.median(widths):.2f} | {np.median(ratios):.2f} | "
                f"{ht_held / max(ht_has, 1):.3f} | {ht_has / sets:.2f} |",
                flush=True,
            )


# --- whole regions ---------------------------------------------------------------------------------------


def regions(number: int, seed: int) -> None:
    """The total of an assessment, positions as recorded, against the truth of simulated regions."""
    print(f"\n`assess` on {number} simulated regions a preset, positions as recorded:\n")
    print(
        "| preset | stated | integrated covers | at odds ratio 1 covers | median value / truth |\n|---|---|---|---|---|"
    )
    for preset in ("nominal", "easy", "null"):
        stated, held, own, ratios = 0, 0, 0, []
        for k in range(number):
            region = simulate(preset, rng=np.random.default_rng(seed + k))
            with tempfile.TemporaryDirectory() as folder:
                write_case(region, Path(folder) / "case")
                result = assess(read_case_folder(Path(folder) / "case")).totals.total
            truth = int(region.truth.devices.present.sum())
            if result.integrated.interval is None or result.integrated.total is None:
                continue
            stated += 1
            held += result.integrated.interval[0] <= truth <= result.integrated.interval[1]
            one = next(at.interval for at in result.curve if at.odds_ratio == 1.0)
            own += one[0] <= truth <= one[1]
            ratios.append(result.integrated.total / truth)
        shown = f"{np.median(ratios):.2f}" if ratios else "-"
        print(f"| {preset} | {stated} of {number} | {held} | {own} | {shown} |", flush=True)


# --- four real lists -------------------------------------------------------------------------------------


def many_lists(seed: int) -> None:
    """The spread of models on the four lists of completeness/kosovo_aggregate.csv (read in place)."""
    source = Path(os.environ.get("SUREFOOT_DATA", "")) / "completeness" / "kosovo_aggregate.csv"
    if not source.is_file():
        print("\nfour real lists: SUREFOOT_DATA does not lead to them, left out")
        return
    histories = Histories.of(np.loadtxt(source, delimiter=",", skiprows=1, dtype=np.int64))
    for three_way in (False, True):
        result = log_linear_total(histories, three_way=three_way)
        stated = "no average" if result.interval is None else "average {:.0f}, {:.0f}-{:.0f}".format(
            result.average, *result.interval)  # fmt: skip
        print(f"\nlog-linear, {'with' if three_way else 'without'} interactions of three, {len(result.models)} models: "
              f"{stated} ({result.left_out:.2f} of the weight cannot be computed), spread of the "
              f"close ones {result.spread[0]:.0f}-{result.spread[1]:.0f}, "
              f"independence {result.independence:.0f}")  # fmt: skip
        for model in result.models[:5]:
            print(f"  {model.interactions} AIC {model.aic:.1f} weight {model.weight:.2f}: {model.total:.0f} "
                  f"({model.interval[0]:.0f}-{model.interval[1]:.0f})")  # fmt: skip
    for latent in latent_class_total(histories, rng=np.random.default_rng(seed)).models:
        print(f"latent, {latent.classes} classes: {latent.total:.0f} "
              f"({latent.interval[0]:.0f}-{latent.interval[1]:.0f}), "
              f"chains {[round(c) for c in latent.chains]}, scale reduction {latent.scale_reduction:.2f}")  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("lists", "survey", "regions", "many"))
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--regions", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {os.cpu_count()} cores, seed {args.seed}")
    start = time.perf_counter()
    if args.only in (None, "lists"):
        coverage_of_two_lists(args.sets, args.seed)
        coverage_of_clustered_lists(args.sets // 4, args.seed)
    if args.only in (None, "survey"):
        coverage_of_surveys(max(args.sets * 2 // 5, 1), args.seed)
    if args.only in (None, "many"):
        many_lists(args.seed)
    if args.only in (None, "regions"):
        regions(args.regions, args.seed)
    print(f"\n{time.perf_counter() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
