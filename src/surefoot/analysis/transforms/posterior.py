"""The posterior of a transform from matched pairs, and what it predicts at any point."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot.analysis.transforms.evidence import (
    EAST,
    ERROR_GROWTH,
    NOISE_PRIOR,
    NOISES,
    NORTH,
    Prior,
    basis,
    error_variance,
    log_prior_of_cells,
)
from surefoot.analysis.transforms.frames import (
    Frame,
    Similarity,
    as_complex,
    first_fits,
    prior_in_frame,
)
from surefoot.analysis.transforms.sampler import Draws, draw
from surefoot.errors import UsageError

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
Complex = npt.NDArray[np.complex128]

LEVEL = 0.95
PAIR_LEVEL = 0.958  # of the predictive: holds 95 % of new pairs on scanned maps (decision 0031)
SHAPE_NAMES = ("similarity", "affine", "projective")
CHI2_TWO, CHI2_FOUR = 5.991464547107979, 9.487729036781154
DRAWS_PER_POINT = 1280
BLOCK = 256


@dataclass(frozen=True, eq=False)
class _Part:
    """One orientation: its frame, its weight, its draws and the fixed noise that its predictions use."""

    frame: Frame
    weight: float
    draws: Draws
    sigma2: Floats  # (d, q)
    normals: Floats  # (d, q, 2)
    errors: Floats  # (d, q, 2), Student-t of unit scale
    growth: float


@dataclass(frozen=True, eq=False)
class Transform:
    """The posterior of a transform.

    Attributes
    ----------
    hypotheses
        Posterior weight of ``similarity``, ``affine``, ``projective`` and ``local`` (any of them with a smooth bend
        besides); they sum to one.
    mirrored
        Posterior probability that the source's second coordinate runs the other way (rows of an image).
    wrong : (n,)
        Probability that each pair is wrong.
    wrong_share : (3,)
        Share of wrong pairs: median and 90 % interval.
    pair_sd : (3,)
        Scale per axis of a right pair's error in target units (as observed and not explained by the map), at the
        radius of the pairs (without a prior it grows outwards): median and 90 % interval. Errors are Student-t, so
        their own standard deviation is larger.
    """

    hypotheses: dict[str, float]
    mirrored: float
    wrong: Floats
    wrong_share: Floats
    pair_sd: Floats
    _parts: tuple[_Part, ...]

    def predict(self, points: Floats, *, pair_noise: bool = True) -> tuple[Floats, Floats]:
        """Predict targets.

        Parameters
        ----------
        points : (m, 2)
            In the source's frame and unit.
        pair_noise
            True: for the observed target of a new pair that is right, its own error included. False: for the map
            itself.

        Returns
        -------
        mean : (m, 2), covariance : (m, 2, 2)
            Target units. The covariance is that of the normal distribution whose 95 % ellipse (squared
            distance 5.991) holds 95 % of the posterior of the map, or 95.8 % of the posterior predictive of a new
            pair: on scanned maps that others had georeferenced, where one pair in 150 is wrong, this held 95 % of
            all new pairs (decision 0031). With few pairs the predictive has heavy tails, so the ellipse is wider
            than the spread near the mean suggests. More wrong pairs than that are not held: as many more new
            pairs lie outside. Where both orientations are possible the mean is the more probable one's; the
            ellipse holds both.
        """
        points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
        if not np.isfinite(points).all():
            raise UsageError("SF-A061", str(int(np.sum(~np.isfinite(points).all(axis=1)))))
        means, covs = np.empty((len(points), 2)), np.empty((len(points), 2, 2))
        for low in range(0, len(points), BLOCK):
            here = slice(low, low + BLOCK)
            means[here], covs[here] = self._block(points[here], pair_noise)
        return means, covs

    def _block(self, points: Floats, pair_noise: bool) -> tuple[Floats, Floats]:
        main = self._parts[0].frame
        centres, samples = [], []
        for part in self._parts:
            centre, sample = _samples(part, points, pair_noise)
            centres.append(_moved(centre, part.frame, main))
            samples.append(_moved(sample, part.frame, main))
        mean = centres[int(np.argmax([part.weight for part in self._parts]))]
        share = np.concatenate(
            [np.full(s.shape[1], p.weight / s.shape[1]) for p, s in zip(self._parts, samples, strict=True)]
        )
        level = PAIR_LEVEL if pair_noise else LEVEL
        cov = ellipse_covariance(np.concatenate(samples, axis=1) - mean[:, None], share, level, CHI2_TWO)
        return main.back(mean[:, 0] + 1j * mean[:, 1]), main.turned(cov)

    def similarity(self, pivot: Floats | None = None) -> Similarity:
        """Shift, turn and scale about a pivot (of the best shift-turn-scale of the map over the source points).

        Parameters
        ----------
        pivot : (2,)
            In the source's frame; default: the middle of the source points.

        Returns
        -------
        Similarity
            Posterior means; `cov` (4, 4) is scaled so that its 95 % ellipsoid (9.488) holds 95 % of the
            posterior. Where both orientations are possible, this is the more probable one.
        """
        part = max(self._parts, key=lambda p: p.weight)
        frame = part.frame
        if pivot is None:
            middle = frame.centre.conjugate() if frame.mirrored else frame.centre
            pivot = np.array([middle.real, middle.imag])
        pivot = np.asarray(pivot, dtype=np.float64)
        where = (as_complex(pivot[None, :], frame.mirrored)[0] - frame.centre) / frame.radius
        theta = part.draws.similarity
        bend = theta[:, 2] + 1j * theta[:, 3]
        moved = frame.origin + frame.step * (where + theta[:, 0] + 1j * theta[:, 1] + bend * where)
        shift = moved - complex(pivot[0], pivot[1])
        ratio = frame.step / frame.radius * (1 + bend)
        turn0 = np.angle(np.mean(ratio / np.abs(ratio)))
        turn = np.degrees(np.angle(ratio * np.exp(-1j * turn0)))
        values = np.stack([shift.real, shift.imag, -np.degrees(turn0) - turn, np.abs(ratio)], axis=1)
        mean = values.mean(axis=0)
        cov = ellipse_covariance((values - mean)[None], np.full(len(values), 1 / len(values)), LEVEL, CHI2_FOUR)[0]
        return Similarity(
            pivot=pivot,
            shift_east_m=float(mean[0]),
            shift_north_m=float(mean[1]),
            turn_deg=float(mean[2]),
            scale=float(mean[3]),
            cov=cov,
            mirrored=frame.mirrored,
            pair_sd_m=float(self.pair_sd[0]),
        )


def fit_transform(
    source: Floats,
    target: Floats,
    *,
    prior: Similarity | None = None,
    mirrored: bool | None = None,
    rng: np.random.Generator,
) -> Transform:
    """Fit a transform to point pairs that are already matched; some of them may be wrong.

    Parameters
    ----------
    source : (n, 2)
        East and north, or pixels (column, row); any unit.
    target : (n, 2)
        East and north in metres (any unit will do; results are in it).
    prior
        What is known beforehand: values, covariance, and `pair_sd_m` if known. Needed for one pair and for pairs
        that all coincide; believed with the tails of a Student-t of 4 degrees of freedom.
    mirrored
        Whether the source's second coordinate runs the other way (rows of an image); a prior states it itself.
        None = judged from the pairs: say it where it is known, three pairs near one line can mislead.
    rng
        Source of randomness; the same seed gives the same result.

    Returns
    -------
    Transform
        Hypotheses, pairs that look wrong, and `predict`.

    Notes
    -----
    Without a prior no unit, origin, direction or scale is preferred in either frame, but for `mirrored`: two
    frames of one scale are hardly mirrored, coordinates from 0 upwards in another unit are taken for an image
    unless the pairs speak against it. Two pairs cannot tell and are taken as not mirrored. Where the pairs leave
    both orientations possible, both stay, with their weights.
    """
    source, target = _checked(source), _checked(target)
    if len(source) != len(target) or len(source) == 0:
        raise UsageError("SF-A062", f"{len(source)}, {len(target)}")
    parts = tuple(
        _part(frame, weight, source, target, prior, rng)
        for frame, weight in first_fits(source, target, prior, mirrored)
    )
    return _summed(parts)


def _checked(points: Floats) -> Floats:
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2:
        raise UsageError("SF-A062", str(points.shape))
    if not np.isfinite(points).all():
        raise UsageError("SF-A061", str(int(np.sum(~np.isfinite(points).all(axis=1)))))
    return points


def _part(
    frame: Frame, weight: float, source: Floats, target: Floats, prior: Similarity | None, rng: np.random.Generator
) -> _Part:
    precision = None if prior is None else np.asarray(np.linalg.inv(prior_in_frame(prior, frame)), dtype=np.float64)
    noises, noise_prior = NOISES, NOISE_PRIOR
    if prior is not None and prior.pair_sd_m is not None:
        noises, noise_prior = np.array([max(prior.pair_sd_m / abs(frame.step), 1e-12)]), np.ones(1)
    growth = ERROR_GROWTH if prior is None else 0.0  # a prior's reach may be the frame's radius
    beliefs = Prior(precision, noises, log_prior_of_cells(noise_prior, len(source)), growth)
    draws = draw(frame.source(source), frame.target(target), beliefs, rng)
    d = len(draws.shape)
    q = max(DRAWS_PER_POINT // d, 1)
    tail = draws.tail[:, None]
    return _Part(
        frame,
        weight,
        draws,
        sigma2=draws.rate[:, None] / rng.standard_gamma(draws.shape[:, None], size=(d, q)),
        normals=rng.standard_normal((d, q, 2)),
        errors=rng.standard_normal((d, q, 2))
        / np.sqrt(rng.standard_gamma(tail / 2, size=(d, q)) / (tail / 2))[..., None],
        growth=growth,
    )


def _summed(parts: tuple[_Part, ...]) -> Transform:
    weight = np.array([p.weight for p in parts])
    share = np.concatenate([np.full(len(p.draws.length), p.weight / len(p.draws.length)) for p in parts])
    local = np.concatenate([p.draws.length >= 0 for p in parts])
    kind = np.concatenate([p.draws.shape_kind for p in parts])
    hypotheses = {name: float(share[~local & (kind == k)].sum()) for k, name in enumerate(SHAPE_NAMES)}
    hypotheses["local"] = float(share[local].sum())
    best = parts[int(weight.argmax())]
    at = [0.5, 0.05, 0.95]
    return Transform(
        hypotheses=hypotheses,
        mirrored=float(sum(p.weight for p in parts if p.frame.mirrored)),
        wrong=np.sum([p.weight * p.draws.wrong for p in parts], axis=0),
        wrong_share=np.quantile(best.draws.wrong_share, at),
        pair_sd=np.quantile(np.sqrt(best.draws.sigma2), at) * abs(best.frame.step),
        _parts=parts,
    )


def _samples(part: _Part, points: Floats, pair_noise: bool) -> tuple[Floats, Floats]:
    """Mean (m, 2) and predictive draws (m, s, 2) in the part's frame of no unit."""
    z, draws = part.frame.source(points), part.draws
    q = part.sigma2.shape[1]
    out = np.empty((len(z), len(draws.shape), q, 2))
    centre = np.zeros((len(z), 2))
    error_sd = np.sqrt(error_variance(z, part.growth))
    for length, some in _by_length(draws):
        mean, cov = _closed(draws, z, length, some)
        centre += mean.sum(axis=1)
        root = _root(cov)
        scale = np.sqrt(part.sigma2[some])
        spread = np.einsum("mdab,dqb->mdqa", root, part.normals[some])
        if pair_noise:
            spread = spread + error_sd[:, None, None, None] * part.errors[some]
        out[:, some] = mean[:, :, None] + scale[..., None] * spread
    return centre / len(draws.shape), out.reshape(len(z), -1, 2)


