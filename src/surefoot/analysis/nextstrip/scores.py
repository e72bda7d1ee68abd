"""How many devices a strip is expected to yield, and how much its outcome would tell about the placement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy.special import ndtr

from surefoot.analysis.nextstrip.predicted import Predicted
from surefoot.analysis.nextstrip.strips import Strip
from surefoot.analysis.reanchor.ground import SearchedGround

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]
Ints = npt.NDArray[np.int64]

REACH_SIGMAS = 4.0
SMALLEST_CHANCE = 1e-6


@dataclass(frozen=True)
class Touched:
    """The devices that may lie in a strip, by draw: entries of draw and device with their chance for each cell.

    Attributes
    ----------
    draw : int array (m,)
        Which draw of the posterior.
    mass : float array (m, cells)
        Chance that the device lies in the cell, were the ground not searched before.
    """

    draw: Ints
    mass: Floats


def touched(strip: Strip, predicted: Predicted) -> Touched:
    """Integrate every device's normal density over the cells of a strip, in the strip's own frame."""
    frame = (predicted.place - strip.start) * np.conj(strip.heading)
    reach = REACH_SIGMAS * np.sqrt(predicted.variance)
    near = (
        (frame.real > -reach) & (frame.real < strip.length_m + reach)
        & (np.abs(frame.imag) < 0.5 * strip.width_m + reach) & (predicted.unsearched > SMALLEST_CHANCE)
    )  # fmt: skip
    draw, device = np.nonzero(near)
    at, sigma = frame[draw, device], np.sqrt(predicted.variance[draw, device])
    along, across = strip.edges()
    deep = np.diff(ndtr((along[None, :] - at.real[:, None]) / sigma[:, None]), axis=1)
    wide = np.diff(ndtr((across[None, :] - at.imag[:, None]) / sigma[:, None]), axis=1)
    mass = predicted.unsearched[draw, device][:, None, None] * deep[:, :, None] * wide[:, None, :]
    return Touched(draw, mass.reshape(len(draw), -1))


def detection_at(points: Complexes, searched: SearchedGround) -> Floats:
    """Chance that a device at each point would have been found by the searches so far, any shape of array."""
    flat = points.ravel()
    result = np.zeros(len(flat))
    if not len(flat):
        return result.reshape(points.shape)
    near = searched.near((flat.real.min(), flat.imag.min(), flat.real.max(), flat.imag.max()))
    if len(near.shapes):
        pairs = shapely.STRtree(near.shapes).query(
            shapely.points(np.column_stack([flat.real, flat.imag])), predicate="intersects"
        )
        np.maximum.at(result, pairs[0], near.detection[pairs[1]])
    return result.reshape(points.shape)


def expected_counts(
    strip: Strip, near: Touched, predicted: Predicted, before: Floats, detection: float
) -> tuple[Floats, Floats]:
    """Expected finds in each cell by draw, and those of them that are on no record.

    Parameters
    ----------
    before : float array (cells, points)
        Detection of the searches so far at the points of the strip. Going over the same ground again finds what the
        better of the two searches would have found, as in the mask of the likelihood.
    detection
        Of the search that is proposed.

    Returns
    -------
    float array (draws, cells)
        Devices of the record and of none.
    float array (cells,)
        Of none: a Poisson background.
    """
    gained = np.maximum(detection - before, 0.0)
    free = gained.mean(axis=1)
    background = predicted.background_per_m2 * free * strip.area_m2 / len(free)
    share = near.mass * free[None, :]
    # A device is found once at most; blurred ground and sharpened places may disagree at the edge of a search.
    share = share / np.maximum(share.sum(axis=1) / detection, 1.0)[:, None]
    draws = len(predicted.place)
    cells = [np.bincount(near.draw, share[:, cell], minlength=draws) for cell in range(len(free))]
    return np.column_stack(cells) + background, background


@dataclass(frozen=True)
class Outcome:
    """What a strip may yield: one possible result for each draw.

    Attributes
    ----------
    finds : int array (draws,)
        Devices found if that draw is the truth, sampled.
    logs : float array (draws, draws)
        Log likelihood of the result of draw a (row) under draw b (column), up to a constant of the row, with that of
        the strips chosen before.
    gain, gain_error
        Expected information about the draws in nats beyond what the strips before tell, and the standard error of it.
    """

    finds: Ints
    logs: Floats
    gain: float
    gain_error: float


def outcome(counts: Floats, before: Floats, told_before: Floats, rng: np.random.Generator) -> Outcome:
    """Sample a result under every draw and weigh it under every other.

    Parameters
    ----------
    counts : float array (draws, cells)
        Expected finds; results are Poisson.
    before : float array (draws, draws)
        `Outcome.logs` of the strips chosen before, 0 for none.
    told_before : float array (draws,)
        What those told, result by result: `told` of `before`.

    Notes
    -----
    ``EIG = mean_j [log p(y_j | j) - log mean_k p(y_j | k)]`` with y_j drawn from draw j (methods.md section 2,
    "Next strip"). It cannot exceed the log of the number of draws.
    """
    used = counts.max(axis=0) > 0.0
    if not used.any():
        return Outcome(np.zeros(len(counts), dtype=np.int64), before, 0.0, 0.0)
    expected = counts[:, used]
    found = rng.poisson(expected).astype(np.float64)
    logs = found @ np.log(np.maximum(expected, 1e-12)).T
    logs += before
    logs -= expected.sum(axis=1)[None, :]
    gained = told(logs) - told_before
    error = float(gained.std() / np.sqrt(len(gained)))
    return Outcome(found.sum(axis=1).astype(np.int64), logs, max(float(gained.mean()), 0.0), error)


def told(logs: Floats) -> Floats:
    """Log of how much likelier each result is under its own draw than under the mean of all, (draws,)."""
    shifted = logs - logs.max(axis=1, keepdims=True)
    return np.asarray(np.diag(shifted) - np.log(np.exp(shifted).mean(axis=1)))
