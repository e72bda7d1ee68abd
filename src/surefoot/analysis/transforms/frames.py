"""Frames: a shift, turn and scale about a pivot, a first fit that wrong pairs cannot pull, and the unit frame.

All sums of this room run in a frame of no unit: positions are complex numbers (east + i north), the source is
centred and divided by its own radius, the target is brought there by a first shift-turn-scale. The results are
therefore the same in whatever units, turned or moved, the two frames come.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from surefoot.errors import UsageError

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]

MAX_CANDIDATES = 2000
MAX_SCORED = 400
ROUGH_ERROR = 0.02  # of the target's radius: the width of the first fit's Cauchy score
SAME_SCALE = 0.05  # two frames in the same unit: then a mirror image is hardly to be expected
MIRROR_PRIOR_SAME_UNIT = 0.01
LEAST_ORIENTATION = 0.001  # a lighter one is left out
MIRROR_PRIOR_IMAGE = 0.9  # rows of an image are counted downwards from 0; a local grid's run upwards
MIRROR_PRIOR_OTHER = 0.01
SMALLEST_SD = 1e-7  # a prior sd of zero still has to be inverted


def _no_covariance() -> Floats:
    return np.zeros((4, 4))


@dataclass(frozen=True, eq=False)
class Similarity:
    """A shift, turn and scale about a pivot, and how sure it is.

    Attributes
    ----------
    pivot : (2,)
        East and north in the source's frame, in its unit.
    shift_east_m, shift_north_m
        Target of the pivot minus the pivot. Metres where both frames are metres of one CRS.
    turn_deg
        Clockwise positive, degrees.
    scale
        Target units per source unit; 1 = unchanged.
    cov : (4, 4)
        In the order and units (m, m, deg, 1).
    mirrored
        The source's second coordinate runs the other way (rows of an image); it is flipped about the pivot
        before turning.
    pair_sd_m
        Standard deviation per axis of one pair's own error, target units; None = not known.
    """

    pivot: Floats
    shift_east_m: float
    shift_north_m: float
    turn_deg: float
    scale: float
    cov: Floats = field(default_factory=_no_covariance)
    mirrored: bool = False
    pair_sd_m: float | None = None

    def apply(self, points: Floats) -> Floats:
        """Carry source points over, (m, 2) to (m, 2), with the values as they stand."""
        start, slope = self.line()
        return as_points(start + slope * as_complex(points, self.mirrored))

    def line(self) -> tuple[complex, complex]:
        """Return w0 and b of ``target = w0 + b source``; source with its sign of north flipped if mirrored."""
        pivot = complex(as_complex(self.pivot[None, :])[0])
        slope = complex(self.scale * np.exp(-1j * np.radians(self.turn_deg)))
        moved = pivot + complex(self.shift_east_m, self.shift_north_m)
        return moved - slope * (pivot.conjugate() if self.mirrored else pivot), slope


@dataclass(frozen=True, eq=False)
class Frame:
    """The frame of no unit that the sums run in.

    ``source -> z = (source - centre) / radius``, ``target -> y = (target - origin) / step``; in it the first fit
    is ``y = z``.
    """

    centre: complex
    radius: complex
    origin: complex
    step: complex
    mirrored: bool

    def source(self, points: Floats) -> Complex:
        """Source points (m, 2) in this frame."""
        return np.asarray((as_complex(points, self.mirrored) - self.centre) / self.radius)

    def target(self, points: Floats) -> Complex:
        """Target points (m, 2) in this frame."""
        return np.asarray((as_complex(points) - self.origin) / self.step)

    def back(self, values: Complex) -> Floats:
        """Target points (m, 2) of positions in this frame."""
        return as_points(self.origin + self.step * values)

    def turned(self, cov: Floats) -> Floats:
        """Covariances (m, 2, 2) of this frame in target units."""
        c, s = self.step.real, self.step.imag
        turn = np.array([[c, -s], [s, c]])
        return np.asarray(turn @ cov @ turn.T)


def as_complex(points: Floats, mirrored: bool = False) -> Complex:
    """East + i north; north with its sign changed if mirrored."""
    return np.asarray(points[:, 0] + (-1j if mirrored else 1j) * points[:, 1])


def as_points(values: Complex) -> Floats:
    """(m,) complex to (m, 2)."""
    return np.stack([np.real(values), np.imag(values)], axis=-1)


def middle(values: Complex, steps: int = 60) -> complex:
    """Geometric median: turns and moves with the points, and a wrong point cannot pull it far."""
    here = complex(values.mean())
    for _ in range(steps):
        distance = np.abs(values - here)
        weight = 1 / np.maximum(distance, 1e-9 * (distance.max() or 1.0))
        here = complex(np.sum(weight * values) / np.sum(weight))
    return here


def spread(values: Complex, about: complex) -> float:
    """Radius of a set of points, as little pulled by wrong ones; 0 when all coincide."""
    distance = np.abs(values - about)
    half = float(np.median(distance))
    if half > 1e-9 * float(distance.max(initial=0.0)):
        return 1.2 * half
    return float(np.sqrt(np.mean(distance**2)))


def first_fits(
    source: Floats, target: Floats, prior: Similarity | None, mirrored: bool | None = None
) -> list[tuple[Frame, float]]:
    """Frames to work in with their weights: one, or two where the pairs cannot tell a mirror image.

    Parameters
    ----------
    source, target : (n, 2)
        Pairs, any units.
    prior
        Where given, its values are the first fit.
    mirrored
        Whether the source's second coordinate runs the other way; None = judged from the pairs.
    """
    if prior is not None:
        return [(_frame_of_prior(source, prior), 1.0)]
    w = as_complex(target)
    reach = spread(w, middle(w))
    if reach == 0.0 or spread(as_complex(source), middle(as_complex(source))) == 0.0:
        raise UsageError("SF-A060", f"{len(w)}")
    if mirrored is not None:
        z = as_complex(source, mirrored)
        start, slope, _ = _best_line(z, w, reach)
        return [(_frame(z, start, slope, mirrored), 1.0)]
    found = [_best_line(as_complex(source, m), w, reach) for m in ((False, True) if len(w) > 2 else (False,))]
    frames = [_frame(as_complex(source, bool(m)), line[0], line[1], bool(m)) for m, line in enumerate(found)]
    if len(found) == 1:
        return [(frames[0], 1.0)]
    same_unit = abs(np.log(abs(found[0][1]))) < SAME_SCALE
    image = bool(np.all(source >= 0))
    odds = MIRROR_PRIOR_SAME_UNIT if same_unit else MIRROR_PRIOR_IMAGE if image else MIRROR_PRIOR_OTHER
    log_odds = np.log(odds / (1 - odds)) + found[1][2] - found[0][2]
    flipped = float(1 / (1 + np.exp(-np.clip(log_odds, -50, 50))))
    both = [(frames[0], 1 - flipped), (frames[1], flipped)]
    kept = [pair for pair in both if pair[1] > LEAST_ORIENTATION]
    total = sum(weight for _, weight in kept)
    return [(frame, weight / total) for frame, weight in kept]


def _best_line(z: Complex, w: Complex, reach: float) -> tuple[complex, complex, float]:
    """The similarity through two of the pairs that most pairs agree with, and its profile log likelihood."""
    n = len(z)
    first, second = np.triu_indices(n, 1)
    if first.size > MAX_CANDIDATES:
        keep = np.linspace(0, first.size - 1, MAX_CANDIDATES).astype(int)
        first, second = first[keep], second[keep]
    wide = np.abs(z[second] - z[first])
    good = wide >= 0.2 * np.median(wide)
    good &= (wide > 0) & (w[second] != w[first])
    first, second = first[good], second[good]
    if first.size == 0:
        raise UsageError("SF-A060", f"{n}")
    slope = (w[second] - w[first]) / (z[second] - z[first])
    start = 0.5 * (w[first] + w[second] - slope * (z[first] + z[second]))
    some = np.unique(np.linspace(0, n - 1, min(n, MAX_SCORED)).astype(int))
    miss = np.abs(w[some] - start[:, None] - slope[:, None] * z[some]) / reach
    cost = np.log1p((miss / ROUGH_ERROR) ** 2).sum(axis=1)
    best = int(np.argmin(cost))
    a, b = _polished(z, w, complex(start[best]), complex(slope[best]))
    return a, b, _profile(np.abs(w - a - b * z) / reach)


def _polished(z: Complex, w: Complex, start: complex, slope: complex) -> tuple[complex, complex]:
    """Least squares with weights that fall off with the miss (Cauchy), twenty rounds."""
    for _ in range(20):
        miss = np.abs(w - start - slope * z)
        size = float(np.median(miss))
        if size == 0.0:
            break
        weight = 1 / (1 + (miss / (2 * size)) ** 2)
        weight = weight / weight.sum()
        zm, wm = np.sum(weight * z), np.sum(weight * w)
        lever = np.sum(weight * np.abs(z - zm) ** 2)
        if lever == 0.0:
            break
        new = complex(np.sum(weight * np.conj(z - zm) * (w - wm)) / lever)
        if new == 0:
            break
        start, slope = complex(wm - new * zm), new
    return start, slope


def _profile(miss: Floats) -> float:
    """Largest log likelihood over the width of bivariate t errors of 3 degrees of freedom, less 4 parameters."""
    width = 10.0 ** np.arange(-2.0, 1.01, 0.25)  # a chance fit of few pairs is no evidence
    each = -2 * np.log(width)[:, None] - 2.5 * np.log1p((miss / width[:, None]) ** 2 / 3)
    free = max(len(miss) - 2, 0) / len(miss)  # four parameters are as good as two pairs
    return float(each.sum(axis=1).max() * free)


def _frame(z: Complex, start: complex, slope: complex, mirrored: bool, least: float = 0.0) -> Frame:
    centre = middle(z)
    radius = max(spread(z, centre), least)
    outer = np.flatnonzero(np.abs(z - centre) > 0.3 * radius)
    phase = 1.0 + 0j
    if outer.size:  # the frame turns with the points
        arm = z[outer[0]] - centre
        phase = complex(arm / abs(arm))
    return Frame(centre, radius * phase, start + slope * centre, slope * radius * phase, mirrored)


def _frame_of_prior(source: Floats, prior: Similarity) -> Frame:
    z = as_complex(source, prior.mirrored)
    start, slope = prior.line()
    least = float(np.sqrt(max(np.trace(prior.cov[:2, :2]) / 2, 0.0))) / abs(slope)
    if max(spread(z, middle(z)), least) == 0.0:
        raise UsageError("SF-A060", f"{len(z)}")
    return _frame(z, start, slope, prior.mirrored, least)


def prior_in_frame(prior: Similarity, frame: Frame) -> Floats:
    """Covariance (4, 4) of (shift east, shift north, real and imaginary slope) in the frame of no unit."""
    _, slope = prior.line()
    pivot = complex(as_complex(prior.pivot[None, :], prior.mirrored)[0])
    lever = slope * (frame.centre - pivot) / frame.step
    relative, turn = 1 / prior.scale, np.radians(1.0)
    jacobian = np.zeros((4, 4))
    for j, (shift, bend) in enumerate([(1.0, 0.0), (1j, 0.0), (0.0, -1j * turn), (0.0, relative)]):
        moved = shift / frame.step + bend * lever
        jacobian[:, j] = [moved.real, moved.imag, np.real(bend), np.imag(bend)]
    return np.asarray(jacobian @ prior.cov @ jacobian.T + SMALLEST_SD**2 * np.eye(4))
