"""Draws from the posterior: hypothesis, noise, tails and wrong pairs by Gibbs sampling, all else in closed form.

A pair's error is Student-t (a weight per pair, gamma distributed) and larger far from the middle, or the pair is wrong:
then its target is anywhere about the map (bivariate Cauchy). Given weights and wrong pairs, every cell of `evidence`
has its evidence in closed form, so the hypothesis is drawn with everything else integrated out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot.analysis.transforms.evidence import (
    EAST,
    NORTH,
    SHAPE_KIND,
    STIFF,
    T_DEGREES,
    Cells,
    Features,
    Prior,
    Sums,
    basis,
    cell_of_local,
    cells,
    error_variance,
    factored,
    features_of,
    sums,
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Complex = npt.NDArray[np.complex128]

TAILS = np.array([2.0, 3.0, 6.0, 20.0])
TAIL_PRIOR = np.array([0.30, 0.35, 0.25, 0.10])
WRONG_PRIOR = (1.0, 19.0)


@dataclass(frozen=True, eq=False)
class Draws:
    """Posterior draws (d) of everything that is not integrated out, with the closed form of the rest.

    Attributes
    ----------
    length : (d,)
        Index of the Gaussian process' length; -1 = none.
    height2 : (d,)
        Its variance, of sigma^2.
    shape_kind : (d,)
        0 = similarity, 1 = affine, 2 = projective.
    coefficient : (d, 8)
        Mean of beta0, beta1, gamma, tau.
    root : (d, 8, 8)
        Root of their covariance over sigma^2.
    feature_mean : (d, k, 8)
        Feature weights that the columns (`basis`, d east, d north) draw to themselves.
    feature_root : (d, k, k)
        Root of the features' own covariance over sigma^2.
    shape, rate : (d,)
        sigma^2 is inverse gamma.
    tail : (d,)
        Degrees of freedom of a pair's error.
    wrong : (n,)
        Share of the draws in which each pair is wrong.
    similarity : (d, 4)
        Shift and slope of the best shift-turn-scale of the drawn map over the source points.
    sigma2 : (d,)
        Drawn sigma^2.
    wrong_share : (d,)
        Drawn share of wrong pairs.
    """

    length: Ints
    height2: Floats
    shape_kind: Ints
    coefficient: Floats
    root: Floats
    feature_mean: Floats
    feature_root: Floats
    shape: Floats
    rate: Floats
    tail: Floats
    wrong: Floats
    similarity: Floats
    sigma2: Floats
    wrong_share: Floats
    features: Features


@dataclass(eq=False)
class _State:
    weight: Floats
    wrong: Booleans
    prior_scale: Floats
    share: Floats
    tail: Floats


@dataclass(frozen=True, eq=False)
class _Problem:
    z: Complex
    d: Complex
    gross: Floats
    phi: Floats
    columns: Floats
    variance: Floats  # of each pair's error, of sigma^2
    prior: Prior
    least_right: int
    project: Floats


def effort(n: int) -> tuple[int, int, int]:
    """Chains, sweeps thrown away, sweeps kept: fewer where the sums are long and the posterior is narrow.

    With few pairs a chain stays long with one pair or another being wrong: eight of them left the ellipses too small.
    """
    if n <= 8:
        return 32, 20, 40
    if n <= 60:
        return 8, 20, 40
    if n <= 300:
        return 6, 25, 25
    return 3, 20, 25


def draw(z: Complex, y: Complex, prior: Prior, rng: np.random.Generator) -> Draws:
    """Draw from the posterior.

    Parameters
    ----------
    z, y : (n,)
        Pairs in the frame of no unit.
    prior
        Priors in the same frame.
    rng
        Source of randomness.
    """
    features = features_of(z)
    phi = np.stack([features.at(z, k) for k in range(len(features.halves))])
    d = y - z
    problem = _Problem(
        z=z,
        d=d,
        gross=-np.log(2 * np.pi) - 1.5 * np.log1p(np.abs(y) ** 2),
        phi=phi,
        columns=np.concatenate([basis(z), np.stack([d.real, d.imag], axis=1)], axis=1),
        variance=error_variance(z, prior.growth),
        prior=prior,
        least_right=min(len(z), 3) if prior.precision is None else 0,
        project=_projection(z),
    )
    chains, burn, keep = effort(len(z))
    state = _start(problem, chains, rng)
    kept = []
    for sweep in range(burn + keep):
        part = _sweep(problem, state, rng)
        if sweep >= burn:
            kept.append(part)
    return _gathered(kept, features)


def _projection(z: Complex) -> Floats:
    """Least squares (4, 2n) from values at the points to shift and slope; nothing where points coincide."""
    one, zero = np.ones(len(z)), np.zeros(len(z))
    east = np.stack([one, zero, z.real, -z.imag], axis=1)
    north = np.stack([zero, one, z.imag, z.real], axis=1)
    return np.asarray(np.linalg.pinv(np.concatenate([east, north]), rcond=1e-9))


def _start(problem: _Problem, chains: int, rng: np.random.Generator) -> _State:
    """Half of the chains begin with nothing wrong, the others with what misses the first fit far."""
    miss = np.abs(problem.d - np.median(problem.d.real) - 1j * np.median(problem.d.imag))
    size = max(float(np.median(miss)), 1e-9)
    n = len(miss)
    wrong = np.zeros((chains, n), dtype=np.bool_)
    wrong[::2] = miss > 12 * size
    weight = np.ones((chains, n))
    weight[1::2] = 1 / (1 + (miss / (3 * size)) ** 2)
    wrong[~_enough(problem, wrong)] = False
    return _State(weight, wrong, np.full(chains, size**2), np.full(chains, 0.05), np.full(chains, 4.0))


def _sweep(problem: _Problem, state: _State, rng: np.random.Generator) -> dict[str, Floats]:
    weight = np.where(state.wrong, 0.0, state.weight / problem.variance)
    added = sums(problem.phi, problem.columns, weight)
    pairs = np.sum(~state.wrong, axis=1).astype(np.float64)
    all_cells = cells(added, pairs, problem.prior, state.prior_scale)
    chosen = _chosen(all_cells, rng)
    part = _closed_form(problem, added, all_cells, chosen)
    value, beta = _draw_map(problem, part, rng)
    _draw_rest(problem, state, part, value, beta, rng)
    moved = np.concatenate([value.real, value.imag], axis=1) @ problem.project.T
    if len(problem.z) == 1 or not np.any(np.abs(problem.z - problem.z[0]) > 1e-9):
        moved = beta[:, :4].copy()
    return part | {
        "similarity": moved,
        "wrong": state.wrong.astype(np.float64),
        "tail": state.tail.copy(),
        "wrong_share": state.share.copy(),
    }


def _chosen(all_cells: Cells, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Draw a cell for each chain by the evidence (Gumbel trick)."""
    noisy = all_cells.log_weight + rng.gumbel(size=all_cells.log_weight.shape)
    flat = noisy.reshape(len(noisy), -1).argmax(axis=1)
    j, b, s = np.unravel_index(flat, noisy.shape[1:])
    return np.asarray(j), np.asarray(b), np.asarray(s)


