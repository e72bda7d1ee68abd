"""What may be one thing told twice: symbols nearly on one spot or on the next map sheet, finds listed again."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from surefoot.model import Accidents, DevicesFound
from surefoot.readers.counting import Ledger
from surefoot.terms import Severity

SAME_SHEET_M = 5.0  # measured on the national set: doubled symbols lie closer than this
OTHER_SHEET_M = 110.0  # sheet-wise georeferencing: repeats on overlapping sheets lie 24-108 m apart
_METRES_A_DEGREE = 111_320.0


def doubt_neighbours(facts: Accidents, ledger: Ledger) -> None:
    """Note how many pairs of symbols may be one. Both stay: a person decides."""
    located = np.flatnonzero(np.isfinite(facts.longitude) & np.isfinite(facts.latitude))
    if len(located) < 2:
        return
    lat = facts.latitude[located]
    xy = np.column_stack([facts.longitude[located] * np.cos(np.deg2rad(np.median(lat))), lat]) * _METRES_A_DEGREE
    tree = KDTree(xy)
    pairs = tree.query_pairs(OTHER_SHEET_M, output_type="ndarray")
    if not len(pairs):
        return
    distance = np.hypot(*(xy[pairs[:, 0]] - xy[pairs[:, 1]]).T)
    sheets = facts.sheet[located]
    same = sheets[pairs[:, 0]] == sheets[pairs[:, 1]]
    close = int((same & (distance <= SAME_SHEET_M)).sum())
    repeated = int((~same).sum())
    if close:
        ledger.note("SF-R155", count=close, metres=SAME_SHEET_M)
    if repeated:
        ledger.note("SF-R156", count=repeated, metres=OTHER_SHEET_M)


def doubt_repeats(facts: DevicesFound, ledger: Ledger) -> None:
    """Note how many finds repeat another one under an id of their own. All stay: a person decides."""
    count = int((facts.first_listed() != np.arange(len(facts))).sum())
    if count:
        ledger.note("SF-R234", severity=Severity.WARNING, count=count)
