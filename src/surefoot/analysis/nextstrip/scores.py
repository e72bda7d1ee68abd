"""How many devices a strip is expected to yield, and how much its outcome would tell about the placement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy.special import ndtr, pdtr

from surefoot.analysis.nextstrip.predicted import Predicted
from surefoot.analysis.nextstrip.strips import Strip
from surefoot.analysis.reanchor.ground import SearchedGround

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]
Ints = npt.NDArray[np.int64]

REACH_SIGMAS = 4.0
SMALLEST_CHANCE = 1e-6
TINY = 1e-300


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
    return Touched(draw, mass.reshape(len(draw), deep.shape[1] * wide.shape[1]))


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
class Outcomes:
    """What a search of a strip may bring, under every draw.

    Attributes
    ----------
    chance : float array (draws, outcomes)
        Of: nothing, one find in a given cell, two finds in given cells, three or more anywhere. Rows sum to 1.
    certain : float array (draws,)
        ``sum of chance x log chance``: minus the entropy of the outcome were the draw known.
    """

    chance: Floats
    certain: Floats

    def information(self, weight: Floats) -> float:
        """Expected information about the draws in nats, the mean over scenarios.

        Parameters
        ----------
        weight : float array (scenarios, draws)
            Weights of the draws, rows summing to 1.

        Notes
        -----
        ``EIG = mean_j sum_y p(y|j) [log p(y|j) - log mean_k p(y|k)]`` (methods.md section 2, "Next strip"), summed
        over every outcome instead of sampled: sampled values differ by chance, and the best of many would be chosen for
        its luck. It cannot exceed the log of the number of draws.
        """
        mixed = weight @ self.chance
        told = weight @ self.certain - (mixed * np.log(np.maximum(mixed, TINY))).sum(axis=1)
        return max(float(told.mean()), 0.0)


def outcomes(counts: Floats) -> Outcomes:
    """List the outcomes of a strip from the expected finds of its cells, (draws, cells); finds are Poisson."""
    none = np.exp(-counts.sum(axis=1))
    first, second = np.triu_indices(counts.shape[1])
    pairs = counts[:, first] * counts[:, second] * np.where(first == second, 0.5, 1.0)
    few = none[:, None] * np.column_stack([np.ones(len(counts)), counts, pairs])
    chance = np.column_stack([few, np.maximum(1.0 - few.sum(axis=1), 0.0)])
    return Outcomes(chance, (chance * np.log(np.maximum(chance, TINY))).sum(axis=1))


def log_chance_of_sampled(counts: Floats, drawn: Ints, rng: np.random.Generator) -> Floats:
    """Sample what the strip brings if each of some draws is the truth; return its log chance under every draw.

    Returns
    -------
    float array (drawn, draws)
        Up to a constant of the row.
    """
    found = rng.poisson(counts[drawn]).astype(np.float64)
    return np.asarray(found @ np.log(np.maximum(counts, TINY)).T - counts.sum(axis=1)[None, :])


def count_interval(expected: Floats, level: float) -> tuple[float, float]:
    """Return the interval of the number of finds: Poisson with one of these means, (draws,), each as likely."""
    number = np.arange(int(np.ceil(expected.max() + 10.0 * np.sqrt(expected.max()) + 10.0)))
    cumulative = pdtr(number[:, None], expected[None, :]).mean(axis=1)
    low, high = np.searchsorted(cumulative, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return float(number[low]), float(number[min(high, len(number) - 1)])