def _by_length(draws: Draws) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    for length in np.unique(draws.length):
        yield int(length), np.flatnonzero(draws.length == length)


def _closed(draws: Draws, z: Complex, length: int, some: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Mean (m, d, 2) and covariance over sigma^2 (m, d, 2, 2) of the map at z under some draws."""
    rows = np.broadcast_to(basis(z)[:, None], (len(z), len(some), 6))
    extra = np.zeros((len(z), len(some)))
    mean = np.stack([z.real, z.imag], axis=1)[:, None] + np.zeros((1, len(some), 2))
    if length >= 0:
        phi = draws.features.at(z, length)
        own = np.einsum("mk,dkc->mdc", phi, draws.feature_mean[some], optimize=True)
        rows, mean = rows - own[..., :6], mean + own[..., 6:]
        known = np.einsum("mk,dkj->mdj", phi, draws.feature_root[some], optimize=True)
        unseen = np.maximum(1 - np.sum(phi**2, axis=1), 0.0)
        extra = np.sum(known**2, axis=-1) + draws.height2[some] * unseen[:, None]
    design = np.stack([rows @ EAST.T, rows @ NORTH.T], axis=2)  # (m, d, 2, 8)
    mean = mean + np.einsum("mdap,dp->mda", design, draws.coefficient[some])
    half = np.einsum("mdap,dpr->mdar", design, draws.root[some])
    return mean, half @ np.swapaxes(half, -1, -2) + extra[..., None, None] * np.eye(2)


def _root(cov: Floats) -> Floats:
    """Lower root of (..., 2, 2)."""
    a = np.sqrt(np.maximum(cov[..., 0, 0], 1e-300))
    b = cov[..., 0, 1] / a
    c = np.sqrt(np.maximum(cov[..., 1, 1] - b**2, 0.0))
    zero = np.zeros_like(a)
    return np.stack([np.stack([a, zero], axis=-1), np.stack([b, c], axis=-1)], axis=-2)


def _moved(points: Floats, frame: Frame, main: Frame) -> Floats:
    """From one part's frame to another's, through the target."""
    if frame is main:
        return points
    values = (frame.origin + frame.step * (points[..., 0] + 1j * points[..., 1]) - main.origin) / main.step
    return np.stack([values.real, values.imag], axis=-1)


def ellipse_covariance(deviation: Floats, share: Floats, level: float, at: float) -> Floats:
    """Covariance whose ellipse at a squared distance holds a share of a distribution given by draws.

    Parameters
    ----------
    deviation : (m, s, p)
        Draws less the centre.
    share : (s,)
        Their weights; sum to 1.
    level
        Share of the distribution that the ellipse holds.
    at
        Squared distance of the normal distribution's 95 % (5.991 for p = 2).
    """
    p = deviation.shape[-1]
    size = np.median(np.abs(deviation), axis=1)
    unit = deviation / np.maximum(size, 1e-300)[:, None]
    weight = share / (1 + np.sum(unit**2, axis=-1) / (3 * p))
    cov = np.einsum("ms,msa,msb->mab", weight, unit, unit, optimize=True)
    cov = cov + 1e-12 * np.trace(cov, axis1=1, axis2=2)[:, None, None] * np.eye(p) + 1e-300 * np.eye(p)
    inner = np.linalg.solve(cov, np.swapaxes(unit, 1, 2))
    distance = np.sum(np.swapaxes(unit, 1, 2) * inner, axis=1)
    order = np.argsort(distance, axis=1)
    total = np.cumsum(share[order], axis=1)
    k = np.minimum((total < level).sum(axis=1), distance.shape[1] - 1)
    reach = np.take_along_axis(np.take_along_axis(distance, order, axis=1), k[:, None], axis=1)[:, 0]
    both = size[:, :, None] * size[:, None, :]
    return np.asarray(cov * both * (reach / at)[:, None, None])
