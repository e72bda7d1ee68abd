"""Made-up sheets with a known truth, for `georef.py`: what the map does, how well pairs were read, how many are wrong.

Sizes are physical (shares of the sheet's long side), not multiples of anything that `fit_transform` assumes; the
bend is a squared-exponential process or a projective tilt, which `fit_transform` does not contain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIDE_M = 5000.0  # long side; the short one is 0.7 of it
NOISES = (0.0005, 0.002, 0.008)  # sd of a pair per axis, of the long side: 2.5, 10, 40 m
WRONGS = (0.0, 0.05, 0.20)
HELD_OUT = 80


@dataclass(frozen=True)
class Kind:
    """What a sheet does beyond shift, turn and scale.

    Attributes
    ----------
    stretch
        Sd of the entries of the affine part.
    bend, length
        Sd per axis of the smooth bend and its length, of the long side.
    tilt
        Size of the projective part: change of scale from the middle to the edge.
    """

    stretch: float = 0.0
    bend: float = 0.0
    length: float = 1.0
    tilt: float = 0.0


KINDS = {
    "similarity": Kind(),
    "affine 0.3 %": Kind(stretch=0.003),
    "affine 2 %": Kind(stretch=0.02),
    "bend 5 m, short": Kind(stretch=0.003, bend=0.001, length=0.25),
    "bend 5 m, long": Kind(stretch=0.003, bend=0.001, length=0.8),
    "bend 25 m, short": Kind(stretch=0.003, bend=0.005, length=0.25),
    "bend 25 m, long": Kind(stretch=0.003, bend=0.005, length=0.8),
    "tilt 2 %": Kind(tilt=0.02),
    "tilt 10 %": Kind(tilt=0.10),
}


@dataclass(frozen=True, eq=False)
class Sheet:
    """Pairs; the first k are for fitting.

    Attributes
    ----------
    source, target : (n, 2)
        Target in a frame turned, moved and scaled at random; one source metre is `scale` target units.
    right : (n,)
        Which pairs are right.
    scale
        See `target`.
    heavy
        Errors are Student-t, not normal.
    """

    source: np.ndarray
    target: np.ndarray
    right: np.ndarray
    scale: float
    heavy: bool


def sheet(kind: Kind, k: int, noise: float, wrong: float, rng: np.random.Generator) -> Sheet:
    """Draw a sheet; points even or in clumps, errors normal or Student-t of 4 degrees, each with even odds."""
    n = k + HELD_OUT
    u = _points(n, rng)  # of the long side, about the middle
    true = u + u @ rng.normal(0, 1, (2, 2)) * kind.stretch + kind.bend * _smooth(u, kind.length, rng)
    if kind.tilt:
        toward = rng.uniform(0, 2 * np.pi)
        true = true / (1 + 2 * kind.tilt * (u @ [np.cos(toward), np.sin(toward)]))[:, None]
    error = rng.standard_normal((n, 2))
    heavy = rng.random() < 0.5
    if heavy:
        error = error / np.sqrt(rng.chisquare(4, (n, 1)) / 2)  # of the same variance: E[1 / chi2(4)] = 1 / 2
    seen = true + noise * error
    right = rng.random(n) >= wrong
    if wrong and right[:k].sum() < 3:
        right[:k] = True
    bad = np.flatnonzero(~right)
    gross = rng.random(len(bad)) < 0.5
    away = rng.uniform(0.02, 0.1, len(bad)) * np.exp(1j * rng.uniform(0, 2 * np.pi, len(bad)))
    near = seen[bad] + np.stack([away.real, away.imag], axis=1)
    seen[bad] = np.where(gross[:, None], _points(len(bad), rng), near) if len(bad) else seen[bad]
    turn, scale = rng.uniform(0, 2 * np.pi), float(np.exp(rng.uniform(-1, 1)))
    c, s = np.cos(turn), np.sin(turn)
    moved = SIDE_M * scale * seen @ np.array([[c, -s], [s, c]]) + rng.uniform(-1e6, 1e6, 2)
    return Sheet(SIDE_M * (u + 1), moved, right, scale, bool(heavy))


def _points(n: int, rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.5:
        return rng.uniform([-0.5, -0.35], [0.5, 0.35], (n, 2))
    clumps = rng.uniform([-0.4, -0.25], [0.4, 0.25], (4, 2))
    return np.clip(clumps[rng.integers(4, size=n)] + rng.normal(0, 0.08, (n, 2)), [-0.5, -0.35], [0.5, 0.35])


def _smooth(u: np.ndarray, length: float, rng: np.random.Generator) -> np.ndarray:
    """A process of unit variance per axis, squared-exponential, by 200 random waves."""
    wave = rng.standard_normal((200, 2)) / length
    phase = rng.uniform(0, 2 * np.pi, 200)
    return np.cos(u @ wave.T + phase) @ rng.standard_normal((200, 2)) * np.sqrt(2 / 200)
