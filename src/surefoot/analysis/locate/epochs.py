"""Which declination the compiler of a form went by, where the form states that of its map's margin.

A compass read on the day of laying shows the field of that day. A bearing worked from the map and turned by the margin
is counted from magnetic north of the map's year; one that nobody turned is still counted from the grid. One compiler,
one habit: the answer holds for every magnetic bearing of the form. A form that names the instrument gives it itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from surefoot.analysis.locate.hypotheses import Assumption, bearings_of
from surefoot.analysis.locate.priors import Priors
from surefoot.model import MinefieldRecord
from surefoot.terms import MagneticEpoch, North

MAGNETIC_EPOCH = "magnetic_epoch"
"""The key of the epoch among a reading's hypotheses."""

ALIKE_DEG = 0.1
"""Turns closer than this are one: 5 minutes of a printed margin and a twentieth of a compass's error."""


def by_epoch(
    way: Assumption, record: MinefieldRecord, priors: Priors, turns: Mapping[MagneticEpoch, float]
) -> list[Assumption]:
    """Split an assumption by the declination its magnetic bearings were counted with.

    Parameters
    ----------
    way
        A complete way to read the form but for that.
    record
        The form.
    priors
        Those of the record's series.
    turns
        Degrees, east positive, from where each epoch's bearings are counted to true north; without the day of laying
        where the model does not reach it.

    Returns
    -------
    list of Assumption
        Heaviest first, their weights adding to that of `way`; one without a label where nothing is left open.
    """
    stated = {bearing.north for bearing in bearings_of(record)}
    read_on_the_ground = any(leg.instrument != "unknown" for leg in record.legs)
    if read_on_the_ground or North.MAGNETIC not in {north or way.north for north in stated}:
        return [way]
    weights = priors.epoch_weights()
    if North.MAGNETIC not in stated:  # that nobody turned it is then the hypothesis that it is a grid bearing
        weights.pop(MagneticEpoch.NONE_APPLIED)
    if MagneticEpoch.LAYING_DATE not in turns:
        weights[MagneticEpoch.MAP_MARGIN] += weights.pop(MagneticEpoch.LAYING_DATE)
    shares = _told_apart(weights, turns)
    if len(shares) < 2:
        return [replace(way, epoch=epoch) for epoch in shares] or [way]
    total = sum(shares.values())
    return [
        replace(way, weight=way.weight * share / total, epoch=epoch, labels={**way.labels, MAGNETIC_EPOCH: epoch.value})
        for epoch, share in shares.items()
    ]


def _told_apart(
    weights: Mapping[MagneticEpoch, float], turns: Mapping[MagneticEpoch, float]
) -> dict[MagneticEpoch, float]:
    """Weights of the epochs, heaviest first; one that turns as a heavier one does gives its weight to it."""
    shares: dict[MagneticEpoch, float] = {}
    for epoch in sorted((name for name in weights if weights[name] > 0.0), key=lambda name: -weights[name]):
        twin = next((kept for kept in shares if abs(turns[kept] - turns[epoch]) <= ALIKE_DEG), epoch)
        shares[twin] = shares.get(twin, 0.0) + weights[epoch]
    return shares
