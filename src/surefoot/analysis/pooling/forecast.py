"""What is to be expected of a form of a series before any find on its ground (methods.md section 3).

A promise of "eight new forms" says nothing about their worth; the forms of the same series that were checked do, and
with few of them the interval is wide. It is shown as wide as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot.analysis.accuracy import predict_new
from surefoot.analysis.pooling.learned import LearnedErrors, RecordErrors, draws_for_new

Floats = npt.NDArray[np.float64]

FORECAST_LEVEL = 0.8
LEAST_RECORDS = 3
"""Checked records from which anything is said about another one."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """One figure of a record not checked yet: median and interval, or the reason why nothing is said.

    `figure` is ``share_confirmed`` (of its devices on the ground searched, with removals and detection taken out) or
    ``displacement_m`` (of its centroid, as read against the ground). `records` were checked.
    """

    scope: str
    figure: str
    median: float | None
    interval: tuple[float, float] | None
    level: float
    records: int
    reason: str | None = None


def forecast_confirmed(scope: str, confirmed: Floats, checked: Floats) -> Forecast:
    """Forecast the share of a new record's devices that the ground will confirm.

    Parameters
    ----------
    scope
        ``all`` or ``series:NAME``.
    confirmed, checked : (records,)
        Per checked record: devices confirmed, devices that a search would have found if the record is right
        (expected counts). Records with less than one device checked are left out.
    """
    used = checked >= 1.0
    count = int(used.sum())
    if count < LEAST_RECORDS:
        return _not_said(scope, "share_confirmed", count)
    predicted = predict_new(np.minimum(confirmed, checked)[used], checked[used], FORECAST_LEVEL)
    return Forecast(
        scope, "share_confirmed", predicted.value, (predicted.low, predicted.high), FORECAST_LEVEL, count
    )  # fmt: skip


def forecast_displacement(
    scope: str, errors: Sequence[RecordErrors], learned: LearnedErrors, rng: np.random.Generator
) -> Forecast:
    """Forecast how far a new record's centroid will lie from where it reads, metres."""
    if learned.records < LEAST_RECORDS:
        return _not_said(scope, "displacement_m", learned.records)
    metres = np.hypot(*draws_for_new(errors, learned, rng)[:, :2].T)
    tail = (1.0 - FORECAST_LEVEL) / 2.0
    low, middle, high = (float(v) for v in np.quantile(metres, [tail, 0.5, 1.0 - tail]))
    return Forecast(scope, "displacement_m", middle, (low, high), FORECAST_LEVEL, learned.records)


def _not_said(scope: str, figure: str, records: int) -> Forecast:
    return Forecast(scope, figure, None, None, FORECAST_LEVEL, records, "SF-C050")
