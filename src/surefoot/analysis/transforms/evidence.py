"""Hypotheses about the transform as cells of a grid, each with its evidence in closed form.

In the frame of no unit the residual of a pair from the first fit is::

    d = beta0 + beta1 z + gamma conj(z) + z Re(conj(tau) z) + f(z) + e

beta: shift, turn, scale; gamma: what an affine map has beyond them (stretch and skew); tau: what a projective
map has beyond that, to first order (a tilted photograph); f: a Gaussian process (Matern 5/2, the same for east
and north); e: the pair's error, variance ``sigma^2 / weight`` times `error_variance`. With the sizes of gamma, tau and
f stated as multiples of sigma, everything but the cell is normal-inverse-gamma and integrates out (O'Hagan and Forster
2004, Kendall's Advanced Theory of Statistics 2B, chapter 11).

The shares of the hypotheses, `HEIGHT_PRIOR`, `ERROR_GROWTH` and the sampler's tails were learnt from control points
that people had set on 438 scanned maps (decision 0030).
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
HEIGHT_PRIOR = np.array([0.15, 0.38, 0.26, 0.12, 0.05, 0.04])
SIZES = np.array([3.0, 30.0, 300.0, 3000.0, 30000.0])  # of gamma and tau, of sigma
SIZE_PRIOR = np.array([0.30, 0.30, 0.20, 0.12, 0.08])
NONE = 1e-7  # size of what a shape does not have
SHAPES = np.array([[NONE, NONE], *[[s, NONE] for s in SIZES], *[[s, s] for s in SIZES]])  # sizes of gamma, tau
STIFF = np.repeat(1 / SHAPES**2, 2, axis=1)  # prior precision of gamma and tau
SHAPE_KIND = np.array([0] + [1] * len(SIZES) + [2] * len(SIZES))  # similarity, affine, projective
NOISES = 10.0 ** np.arange(-6.0, 0.0)  # sigma of a pair, of the source's radius
NOISE_PRIOR = np.array([0.03, 0.05, 0.12, 0.35, 0.35, 0.10])
NOISE_SHAPE = 0.5
P_AFFINE, P_PROJECTIVE, P_LOCAL = 0.2, 0.05, 0.6
AFFINE_FROM, PROJECTIVE_FROM, LOCAL_FROM = 4, 5, 5  # pairs: one more than the shape fits exactly (a bend: two)
ERROR_GROWTH = 0.3  # of a pair's error variance with the square of the distance from the middle
T_DEGREES = 4.0  # of the prior of shift, turn and scale (methods.md section 2)
MOST_FEATURES = 150

# Rows: beta0 east, north; beta1 real, imaginary; gamma real, imaginary; tau real, imaginary. Columns: `basis`.
EAST = np.array(
    [
        [1, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 0, -1, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0],
        [0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 1, 0],
    ],
    dtype=np.float64,
)
NORTH = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 0, -1, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 1],
    ],
    dtype=np.float64,
)


def basis(z: Complex) -> Floats:
    """1, east, north, east^2, east north, north^2 (n, 6) of positions (n,)."""
    e, n = z.real, z.imag
    return np.stack([np.ones(len(z)), e, n, e * e, e * n, n * n], axis=1)


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
    gram : (c, j, 8, 8)
        Generalised least-squares products of the columns: `basis`, d east, d north.
    log_det : (c, j)
        Log determinant of the errors' covariance, one axis, without the pairs' weights.
    roots : (c, l, k)
        Eigenvalues of the weighted features, per length.
    vectors : (c, l, k, k)
        Their eigenvectors.
    loads : (c, l, k, 8)
        Weighted features times the columns, in the eigenvectors' frame.
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
    columns : (n, 8)
        `basis`, d east, d north.
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
        gram=np.concatenate([plain[:, None], plain[:, None] - taken.reshape(c, -1, 8, 8)], axis=1),
        log_det=np.concatenate([np.zeros((c, 1)), log_det.reshape(c, -1)], axis=1),
        roots=roots,
        vectors=vectors,
        loads=loads,
    )


@dataclass(frozen=True, eq=False)
class Cells:
    """Posterior of every cell, per chain (c); local (j), shape (b) and noise (s) cells; bent = (gamma, tau).

    Attributes
    ----------
    log_weight : (c, j, b, s)
        Log of prior times evidence.
    plain : (c, j, 4, 4)
        Precision of beta, over sigma^2, gamma and tau left out.
    plain_mean : (c, j, 4)
        Mean of beta where gamma and tau are zero.
    lean : (c, j, 4, 4)
        What beta loses per unit of (gamma, tau).
    bent : (c, j, b, 4, 4)
        Precision of (gamma, tau), beta integrated out.
    bent_mean : (c, j, b, 4)
        Their mean.
    shape : (c,), rate : (c, j, b, s)
        sigma^2 is inverse gamma.
    """

    log_weight: Floats
    plain: Floats
    plain_mean: Floats
    lean: Floats
    bent: Floats
    bent_mean: Floats
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
    growth
        Growth of a pair's error variance with the square of the distance from the middle (`error_variance`).
    """

    precision: Floats | None
    noises: Floats
    log_cells: Floats
    growth: float


