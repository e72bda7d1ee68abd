"""Columns of accuracies: which statistic a header names, and what one standard deviation per axis is by it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from surefoot.readers.cells_text import whole_key

_UNITS = {
    **dict.fromkeys(("cm", "см", "centimetres", "centimeters", "сантиметров"), 0.01),
    **dict.fromkeys(("mm", "мм"), 0.001),
    **dict.fromkeys(("ft", "feet"), 0.3048),
    **dict.fromkeys(
        ("m", "м", "metres", "meters", "metre", "meter", "метров", "метры", "метра", "metara", "in", "в"), 1.0
    ),
}
# radius or error as stated -> sigma per axis of a circular normal error
_STATISTICS: Mapping[str, float] = {
    "CE50": 1.1774, "CE68": 1.5096, "CE90": 2.1460, "CE95": 2.4477, "CE99": 3.0349, "RMSE": 1.4142, "2DRMS": 2.8284,
}  # fmt: skip
_NAMED = {
    "cep": "CE50", "cep50": "CE50", "cep90": "CE90", "cep95": "CE95", "r95": "CE95", "r90": "CE90", "p95": "CE95",
    "rms": "RMSE", "rmse": "RMSE", "drms": "RMSE", "2drms": "2DRMS",
}  # fmt: skip
_LEVEL = re.compile(r"(?:ce_?|cep_?|r_?|p_?)?(50|68|90|95|99)")


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What a header says: the statistic ("" = not stated), its size in sigmas per axis, and the unit in metres."""

    statistic: str
    sigmas: float
    unit_m: float


def accuracy_of(header: str, known: Collection[str]) -> Accuracy | None:
    """Return what a header of accuracies states: "Accuracy (m)", "Точность, м", "CE90", "accuracy_95_cm".

    Parameters
    ----------
    known
        Keys of the words for an accuracy.

    Returns
    -------
    None where the header speaks of something else, also of an accuracy in per cent.
    """
    statistic, unit_m, left = "", 1.0, []
    for token in whole_key(re.sub(r"\b(ce|cep|2) +(?=\d|drms)", r"\1", header.casefold())).split("_"):
        level = _LEVEL.fullmatch(token)
        if token in _UNITS:
            unit_m = min(unit_m, _UNITS[token])
        elif level is not None or token in _NAMED:
            statistic = _NAMED.get(token) or f"CE{level[1] if level else ''}"
        elif token != "ce":
            left.append(token)
    word = "_".join(left)
    if word not in known and not (statistic and word in {"", "circular_error", "sigma"}):
        return None
    if "%" in header and not statistic:
        return None
    return Accuracy(statistic, _STATISTICS.get(statistic, 1.0), unit_m)
