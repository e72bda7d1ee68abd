"""The rival of a record: what was found belongs to some other field, on no record.

A record made of rows fits a stranger's rows better than an even density does, so an even density alone is too poor a
rival. The second one is a field whose devices lie in clusters of no known pattern: each thing found is predicted from
those west of it by a kernel of three widths (a Polya urn; the prequential evidence of Dawid 1984, J. R. Stat. Soc. A
147(2)). The third is the record's own pattern elsewhere. Docs: docs/decisions/0018 and 0021.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, logsumexp

from surefoot.analysis.kernels.registration import Search
from surefoot.analysis.kernels.rows import VAGUE_VARIANCE_M2
from surefoot.analysis.reanchor.clutter import normal_points
from surefoot.analysis.reanchor.sampler import Target

Floats = npt.NDArray[np.float64]

WIDTHS_M = (3.0, 10.0, 30.0)
"""Of the clusters: between devices of a row, between rows, across a field. All alike before any find."""
LEAST_SEEN = 0.01
"""Share of a kernel that lies on ground searched, at least: it divides."""

FARTHER, FARTHER_M, ANY_TURN = 3.0, 50.0, 1.3
"""Where a stranger's field of the same pattern may lie: times the record's own reach, metres beyond it, turn in rad."""


class OtherField(NamedTuple):
    """Log evidence, against devices of no record alone, of another field about one place."""

    even: float
    clustered: float


def best_rival(weight: Sequence[float], fields: Sequence[OtherField]) -> float:
    """Log evidence of the best rival of a record: no field at all (0), an even one, a clustered one.

    Parameters
    ----------
    weight, fields
        Prior weights of the record's hypotheses and the other field at the place of each: a stranger's field may lie
        wherever the record may.
    """
    logs = np.log(np.asarray(weight, dtype=np.float64))
    return float(max(0.0, *(logsumexp(logs + np.array(one)) for one in zip(*fields, strict=True))))


def elsewhere(target: Target) -> Target:
    """Return the same pattern laid anywhere about, turned in any way: a stranger's field made of rows as this one is.

    What such a field explains as well is no evidence that the ground is the record's, however well its rows fit.
    """
    wide = target.covariance.copy()
    wide[:3, :] = wide[:, :3] = 0.0
    shift = FARTHER**2 * np.diag(target.covariance)[:2] + FARTHER_M**2
    wide[np.arange(3), np.arange(3)] = *shift, ANY_TURN**2
    return replace(target, covariance=wide)


def another_field(
    finds: Floats, search: Search, clutter: Floats, clutter_per_m2: float, expected_per_m2: float
) -> OtherField:
    """Return the log evidence of a field that is on no record.

    Parameters
    ----------
    finds : (k, 3)
        East, north, variance of what was seen; metres.
    search
        Raster of the detection probability, its west and south edges and cell, in the same frame.
    clutter : (k,)
        Density of devices of no field at each, per m2.
    clutter_per_m2
        The same over the ground searched.
    expected_per_m2
        Mean of the exponential prior of the field's density.

    Notes
    -----
    Devices found are Poisson over the ground searched, thinned by detection, with a density that is integrated out.
    Things whose place is vague are then predicted from the others, one by one; they thin nothing.
    """
    chance, _, _, cell, _ = search
    area = float(chance.sum(dtype=np.float64)) * cell**2
    vague = finds[:, 2] > VAGUE_VARIANCE_M2
    known = finds[~vague][np.lexsort((finds[~vague, 1], finds[~vague, 0]))]
    count, rate = len(known), 1.0 / expected_per_m2
    if count == 0 or area == 0.0:
        return OtherField(0.0, 0.0)
    number = np.log(rate) + gammaln(1.0 + count) - (1.0 + count) * np.log(rate + area)
    number += clutter_per_m2 * area - np.log(clutter[~vague]).sum()
    before = np.tril(_in_clusters(known, known, search), -1).sum(axis=1)
    grouped = np.log((1.0 + area * before) / (1.0 + np.arange(count))).sum()
    density, others = (1.0 + count) / (rate + area), clutter[vague]
    about = density * (1.0 + area * _in_clusters(finds[vague], known, search).sum(axis=1)) / (1.0 + count)
    return OtherField(
        float(number + np.log1p(density / others).sum()),
        float(number + grouped + np.log1p(about / others).sum()),
    )


def _in_clusters(things: Floats, about: Floats, search: Search) -> Floats:
    """Density of each thing in the cluster of each other one, per m2 of ground thinned by detection, (k, n)."""
    squared = np.square(things[:, None, :2] - about[None, :, :2]).sum(axis=2)
    total: Floats = np.zeros(squared.shape)
    for width in WIDTHS_M:
        variance = width**2 + things[:, 2:3]
        total += np.exp(-0.5 * squared / variance) / (2.0 * np.pi * variance) / _seen_share(about, width, search)
    return np.asarray(total / len(WIDTHS_M), dtype=np.float64)


def _seen_share(about: Floats, width: float, search: Search) -> Floats:
    """Share of the cluster about each thing in which devices would have been found, (n,)."""
    chance, west, south, cell, _ = search
    points = about[:, None, :2] + width * normal_points()
    column, row = (
        np.floor((points[..., axis] - edge) / cell).astype(np.int64) for axis, edge in ((0, west), (1, south))
    )
    inside = (column >= 0) & (row >= 0) & (column < chance.shape[1]) & (row < chance.shape[0])
    seen = np.zeros(inside.shape)
    seen[inside] = chance[row[inside], column[inside]]
    return np.asarray(np.maximum(seen.mean(axis=1), LEAST_SEEN), dtype=np.float64)
