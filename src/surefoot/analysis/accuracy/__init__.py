"""How far off and how complete the records are: ISO 19157 measures, each with an interval."""

from surefoot.analysis.accuracy.completeness import (
    checked_by_record,
    completeness,
    correctness,
    correctness_posterior,
    duplicate_instances,
    excess_items,
    missing_items,
)
from surefoot.analysis.accuracy.duplicates import DuplicateSymbols, propose_duplicate_symbols
from surefoot.analysis.accuracy.intervals import Interval, beta_binomial_interval, predict_new
from surefoot.analysis.accuracy.measures import (
    LEVEL,
    Measure,
    Share,
    SharePosterior,
    clustered_share,
    share_posterior,
)
from surefoot.analysis.accuracy.outside import (
    OutsideShare,
    devices_outside_records,
    distance_to_footprints,
    share_outside,
)
from surefoot.analysis.accuracy.positional import (
    THRESHOLDS_M,
    Residuals,
    positional_measures,
    residuals,
)
from surefoot.analysis.accuracy.sheets import SheetShift, sheet_shifts

__all__ = [
    "LEVEL",
    "THRESHOLDS_M",
    "DuplicateSymbols",
    "Interval",
    "Measure",
    "OutsideShare",
    "Residuals",
    "Share",
    "SharePosterior",
    "SheetShift",
    "beta_binomial_interval",
    "checked_by_record",
    "clustered_share",
    "completeness",
    "correctness",
    "correctness_posterior",
    "devices_outside_records",
    "distance_to_footprints",
    "duplicate_instances",
    "excess_items",
    "missing_items",
    "positional_measures",
    "predict_new",
    "propose_duplicate_symbols",
    "residuals",
    "share_outside",
    "share_posterior",
    "sheet_shifts",
]
