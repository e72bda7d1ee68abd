"""Labels on a map that do not lie on one another.

Greedy point-feature labelling: eight places around the anchor in the usual order of preference (Imhof 1975),
the first that touches no label and stays in the frame wins, those that cover fewer marks first. A label that
fits nowhere is left out and counted, not printed over another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot.writers.map_frame import Floats, Frame

_PLACES = ((1, -1), (1, 1), (-1, -1), (-1, 1), (1, 0), (-1, 0), (0, -1), (0, 1))


@dataclass(frozen=True, slots=True)
class Label:
    """A placed label: its words, and where its baseline starts in page units."""

    words: str
    left: float
    baseline: float


def place_labels(
    words: Sequence[str], anchors: Floats, marks: Floats, frame: Frame, *, size: float, reach: float = 5.0
) -> tuple[list[Label], int]:
    """Place labels at their anchors.

    Parameters
    ----------
    words
        One text per anchor, most important first.
    anchors
        Page positions, shape (n, 2).
    marks
        Page positions of symbols that should stay visible, shape (m, 2).
    frame
        Labels stay inside it.
    size
        Font size in page units.
    reach
        Distance of a label from its anchor in page units.

    Returns
    -------
    tuple
        The placed labels, and how many were left out.
    """
    taken = np.empty((0, 4))
    placed: list[Label] = []
    for label, anchor in zip(words, anchors, strict=True):
        boxes = _candidates(anchor, _width(label, size), size, reach)
        free = _inside(boxes, frame) & ~_touches(boxes, taken).any(axis=1)
        if not free.any():
            continue
        covered = np.where(free, _covered(boxes, marks), np.inf)
        best = boxes[int(covered.argmin())]
        taken = np.vstack([taken, best])
        placed.append(Label(label, float(best[0]), float(best[3] - 0.25 * size)))
    return placed, len(words) - len(placed)


def _width(label: str, size: float) -> float:
    return 0.6 * size * len(label) + 2


def _candidates(anchor: Floats, width: float, height: float, reach: float) -> Floats:
    """The eight boxes (8, 4) around an anchor as left, top, right, bottom."""
    places = np.array(_PLACES, dtype=np.float64)
    middle = anchor + places * [width / 2 + reach, height / 2 + reach]
    half = np.array([width / 2, height / 2])
    return np.hstack([middle - half, middle + half])


def _inside(boxes: Floats, frame: Frame) -> npt.NDArray[np.bool_]:
    low = (boxes[:, 0] >= frame.left + 2) & (boxes[:, 1] >= frame.top + 2)
    high = (boxes[:, 2] <= frame.left + frame.width - 2) & (boxes[:, 3] <= frame.top + frame.height - 2)
    return low & high


def _touches(boxes: Floats, others: Floats) -> npt.NDArray[np.bool_]:
    """Which boxes (n, 4) overlap which others (m, 4), shape (n, m)."""
    a, b = boxes[:, None, :], others[None, :, :]
    across = (a[..., 0] < b[..., 2]) & (b[..., 0] < a[..., 2])
    return across & (a[..., 1] < b[..., 3]) & (b[..., 1] < a[..., 3])


def _covered(boxes: Floats, marks: Floats) -> Floats:
    """How many marks lie under each box."""
    x, y = marks[None, :, 0], marks[None, :, 1]
    across = (x >= boxes[:, None, 0] - 3) & (x <= boxes[:, None, 2] + 3)
    under = across & (y >= boxes[:, None, 1] - 3) & (y <= boxes[:, None, 3] + 3)
    return np.asarray(under.sum(axis=1), dtype=np.float64)