def _closed_form(
    problem: _Problem, added: Sums, all_cells: Cells, chosen: tuple[Ints, Ints, Ints]
) -> dict[str, Floats]:
    """Posterior of map and noise in the chosen cells."""
    j, b, s = chosen
    c = np.arange(len(j))
    length, height2 = cell_of_local(j)
    at = np.maximum(length, 0)
    share = height2[:, None] / (1 + height2[:, None] * added.roots[c, at])
    vectors = added.vectors[c, at]
    bent, lean = all_cells.bent_mean[c, j, b], all_cells.lean[c, j]
    root = np.zeros((len(j), 8, 8))
    root[:, :4, :4] = _inverse_root(all_cells.plain[c, j])
    lower, pivots = factored(all_cells.bent[c, j, b], STIFF[b])
    root[:, 4:, 4:] = np.swapaxes(np.linalg.inv(lower), -1, -2) / np.sqrt(pivots)[:, None, :]
    root[:, :4, 4:] = -lean @ root[:, 4:, 4:]
    mean = all_cells.plain_mean[c, j] - (lean @ bent[..., None])[..., 0]
    return {
        "length": length.astype(np.float64),
        "height2": height2,
        "shape_kind": SHAPE_KIND[b].astype(np.float64),
        "coefficient": np.concatenate([mean, bent], axis=1),
        "root": root,
        "feature_mean": vectors @ (share[:, :, None] * added.loads[c, at]),
        "feature_root": (vectors * np.sqrt(share)[:, None, :]) @ np.swapaxes(vectors, -1, -2),
        "shape": all_cells.shape,
        "rate": all_cells.rate[c, j, b, s],
    }


