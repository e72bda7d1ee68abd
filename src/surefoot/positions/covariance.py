"""Covariances of a place in the plane, and their ellipses. Axes: east, then north; square metres."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from surefoot.errors import PositionError

Floats = npt.NDArray[np.float64]


def ellipse_scale(level: float) -> float:
    """Return how many standard deviations wide the ellipse of a probability is: 2.146 for 0.9.

    Square root of the chi-squared quantile with two degrees of freedom, ``-2 ln(1 - level)``.
    """
    if not 0.0 < level < 1.0:
        raise PositionError("SF-P061", str(level))
    return math.sqrt(-2.0 * math.log1p(-level))


def ellipse(covariance: npt.ArrayLike, level: float) -> tuple[Floats, Floats, Floats]:
    """Return the ellipse that holds a normally distributed place with probability `level`.

    Parameters
    ----------
    covariance
        Shape (..., 2, 2), east then north, square metres.
    level
        Probability, such as 0.9.

    Returns
    -------
    semi_major_m, semi_minor_m, azimuth_deg
        Shape (...); the azimuth of the major axis in degrees clockwise from north, 0 <= azimuth < 180.

    Raises
    ------
    PositionError
        SF-P060 not a covariance, SF-P061 not a probability.
    """
    cov = checked_covariance(covariance)
    values, vectors = np.linalg.eigh(cov)
    major = vectors[..., :, 1]
    azimuth = np.mod(np.degrees(np.arctan2(major[..., 0], major[..., 1])), 180.0)
    half_axes = ellipse_scale(level) * np.sqrt(np.maximum(values, 0.0))
    return half_axes[..., 1], half_axes[..., 0], np.where(azimuth >= 180.0, 0.0, azimuth)


def checked_covariance(covariance: npt.ArrayLike) -> Floats:
    """Return the covariance made exactly symmetric, or refuse what is none.

    Raises
    ------
    PositionError
        SF-P060 not finite, not symmetric, or with a negative variance beyond rounding (1e-9 of the largest).
    """
    cov = np.asarray(covariance, dtype=np.float64)
    if cov.shape[-2:] != (2, 2) or not np.isfinite(cov).all():
        raise PositionError("SF-P060", str(covariance))
    symmetric = 0.5 * (cov + np.swapaxes(cov, -1, -2))
    rounding = 1e-9 * np.abs(cov).max(axis=(-2, -1))
    lopsided = np.abs(cov - symmetric).max(axis=(-2, -1)) > rounding
    if (lopsided | (np.linalg.eigvalsh(symmetric)[..., 0] < -rounding)).any():
        raise PositionError("SF-P060", str(covariance))
    return symmetric


def turned(covariance: npt.ArrayLike, clockwise_deg: npt.ArrayLike) -> Floats:
    """Return the covariance of a place whose offsets are turned clockwise by an angle, degrees."""
    cov = np.asarray(covariance, dtype=np.float64)
    angle = np.radians(np.asarray(clockwise_deg, dtype=np.float64))
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.stack([np.stack([cos, sin], -1), np.stack([-sin, cos], -1)], -2)
    return np.asarray(turn @ cov @ np.swapaxes(turn, -1, -2))