def error_variance(z: Complex, growth: float) -> Floats:
    """Variance (n,) of a pair's error at positions (n,), of sigma^2: 1 at the radius of the pairs."""
    return np.asarray((1 + growth * np.abs(z) ** 2) / (1 + growth))


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
    normal = EAST @ gram[..., :6, :6] @ EAST.T + NORTH @ gram[..., :6, :6] @ NORTH.T
    right = EAST @ gram[..., :6, 6:7] + NORTH @ gram[..., :6, 7:8]
    plain = normal[..., :4, :4]
    shape, rate = NOISE_SHAPE + pairs - 2, NOISE_SHAPE * prior.noises**2 + np.zeros((len(pairs), 1, 1, 1))
    if prior.precision is not None:
        plain = plain + scale[:, None, None, None] * prior.precision
        shape, rate = shape + T_DEGREES / 2 + 2, rate + (T_DEGREES / 2 * scale)[:, None, None, None]
    solved = np.linalg.solve(plain, np.concatenate([normal[..., :4, 4:], right[..., :4, :]], axis=-1))
    lean, mean = solved[..., :4], solved[..., 4]
    left = normal[..., 4:, 4:] - normal[..., 4:, :4] @ lean
    pull = right[..., 4:, 0] - np.sum(lean * right[..., :4, :], axis=-2)
    bent = left[:, :, None] + STIFF[:, :, None] * np.eye(4)
    bent_mean, log_det = solve_small(bent, pull[:, :, None], STIFF)
    square = gram[..., 6, 6] + gram[..., 7, 7] - np.sum(right[..., :4, 0] * mean, axis=-1)
    half = 0.5 * np.maximum(square[:, :, None] - np.sum(pull[:, :, None] * bent_mean, axis=-1), 0.0)
    fit = -(added.log_det + 0.5 * np.linalg.slogdet(plain)[1])[:, :, None] - 0.5 * log_det
    fit = fit + 0.5 * np.log(STIFF).sum(axis=-1)
    own = NOISE_SHAPE * np.log(NOISE_SHAPE * prior.noises**2)
    rate = rate + half[..., None]
    log_weight = fit[..., None] + own - shape[:, None, None, None] * np.log(rate) + prior.log_cells
    return Cells(log_weight, plain, mean, lean, bent, bent_mean, shape, rate)


def factored(matrix: Floats, least: Floats) -> tuple[Floats, Floats]:
    """``L D L^T`` of many small symmetric positive definite matrices.

    Parameters
    ----------
    matrix : (..., p, p)
        What the pairs say plus a diagonal of priors.
    least : (..., p)
        That diagonal. No pivot is smaller, but rounding can make it so where the pairs say nothing.

    Returns
    -------
    lower : (..., p, p), pivots : (..., p)
        ``L`` with a diagonal of ones, ``D``.
    """
    p = matrix.shape[-1]
    lower = np.zeros(matrix.shape) + np.eye(p)
    pivots = np.empty(matrix.shape[:-1])
    for i in range(p):
        for j in range(i):
            taken = np.sum(lower[..., i, :j] * lower[..., j, :j] * pivots[..., :j], axis=-1)
            lower[..., i, j] = (matrix[..., i, j] - taken) / pivots[..., j]
        pivot = matrix[..., i, i] - np.sum(lower[..., i, :i] ** 2 * pivots[..., :i], axis=-1)
        pivots[..., i] = np.maximum(pivot, least[..., i])
    return lower, pivots


def solve_small(matrix: Floats, right: Floats, least: Floats) -> tuple[Floats, Floats]:
    """Solution (..., p) and log determinant of the systems of `factored`."""
    lower, pivots = factored(matrix, least)
    p = matrix.shape[-1]
    found = np.zeros(pivots.shape) + right
    for i in range(1, p):
        found[..., i] -= np.sum(lower[..., i, :i] * found[..., :i], axis=-1)
    found /= pivots
    for i in reversed(range(p - 1)):
        found[..., i] -= np.sum(lower[..., i + 1 :, i] * found[..., i + 1 :], axis=-1)
    return found, np.log(pivots).sum(axis=-1)


def log_prior_of_cells(noise_prior: Floats, pairs: int) -> Floats:
    """Log prior (j, b, s) of local, shape and noise cells; hypotheses with too few pairs for them have none."""
    p_bent = np.array([P_AFFINE * (pairs >= AFFINE_FROM), P_PROJECTIVE * (pairs >= PROJECTIVE_FROM)])
    p_local = P_LOCAL * (pairs >= LOCAL_FROM)
    heights = np.tile(HEIGHT_PRIOR, len(LENGTHS)) * p_local / len(LENGTHS)
    shape = np.concatenate([[1 - p_bent.sum()], np.outer(p_bent, SIZE_PRIOR).ravel()])
    weight = np.concatenate([[1 - p_local], heights])[:, None, None] * shape[:, None] * noise_prior
    return np.asarray(np.where(weight > 0, np.log(np.maximum(weight, 1e-300)), -np.inf))