def _inverse_root(precision: Floats) -> Floats:
    """R with ``R R^T = precision^-1``, scaled first so that very different sizes do no harm."""
    size = 1 / np.sqrt(np.einsum("caa->ca", precision))
    scaled = precision * size[:, :, None] * size[:, None, :] + 1e-13 * np.eye(precision.shape[-1])
    return np.asarray(size[:, :, None] * np.swapaxes(np.linalg.inv(np.linalg.cholesky(scaled)), -1, -2))


def _draw_map(problem: _Problem, part: dict[str, Floats], rng: np.random.Generator) -> tuple[Complex, Floats]:
    """Draw sigma^2, coefficients and map: its values at the source points (c, n)."""
    c = len(part["shape"])
    part["sigma2"] = part["rate"] / rng.standard_gamma(part["shape"])
    sigma = np.sqrt(part["sigma2"])
    k = part["feature_root"].shape[-1]
    beta = part["coefficient"] + sigma[:, None] * (part["root"] @ rng.standard_normal((c, 8, 1)))[..., 0]
    phi = problem.phi[np.maximum(part["length"].astype(int), 0)]
    own = part["feature_mean"]
    noise = sigma[:, None, None] * (part["feature_root"] @ rng.standard_normal((c, k, 2)))
    at = problem.columns[:, :6]
    east, north = beta @ EAST, beta @ NORTH  # (c, 6)
    weights = own[..., 6:] - own[..., :6] @ np.stack([east, north], axis=-1) + noise
    fitted = np.stack([east @ at.T, north @ at.T], axis=-1) + phi @ weights
    return fitted[..., 0] + 1j * fitted[..., 1], beta


def _draw_rest(
    problem: _Problem,
    state: _State,
    part: dict[str, Floats],
    value: Complex,
    beta: Floats,
    rng: np.random.Generator,
) -> None:
    """Draw tails, wrong pairs, weights, and the scale of the prior."""
    sigma2 = part["sigma2"][:, None] * problem.variance
    square = np.abs(problem.d - value) ** 2 / sigma2
    each = -np.log(2 * np.pi * sigma2[..., None]) - (TAILS / 2 + 1) * np.log1p(square[..., None] / TAILS)
    right = ~state.wrong
    log_tail = np.log(TAIL_PRIOR) + np.einsum("cnt,cn->ct", each, right.astype(np.float64))
    pick = (log_tail + rng.gumbel(size=log_tail.shape)).argmax(axis=1)
    tail = TAILS[pick]
    log_right = np.log1p(-state.share)[:, None] + each[np.arange(len(pick)), :, pick]
    log_wrong = np.log(state.share)[:, None] + problem.gross
    odds = np.exp(np.clip(log_right - log_wrong, -700, 700))
    wrong = rng.random(odds.shape) < 1 / (1 + odds)
    few = ~_enough(problem, wrong)
    wrong[few] = state.wrong[few]
    tails = np.broadcast_to(tail[:, None], square.shape)
    shape = np.where(wrong, tails / 2, tails / 2 + 1)
    rate = np.where(wrong, tails / 2, (tails + square) / 2)
    state.weight, state.wrong, state.tail = rng.standard_gamma(shape) / rate, wrong, tail
    count = wrong.sum(axis=1)
    share = rng.beta(WRONG_PRIOR[0] + count, WRONG_PRIOR[1] + wrong.shape[1] - count)
    state.share = np.clip(share, 1e-6, 1 - 1e-6)
    if problem.prior.precision is not None:
        pull = np.einsum("ca,ab,cb->c", beta[:, :4], problem.prior.precision, beta[:, :4])
        gamma = rng.standard_gamma((T_DEGREES + 4) / 2, size=len(tail))
        state.prior_scale = 2 * part["sigma2"] * gamma / (T_DEGREES + pull)


def _enough(problem: _Problem, wrong: Booleans) -> Booleans:
    """Whether each chain (c,) keeps enough pairs that are right, and not all of them at one place."""
    right = (~wrong).astype(np.float64)
    count = right.sum(axis=1)
    about = (right @ problem.z) / np.maximum(count, 1)
    lever = np.sum(right * np.abs(problem.z - about[:, None]) ** 2, axis=1)
    apart = (lever > 1e-3) | (problem.prior.precision is not None)
    return np.asarray((count >= problem.least_right) & apart)


def _gathered(kept: list[dict[str, Floats]], features: Features) -> Draws:
    joined = {key: np.concatenate([part[key] for part in kept]) for key in kept[0]}
    return Draws(
        length=joined.pop("length").astype(np.int64),
        shape_kind=joined.pop("shape_kind").astype(np.int64),
        wrong=joined.pop("wrong").mean(axis=0),
        features=features,
        **joined,
    )
