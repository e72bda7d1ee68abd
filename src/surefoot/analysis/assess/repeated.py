"""Finds listed at the place, day and type of another: seen once when a record is moved, counted as devices then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from surefoot.analysis.assess.ground import Events
from surefoot.analysis.matching import Association

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NEIGHBOUR_M = 5.0
"""Scale of the distance at which a repeated find may be the next device: about a spacing."""


def with_repeats(association: Association, first: Ints, place: Floats, events: Events) -> Association:
    """Let repeated finds be of the records that the first one of each is of.

    Whether a row was copied or several devices lay at one rounded place is not known (SF-R234 asks). They count as
    devices, so they cannot count as devices of no record only because one device is not found twice: each goes to the
    devices of those records that are still free, the nearest before others.

    Parameters
    ----------
    association
        Of everything seen; repeated finds are of no record there.
    first : (f,)
        Find that each repeats, itself where it repeats none.
    place : (n, 2)
        East and north of every device, metres; nan = none of its own.
    events
        Everything seen, finds first.
    """
    again = np.flatnonzero(first != np.arange(len(first)))
    if not len(again):
        return association
    n = len(association.item_record)
    room = np.bincount(association.group, minlength=n).astype(np.float64)  # whole lots stand at their first device
    free = room - np.bincount(association.item, association.probability, n)
    find, item, chance = [association.find], [association.item], [association.probability]
    unrecorded = association.unrecorded.copy()
    for one in again.tolist():
        added = _share(association, int(first[one]), np.maximum(free, 0.0), _near(place, events, one))
        used = np.flatnonzero(added > 0.0)
        free[used] -= added[used]
        unrecorded[one] = max(1.0 - float(added.sum()), 0.0)
        find.append(np.full(len(used), one))
        item.append(used)
        chance.append(added[used])
    finds, items, chances = np.concatenate(find), np.concatenate(item), np.concatenate(chance)
    order = np.lexsort((finds, items))
    return replace(association, find=finds[order], item=items[order], probability=chances[order], unrecorded=unrecorded)


def _share(association: Association, first: int, free: Floats, near: Floats) -> Floats:
    """Chance that a repeat of a find is each device, (n,): by record as the find itself, there by room and nearness."""
    total = np.zeros(len(free))
    pairs = association.find == first
    records = association.item_record[association.item[pairs]]
    for record in np.unique(records).tolist():
        weight = np.where(association.item_record == record, free * near, 0.0)
        claim = float(association.probability[pairs][records == record].sum())
        if weight.sum() > 0.0:
            total += np.minimum(claim * weight / weight.sum(), free)
    return total


def _near(place: Floats, events: Events, one: int) -> Floats:
    """Weight (n,) of every device by its distance; a device without a place of its own is as near as any."""
    gap = np.hypot(*(place - events.position[one]).T)
    scale = NEIGHBOUR_M + 3.0 * float(np.sqrt(np.nan_to_num(events.variance[one])))
    return np.where(np.isfinite(gap), 1.0 / (1.0 + (gap / scale) ** 4), 1.0)
