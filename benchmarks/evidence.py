"""Evidence of re-anchoring's sampler beside nested sampling (dynesty), on three cases of the calibration study.

    uv sync --group bench
    python benchmarks/evidence.py

Must: within 0.3. The sampler's estimate of Z itself is unbiased, that of log Z is not: the log of the mean of Z over
the runs is compared, and the mean of the logs is shown beside it. Nested sampling is run three times, since its runs
scatter by more than they state where a case has several narrow modes. Prints a table for RESULTS.md; writes nothing.
"""

from __future__ import annotations

import argparse
import time

import dynesty
import numpy as np
from scipy.special import logsumexp, ndtri
from scipy.stats import chi2

import sbc
from surefoot.analysis.reanchor.sampler import Settings, Target, evaluate, sample, scratch_for

CASES = ((2, 3), (5, 4), (10, 5))
"""Finds, number of the calibration run."""
RUNS, NESTED_RUNS = 80, 3
"""Ours are cheap, and on the third case one run in ten has a good part of the evidence: twenty are too few."""


def target_of(finds: int, number: int, seed: int) -> Target:
    """Return the heaviest hypothesis of a calibration run as the sampler sees it."""
    drawn, rng = sbc.draw(finds, number, seed)
    posterior = drawn.explored(Settings(500, 3), rng)
    return posterior.sampled[int(np.argmax(posterior.weight))].target


def nested(target: Target, seed: int) -> float:
    """Log evidence by dynesty: a Student t prior as a normal over a chi-squared variance."""
    factor, scratch, nu = np.linalg.cholesky(target.covariance), scratch_for(target), target.degrees_of_freedom

    def prior(u: np.ndarray) -> np.ndarray:
        return factor @ ndtri(u[:4]) * np.sqrt(nu / chi2.ppf(u[4], nu))

    def likelihood(state: np.ndarray) -> float:
        full = np.zeros((1, 6))
        full[0, :4] = state
        return float(evaluate(target, full, scratch)[0])

    sampler = dynesty.NestedSampler(
        lambda v: likelihood(v[:4]), lambda u: np.append(prior(u), u[4]), 5, nlive=1000, sample="rwalk",
        rstate=np.random.default_rng(seed),
    )  # fmt: skip
    sampler.run_nested(dlogz=0.05, print_progress=False)
    return float(sampler.results.logz[-1])


def log_of_mean(logs: np.ndarray) -> float:
    """Log of the mean of the numbers whose logs these are."""
    return float(logsumexp(logs) - np.log(len(logs)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print(f"| finds | log of mean Z, {RUNS} runs | mean log Z (sd) | nested, {NESTED_RUNS} runs |", end="")
    print(" log of mean Z | difference | s a run, nested |\n|---|---|---|---|---|---|---|")
    for finds, number in CASES:
        target = target_of(finds, number, asked.seed)
        began = time.process_time()
        ours = np.array([sample(target, Settings(), np.random.default_rng(k)).log_evidence for k in range(RUNS)])
        each = (time.process_time() - began) / RUNS
        began = time.process_time()
        theirs = np.array([nested(target, asked.seed + run) for run in range(NESTED_RUNS)])
        took = (time.process_time() - began) / NESTED_RUNS
        whole, other = log_of_mean(ours), log_of_mean(theirs)
        print(
            f"| {finds} | {whole:.2f} | {ours.mean():.2f} ({np.std(ours, ddof=1):.2f}) |"
            f" {', '.join(f'{z:.2f}' for z in theirs)} | {other:.2f} | {whole - other:+.2f} | {each:.2f}, {took:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
