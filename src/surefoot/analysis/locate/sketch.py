"""Points drawn on a sketch without scale: a similarity fitted to the control points carries them to the ground."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from surefoot.analysis.locate.survey import Survey
from surefoot.model import Sketch
from surefoot.terms import Severity

Floats = npt.NDArray[np.float64]


def add_sketch_points(survey: Survey, sketch: Sketch, remark: Callable[..., None]) -> None:
    """Place every sketch point that is no control point, by a least-squares shift, turn and scale.

    With two control points there is no redundancy: the error of the landmarks is carried outwards in full, which
    the covariance shows, and a third point is asked for.
    """
    drawn = [(c.point or f"control point {n + 1}", c.pixel) for n, c in enumerate(sketch.control_points)]
    known = [(name, pixel) for name, pixel in drawn if name in survey.names]
    wanted = [(name, pixel) for name, pixel in drawn if name not in survey.nominal]
    if not wanted:
        return
    if len(known) < 2:
        remark("SF-R058", Severity.ERROR, "sketch.control_points", len(known))
        return
    # Pixels count downwards; mirrored here, so that the fit is a turn and never a reflection.
    source = np.array([complex(column, -row) for _, (column, row) in known])
    rows = [survey.names.index(name) for name, _ in known]
    residual_variance = _residual_variance(source, np.array([survey.anchors[row] for row in rows]))
    worst = 0.0
    for name, (column, row) in wanted:
        weights = _weights(source, complex(column, -row))
        position = complex(weights @ np.array([survey.anchors[r] for r in rows]))
        jacobian = np.zeros((2, 2 * len(survey.names)))
        for weight, anchor in zip(weights, rows, strict=True):
            jacobian[:, 2 * anchor : 2 * anchor + 2] += _as_matrix(weight)
        own = residual_variance * (1.0 + float(np.sum(np.abs(weights) ** 2))) * np.eye(2)
        survey.add_anchor(name, position, jacobian, own)
        worst = max(worst, float(np.sqrt(np.trace(survey.anchor_cov[-2:, -2:]) / 2.0)))
    if len(known) == 2:
        remark("SF-R059", Severity.WARNING, "sketch.control_points", len(known), sigma=f"{worst:.0f}")


def _weights(source: npt.NDArray[np.complex128], pixel: complex) -> npt.NDArray[np.complex128]:
    """Complex weights w with place = w . anchors: the four-parameter fit is linear in the anchors."""
    design = np.stack([np.ones_like(source), source], axis=1)
    inverse = np.linalg.pinv(design)
    return np.asarray(np.array([1.0, pixel]) @ inverse)


def _residual_variance(source: npt.NDArray[np.complex128], target: npt.NDArray[np.complex128]) -> float:
    """Variance per axis of what shift, turn and scale leave over (drawing error); 0 without redundancy."""
    if len(source) <= 2:
        return 0.0
    design = np.stack([np.ones_like(source), source], axis=1)
    left = target - design @ (np.linalg.pinv(design) @ target)
    return float(np.sum(np.abs(left) ** 2) / (2 * len(source) - 4))


def _as_matrix(weight: complex) -> Floats:
    return np.array([[weight.real, -weight.imag], [weight.imag, weight.real]])
