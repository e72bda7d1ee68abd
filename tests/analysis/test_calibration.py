"""A small simulation-based calibration of re-anchoring; `benchmarks/sbc.py` is the study."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from surefoot.analysis.reanchor import Settings

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import sbc

RUNS, SEED = 24, 11


@pytest.mark.slow
@pytest.mark.parametrize("finds", [2, 10])
def test_nine_in_ten_truths_lie_in_the_middle_nine_tenths_of_the_posterior(finds: int) -> None:
    """Shift, turn and scale of records drawn from the model itself, seeds fixed: no p below 0.001."""
    ranks = np.array([sbc.run(finds, number, SEED, Settings(particles=800, sweeps=4)).rank for number in range(RUNS)])
    for parameter, rank in zip(sbc.PARAMETERS, ranks.T, strict=True):
        for below, share in ((np.abs(rank - 0.5) < 0.45, 0.9), (rank < 0.5, 0.5)):
            assert binomtest(int(below.sum()), RUNS, share).pvalue > 0.001, parameter
