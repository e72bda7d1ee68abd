"""Shifts between overlapping map sheets, from symbols that two sheets repeat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot.analysis.accuracy.duplicates import OTHER_SHEET, propose_duplicate_symbols
from surefoot.analysis.transforms import Similarity, fit_transform

Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]

FEWEST_PAIRS = 3
PRIOR_SHIFT_SD_M = 50.0
RIGID_TURN_DEG, RIGID_SCALE = 1e-4, 1e-6  # a shift only
CHI2_TWO = 5.991464547107979


@dataclass(frozen=True, eq=False)
class SheetShift:
    """How far one sheet's symbols lie from the same symbols on another sheet.

    Attributes
    ----------
    first, second
        Names of the sheets; the shift leads from the first to the second.
    pairs
        Number of repeated symbols.
    shift_m : (2,)
        East and north; nan where there are too few pairs (not known).
    cov_m2 : (2, 2)
        Its covariance; the 95 % ellipse (5.991) holds 95 % of the posterior.
    length_m : (3,)
        Length of the shift: estimate and 95 % bounds (nearest and farthest point of that ellipse, by its longer
        axis, hence wide rather than narrow).
    pair_sd_m : (3,)
        Scale per axis of one symbol's own deviation: median and 90 % interval.
    wrong : (pairs,)
        Probability that a pair is no pair.
    consistent
        Whether the 95 % ellipse leaves out "no shift".
    """

    first: str
    second: str
    pairs: int
    shift_m: Floats
    cov_m2: Floats
    length_m: Floats
    pair_sd_m: Floats
    wrong: Floats
    consistent: bool


def sheet_shifts(
    points: Floats, sheet: Texts, tolerance_m: float = 110.0, *, rng: np.random.Generator
) -> list[SheetShift]:
    """Shift of every two sheets that repeat symbols.

    Parameters
    ----------
    points : (n, 2)
        Easting and northing of the symbols, metres.
    sheet : (n,)
        Map sheet of each; "" = not stated.
    tolerance_m
        Farthest two symbols of one thing may lie apart. Where symbols stand closer together than the sheets are
        shifted, the nearest symbol is often another one; such pairs disagree and widen the interval.
    rng
        Source of randomness.
    """
    proposed = propose_duplicate_symbols(points, sheet, cross_sheet_tolerance_m=tolerance_m)
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for a, b, kind in zip(proposed.first, proposed.second, proposed.kind, strict=True):
        if kind == OTHER_SHEET:
            one, two = sorted([(str(sheet[a]), int(a)), (str(sheet[b]), int(b))])
            found.setdefault((one[0], two[0]), []).append((one[1], two[1]))
    return [_shift(names, points, np.asarray(found[names]), rng) for names in sorted(found)]


def _shift(
    names: tuple[str, str], points: Floats, pairs: npt.NDArray[np.int64], rng: np.random.Generator
) -> SheetShift:
    if len(pairs) < FEWEST_PAIRS:
        unknown = np.full(3, np.nan)
        nothing = np.full((2, 2), np.nan)
        return SheetShift(
            *names, len(pairs), unknown[:2], nothing, unknown, unknown, np.full(len(pairs), np.nan), False
        )
    source, target = points[pairs[:, 0]], points[pairs[:, 1]]
    sd = np.array([PRIOR_SHIFT_SD_M, PRIOR_SHIFT_SD_M, RIGID_TURN_DEG, RIGID_SCALE])
    pivot = source.mean(axis=0)
    fitted = fit_transform(source, target, prior=Similarity(pivot, 0.0, 0.0, 0.0, 1.0, np.diag(sd**2)), rng=rng)
    mean, cov = fitted.predict(pivot[None], pair_noise=False)
    shift, length = mean[0] - pivot, float(np.hypot(*(mean[0] - pivot)))
    reach = float(np.sqrt(CHI2_TWO * np.linalg.eigvalsh(cov[0])[-1]))
    return SheetShift(
        *names,
        len(pairs),
        shift,
        cov[0],
        np.array([length, max(length - reach, 0.0), length + reach]),
        fitted.pair_sd,
        fitted.wrong,
        bool(shift @ np.linalg.solve(cov[0], shift) > CHI2_TWO),
    )
