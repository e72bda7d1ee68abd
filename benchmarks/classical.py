"""Classical ways to move a record onto finds, which re-anchoring is held against (methods.md section 2).

Each takes the recorded devices (n,) and the finds (k,), complex, east + i north in metres of one grid, and returns
where it believes the recorded devices to be. None knows more than another: the finds' places, the record as it reads,
and the size of the errors usual in the preset (for gates and starts). Only the benchmarks import this.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree
from skimage.measure import ransac
from skimage.transform import EuclideanTransform, SimilarityTransform

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pycpd compares numbers with `is`
    from pycpd import RigidRegistration

Complexes = npt.NDArray[np.complex128]

SHIFT_SD_M = 25.0
TURN_SD_RAD = float(np.deg2rad(4.0))
GATE_M = 75.0  # three sigmas: a recorded device and a find farther apart are not held for one
TURN_GATE_RAD = float(np.deg2rad(12.0))
SCALE_GATE = 0.15
INLIER_M = 4.0
TRIALS = 2000
STARTS = 60
TRIM = 0.8
ROUNDS = 30


def snap(recorded: Complexes, finds: Complexes) -> Complexes:
    """Shift by the median of the ways from each find's nearest recorded device."""
    nearest = cKDTree(_xy(recorded)).query(_xy(finds))[1]
    way = finds - recorded[nearest]
    return recorded + complex(np.median(way.real), np.median(way.imag))


def icp(recorded: Complexes, finds: Complexes) -> Complexes:
    """Iterated closest points from where the record reads."""
    return _closest(recorded, finds, np.zeros(1, complex), np.zeros(1), 1.0)


def icp_many(recorded: Complexes, finds: Complexes, rng: np.random.Generator) -> Complexes:
    """Trimmed iterated closest points from 60 starts drawn from the usual errors; the best fit counts."""
    shift = rng.normal(0.0, SHIFT_SD_M, STARTS) + 1j * rng.normal(0.0, SHIFT_SD_M, STARTS)
    turn = rng.normal(0.0, TURN_SD_RAD, STARTS)
    shift[0], turn[0] = 0.0, 0.0
    return _closest(recorded, finds, shift, turn, TRIM)


def _closest(recorded: Complexes, finds: Complexes, shift: Complexes, turn: Any, share: float) -> Complexes:
    middle = recorded.mean()
    u, kept = recorded - middle, max(1, round(share * len(finds)))
    tree = cKDTree(_xy(u))
    factor, offset = np.exp(1j * turn), middle + shift
    for _ in range(ROUNDS):
        nearest, gap = _pairs(tree, finds, factor, offset, len(u))
        order = np.argsort(gap, axis=1)[:, :kept]
        p, q = np.take_along_axis(u[nearest], order, 1), np.take_along_axis(np.tile(finds, (len(factor), 1)), order, 1)
        p0, q0 = p.mean(axis=1, keepdims=True), q.mean(axis=1, keepdims=True)
        if kept > 2:
            cross = np.sum(np.conj(p - p0) * (q - q0), axis=1)
            factor = np.where(np.abs(cross) > 0, cross / np.maximum(np.abs(cross), 1e-9), factor)
        offset = q0[:, 0] - factor * p0[:, 0]
    gap = np.sort(_pairs(tree, finds, factor, offset, len(u))[1], axis=1)[:, :kept]
    best = int(np.argmin((gap**2).mean(axis=1)))
    return np.asarray(offset[best] + factor[best] * u)


def _pairs(tree: Any, finds: Complexes, factor: Complexes, offset: Complexes, count: int) -> tuple[Any, Any]:
    back = (finds[None, :] - offset[:, None]) / factor[:, None]
    gap, nearest = tree.query(_xy(back.ravel()))
    return nearest.reshape(back.shape), gap.reshape(back.shape)


def fit_ransac(
    recorded: Complexes, finds: Complexes, rng: np.random.Generator, *, scaled: bool, trials: int = TRIALS
) -> Complexes:
    """Random sample consensus over all pairs (recorded device, find) inside the gate; scikit-image."""
    middle = recorded.mean()
    u, y = recorded - middle, finds - middle
    mine, find = np.nonzero(np.abs(u[:, None] - y[None, :]) < GATE_M)
    if len(mine) < 2 or len(np.unique(find)) < 2:
        return recorded

    def distinct(source: Any, target: Any) -> bool:
        return bool(np.any(source[0] != source[1]) and np.any(target[0] != target[1]))

    def usual(model: Any, *_: Any) -> bool:
        if not model:
            return False
        a = complex(model.params[0, 0], model.params[1, 0])
        return abs(np.angle(a)) < TURN_GATE_RAD and abs(abs(a) - 1.0) < SCALE_GATE

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "No inliers found" is an answer here
        model, _ = ransac(
            (_xy(u[mine]), _xy(y[find])), SimilarityTransform if scaled else EuclideanTransform, min_samples=2,
            residual_threshold=INLIER_M, is_data_valid=distinct, is_model_valid=usual, max_trials=trials, rng=rng,
        )  # fmt: skip
    if not model:
        return recorded
    moved = model(_xy(u))
    return np.asarray(middle + moved[:, 0] + 1j * moved[:, 1])


def coherent_drift(recorded: Complexes, finds: Complexes) -> Complexes:
    """Rigid coherent point drift with its defaults; pycpd."""
    if len(finds) < 2:
        return recorded
    middle = recorded.mean()
    moved, _ = RigidRegistration(X=_xy(finds - middle), Y=_xy(recorded - middle)).register()
    result = np.asarray(middle + moved[:, 0] + 1j * moved[:, 1])
    return result if np.isfinite(result).all() else recorded


def _xy(points: Complexes) -> npt.NDArray[np.float64]:
    return np.column_stack([points.real, points.imag])
