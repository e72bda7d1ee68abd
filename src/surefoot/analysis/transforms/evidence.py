"""Hypotheses about the transform as cells of a grid, each with its evidence in closed form.

In the frame of no unit the residual of a pair from the first fit is::

    d = beta0 + beta1 z + gamma conj(z) + f(z) + e

beta: shift, turn, scale; gamma: what an affine map has beyond them (stretch and skew); f: a Gaussian process
(Matern 5/2, the same for east and north); e: the pair's error, variance ``sigma^2 / weight``. With the sizes of
gamma and f stated as multiples of sigma, everything but the cell is normal-inverse-gamma and integrates out
(O'Hagan and Forster 2004, Kendall's Advanced Theory of Statistics 2B, chapter 11).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Complex = npt.NDArray[np.complex128]

LENGTHS = np.array([0.25, 0.6, 1.5, 4.0])  # of the source's radius
HEIGHTS = np.array([1.0, 3.0, 10.0, 30.0, 100.0, 1000.0])  # of sigma
HEIGHT_PRIOR = np.array([0.25, 0.30, 0.20, 0.12, 0.08, 0.05])
BENDS = np.array([0.0, 3.0, 30.0, 300.0, 3000.0, 30000.0])  # size of gamma, of sigma; 0 = none
BEND_PRIOR = np.array([0.0, 0.30, 0.30, 0.20, 0.12, 0.08])
NOISES = 10.0 ** np.arange(-6.0, 0.0)  # sigma of a pair, of the source's radius
NOISE_PRIOR = np.array([0.03, 0.05, 0.12, 0.35, 0.35, 0.10])
NOISE_SHAPE = 0.5
P_AFFINE, P_LOCAL = 0.3, 0.3
T_DEGREES = 4.0  # of the prior of shift, turn and scale (methods.md section 2)
NONE_BEND = 1e-7
MOST_FEATURES = 150

# Rows: beta0 east, beta0 north, beta1 real, imaginary, gamma real, imaginary; columns: 1, z east, z north.
EAST = np.array([[1, 0, 0], [0, 0, 0], [0, 1, 0], [0, 0, -1], [0, 1, 0], [0, 0, 1]], dtype=np.float64)
NORTH = np.array([[0, 0, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 0, -1], [0, 1, 0]], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Features:
    """Gaussian processes as weighted features (Nystroem), one set per length: ``k(x, u) = phi(x) phi(u)^T``."""

    places: Complex
    halves: Floats

    def at(self, z: Complex, length: int) -> Floats:
        """Features (m, k) of positions (m,)."""
        return np.asarray(matern(np.abs(z[:, None] - self.places), LENGTHS[length]) @ self.halves[length])


def matern(distance: Floats, length: float) -> Floats:
    """Matern 5/2 correlation."""
    r = np.sqrt(5.0) * distance / length
    return np.asarray((1 + r + r * r / 3) * np.exp(-r))


def features_of(z: Complex) -> Features:
    """Features at up to `MOST_FEATURES` of the pairs, spread out evenly (farthest first)."""
    chosen = [int(np.argmin(np.abs(z)))]
    gap = np.abs(z - z[chosen[0]])
    while len(chosen) < min(MOST_FEATURES, len(z)):
        far = int(np.argmax(gap))
        if gap[far] < 1e-6:
            break
        chosen.append(far)
        gap = np.minimum(gap, np.abs(z - z[far]))
    places = z[chosen]
    distance = np.abs(places[:, None] - places)
    halves = []
    for length in LENGTHS:
        value, vector = np.linalg.eigh(matern(distance, length))
        # The symmetric root does not hang on the eigenvectors' signs, which a turned frame may change.
        halves.append((vector / np.sqrt(np.maximum(value, 0.0) + 1e-8)) @ vector.T)
    return Features(places, np.asarray(halves))


@dataclass(frozen=True, eq=False)
class Sums:
    """What the weighted pairs say, per chain (c) and local cell (j; 0 = none).

    Attributes
    ----------
    gram : (c, j, 5, 5)
        Generalised least-squares products of the columns 1, z east, z north, d east, d north.
    log_det : (c, j)
        Log determinant of the errors' covariance, one axis, without the pairs' weights.
    roots : (c, l, k)
        Eigenvalues of the weighted features, per length.
    vectors : (c, l, k, k)
        Their eigenvectors.
    loads : (c, l, k, 5)
        Weighted features times the five columns, in the eigenvectors' frame.
    """

    gram: Floats
    log_det: Floats
    roots: Floats
    vectors: Floats
    loads: Floats


def cell_of_local(j: Ints) -> tuple[Ints, Floats]:
    """Length index (-1 = none) and squared height of local cells."""
    k = np.maximum(j - 1, 0)
    height = HEIGHTS[k % len(HEIGHTS)] ** 2
    return np.where(j == 0, -1, k // len(HEIGHTS)), np.where(j == 0, 0.0, height)


def sums(phi: Floats, columns: Floats, weight: Floats) -> Sums:
    """Add up the pairs.

    Parameters
    ----------
    phi : (l, n, k)
        Features of the pairs per length.
    columns : (n, 5)
        1, z east, z north, d east, d north.
    weight : (c, n)
        Of each pair, 0 = wrong pair, per chain.
    """
    plain = np.einsum("na,cn,nb->cab", columns, weight, columns, optimize=True)
    half = np.sqrt(weight)[:, None, :, None] * phi
    roots, vectors = np.linalg.eigh(np.swapaxes(half, -1, -2) @ half)
    roots = np.maximum(roots, 0.0)
    crossed = np.swapaxes(half, -1, -2) @ (np.sqrt(weight)[:, None, :, None] * columns)
    loads = np.swapaxes(vectors, -1, -2) @ crossed
    square = HEIGHTS[:, None] ** 2
    shrink = square / (1 + square * roots[:, :, None, :])  # (c, l, h, k)
    taken = np.einsum("clka,clhk,clkb->clhab", loads, shrink, loads, optimize=True)
    log_det = np.log1p(square * roots[:, :, None, :]).sum(axis=-1)
    c = len(weight)
    return Sums(
        gram=np.concatenate([plain[:, None], plain[:, None] - taken.reshape(c, -1, 5, 5)], axis=1),
        log_det=np.concatenate([np.zeros((c, 1)), log_det.reshape(c, -1)], axis=1),
        roots=roots,
        vectors=vectors,
        loads=loads,
    )


@dataclass(frozen=True, eq=False)
class Cells:
    """Posterior of every cell, per chain (c); local (j), bend (b) and noise (s) cells.

    Attributes
    ----------
    log_weight : (c, j, b, s)
        Log of prior times evidence.
    plain : (c, j, 4, 4)
        Precision of beta, over sigma^2, gamma left out.
    plain_mean : (c, j, 4)
        Mean of beta where gamma is zero.
    lean : (c, j, 4, 2)
        What beta loses per unit of gamma.
    bent : (c, j, b, 2, 2)
        Precision of gamma, beta integrated out.
    gamma : (c, j, b, 2)
        Mean of gamma.
    shape : (c,), rate : (c, j, b, s)
        sigma^2 is inverse gamma.
    """

    log_weight: Floats
    plain: Floats
    plain_mean: Floats
    lean: Floats
    bent: Floats
    gamma: Floats
    shape: Floats
    rate: Floats


@dataclass(frozen=True, eq=False)
class Prior:
    """Priors in the frame of no unit.

    Attributes
    ----------
    precision : (4, 4)
        Of shift and slope; None = flat (then at least two pairs are needed).
    noises : (s,)
        Noise cells.
    log_cells : (j, b, s)
        Log prior of the cells.
    """

    precision: Floats | None
    noises: Floats
    log_cells: Floats


def cells(added: Sums, pairs: Floats, prior: Prior, scale: Floats) -> Cells:
    """Weigh every cell by its evidence.

    Parameters
    ----------
    added
        The pairs' sums.
    pairs : (c,)
        Number of pairs that are not wrong.
    prior
        Priors.
    scale : (c,)
        sigma^2 times the gamma weight of the Student-t prior; not used when the prior is flat.
    """
    gram = added.gram
    normal = EAST @ gram[..., :3, :3] @ EAST.T + NORTH @ gram[..., :3, :3] @ NORTH.T
    right = EAST @ gram[..., :3, 3:4] + NORTH @ gram[..., :3, 4:5]
    plain = normal[..., :4, :4]
    shape, rate = NOISE_SHAPE + pairs - 2, NOISE_SHAPE * prior.noises**2 + np.zeros((len(pairs), 1, 1, 1))
    if prior.precision is not None:
        plain = plain + scale[:, None, None, None] * prior.precision
        shape, rate = shape + T_DEGREES / 2 + 2, rate + (T_DEGREES / 2 * scale)[:, None, None, None]
    solved = np.linalg.solve(plain, np.concatenate([normal[..., :4, 4:], right[..., :4, :]], axis=-1))
    lean, mean = solved[..., :2], solved[..., 2]
    left = normal[..., 4:, 4:] - normal[..., 4:, :4] @ lean
    pull = right[..., 4:, 0] - np.sum(lean * right[..., :4, :], axis=-2)
    stiff = 1 / np.where(BENDS == 0, NONE_BEND, BENDS) ** 2
    bent = left[:, :, None] + stiff[:, None, None] * np.eye(2)
    gamma, log_det = _two_by_two(bent, pull[:, :, None])
    square = gram[..., 3, 3] + gram[..., 4, 4] - np.sum(right[..., :4, 0] * mean, axis=-1)
    half = 0.5 * np.maximum(square[:, :, None] - np.sum(pull[:, :, None] * gamma, axis=-1), 0.0)
    fit = -(added.log_det + 0.5 * np.linalg.slogdet(plain)[1])[:, :, None] - 0.5 * log_det + np.log(stiff)
    own = NOISE_SHAPE * np.log(NOISE_SHAPE * prior.noises**2)
    rate = rate + half[..., None]
    log_weight = fit[..., None] + own - shape[:, None, None, None] * np.log(rate) + prior.log_cells
    return Cells(log_weight, plain, mean, lean, bent, gamma, shape, rate)


def _two_by_two(matrix: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Solution (..., 2) and log determinant of symmetric positive definite 2 x 2 systems."""
    a, b, c = matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 1, 1]
    det = np.maximum(a * c - b * b, 1e-12 * a * c)
    x, y = right[..., 0], right[..., 1]
    return np.stack([(c * x - b * y) / det, (a * y - b * x) / det], axis=-1), np.log(det)


def log_prior_of_cells(noise_prior: Floats, affine: bool = True, local: bool = True) -> Floats:
    """Log prior (j, b, s) of local, bend and noise cells; hypotheses that are not to be weighed have none."""
    p_affine, p_local = P_AFFINE * affine, P_LOCAL * local
    heights = np.tile(HEIGHT_PRIOR, len(LENGTHS)) * p_local / len(LENGTHS)
    bend = np.where(BENDS == 0, 1 - p_affine, p_affine * BEND_PRIOR)
    weight = np.concatenate([[1 - p_local], heights])[:, None, None] * bend[:, None] * noise_prior
    return np.asarray(np.where(weight > 0, np.log(np.maximum(weight, 1e-300)), -np.inf))
