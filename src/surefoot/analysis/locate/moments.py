"""Exact first and second moments of a chain of legs whose bearings and distances are uncertain.

A leg is a complex vector z (east + i north, metres). Its error is a turn theta (normal, clockwise positive) and a
lognormal scale s with mean 1; legs measured with one instrument share a part of both. With V the covariance of
the turns and U that of the log scales, the moments of s exp(-i theta) z are closed (characteristic function of
a normal); nothing is linearised. Method: design note methods.md section 1, checked by 200,000 draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class LegErrors:
    """Covariances of the legs' turns (rad^2) and of their log scales, both (L, L)."""

    turn: Floats
    log_scale: Floats

    def scaled(self, factor: float) -> LegErrors:
        """Multiply every sigma by `factor` (a traverse that misses its closing point)."""
        return LegErrors(self.turn * factor**2, self.log_scale * factor**2)


def shared_errors(
    common_turn: Floats, own_turn: Floats, common_scale: Floats, own_scale: Floats,
    instruments: npt.NDArray[np.int64], methods: npt.NDArray[np.int64],
) -> LegErrors:  # fmt: skip
    """Build the covariances from sigmas, (L,) each; legs of one instrument or method share the common part."""
    same_instrument = instruments[:, None] == instruments[None, :]
    same_method = methods[:, None] == methods[None, :]
    turn = np.where(same_instrument, np.outer(common_turn, common_turn), 0.0) + np.diag(own_turn**2)
    relative = np.where(same_method, np.outer(common_scale, common_scale), 0.0) + np.diag(own_scale**2)
    return LegErrors(turn, np.log1p(relative))


def mean_vectors(legs: Complexes, errors: LegErrors) -> Complexes:
    """Expected leg vectors: the turn shrinks them by exp(-V/2)."""
    return np.asarray(legs * np.exp(-np.diag(errors.turn) / 2.0))


def covariance(legs: Complexes, errors: LegErrors) -> Floats:
    """Covariance (2L, 2L) of the leg vectors, order east_1, north_1, east_2, north_2 ..., square metres."""
    count = len(legs)
    variance = np.diag(errors.turn)
    summed = variance[:, None] + variance[None, :]
    scale = np.exp(errors.log_scale)
    mean = mean_vectors(legs, errors)
    opposite = scale * np.exp(-(summed - 2.0 * errors.turn) / 2.0) * np.outer(legs, legs.conj())
    parallel = scale * np.exp(-(summed + 2.0 * errors.turn) / 2.0) * np.outer(legs, legs)
    hermitian = opposite - np.outer(mean, mean.conj())  # E[z w*] - E z E w*
    pseudo = parallel - np.outer(mean, mean)  # E[z w] - E z E w
    result = np.empty((2 * count, 2 * count))
    result[0::2, 0::2] = (hermitian.real + pseudo.real) / 2.0
    result[1::2, 1::2] = (hermitian.real - pseudo.real) / 2.0
    result[0::2, 1::2] = (pseudo.imag - hermitian.imag) / 2.0
    result[1::2, 0::2] = (pseudo.imag + hermitian.imag) / 2.0
    return result


def draw(legs: Complexes, errors: LegErrors, size: int, rng: np.random.Generator) -> Complexes:
    """Draw `size` times the leg vectors, (size, L): the same model by sampling."""
    zero = np.zeros(len(legs))
    turns = rng.multivariate_normal(zero, errors.turn, size=size, method="eigh")
    logs = rng.multivariate_normal(-np.diag(errors.log_scale) / 2.0, errors.log_scale, size=size, method="eigh")
    return np.asarray(legs[None, :] * np.exp(logs - 1j * turns))
