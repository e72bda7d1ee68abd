"""Records after re-anchoring, in the columns of an assessment: devices by placement, and who matches whom.

Everything is averaged over the posterior; a record's own placements are listed side by side and never averaged into one
position.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from surefoot.analysis.accuracy import Measure
from surefoot.analysis.accuracy.remaining import remaining_errors
from surefoot.analysis.assess.ground import Events
from surefoot.analysis.assess.placed import LEAST_WEIGHT, PlacedItems
from surefoot.analysis.assess.repeated import with_repeats
from surefoot.analysis.matching import Association
from surefoot.analysis.reanchor import Placement, Placements
from surefoot.analysis.reanchor.hypotheses import AS_READ
from surefoot.model import Case
from surefoot.positions.covariance import turned
from surefoot.positions.grid import Grid
from surefoot.positions.zones import convergence_deg

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Complexes = npt.NDArray[np.complex128]

NEGLIGIBLE = 1e-9


@dataclass(frozen=True)
class Corrected:
    """All records after re-anchoring.

    Attributes
    ----------
    placements
        By record number; records of which no device has a place of its own are missing.
    items
        One row per device and placement of weight >= 0.05; records without placements keep their readings.
    best : int array (n,)
        Rows of `items` of the heaviest placements, in the order of the ledger.
    device : int array (rows,)
        Place in the ledger of every row of `items`.
    stranger : bool array (rows,)
        Rows of placements under which nothing seen is of the record, so that no searched ground says anything of it.
    association
        Averaged over the posterior.
    """

    placements: Mapping[int, Placements]
    items: PlacedItems
    best: Ints
    device: Ints
    stranger: npt.NDArray[np.bool_]
    association: Association

    def mistake(self, number: int) -> tuple[str, float] | None:
        """Gross error that the finds speak for in a record, with its posterior probability; None = none above half."""
        placed = self.placements.get(number)
        weights: dict[str, float] = {}
        for one in () if placed is None else placed.placements:
            error = one.hypothesis.error
            weights[error] = weights.get(error, 0.0) + one.weight
        error = max(weights, key=lambda name: weights[name], default=AS_READ)
        return None if error == AS_READ or weights[error] <= 0.5 else (error, weights[error])

    def of_another_field(self, number: int) -> bool:
        """Whether what was found about a record speaks as much for a field that is on no record."""
        placed = self.placements.get(number)
        return placed is not None and placed.of_another_field

    def averaged(self, values: Floats) -> Floats:
        """Average a figure of every row of the items over the placements of each device, (n, ...)."""
        weight = self.items.weight[:, None] * np.ones_like(values)
        total, whole = np.zeros((len(self.best), values.shape[1])), np.zeros((len(self.best), values.shape[1]))
        np.add.at(total, self.device, weight * values)
        np.add.at(whole, self.device, weight)
        return np.asarray(total / np.maximum(whole, 1e-300), dtype=np.float64)


def corrected_records(
    case: Case, grid: Grid, items: PlacedItems, best: Ints, events: Events, as_recorded: Association,
    placements: Mapping[str, Placements],
) -> Corrected:  # fmt: skip
    """Lay the placements out as an assessment's columns.

    Parameters
    ----------
    items, best
        As recorded.
    events
        Everything seen; `Placements.find` counts finds, then accidents.
    as_recorded
        Association of the readings as they stand: what is known of devices without a place of their own.
    placements
        By record id.
    """
    numbers = {record.record_id: n for n, record in enumerate(case.records)}
    of = {numbers[name]: placed for name, placed in placements.items()}
    first = _first_rows(items.record[best])
    laid, device, stranger = _laid_out(items, best, of, first, grid)
    association = _averaged_association(as_recorded, of, first, _event_of_seen(case, events), len(events))
    heaviest = np.flatnonzero(laid.is_best)
    place = np.column_stack([laid.easting[heaviest], laid.northing[heaviest]])
    association = with_repeats(association, case.finds.first_listed(), place, events)
    return Corrected(of, laid, heaviest, device, stranger, association)


def _first_rows(record: Ints) -> dict[int, int]:
    """Place in the ledger of the first device of each record."""
    names, first = np.unique(record, return_index=True)
    return {int(n): int(f) for n, f in zip(names, first, strict=True)}


# --- items -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Copy:
    """Rows of the items as recorded that one placement moves; `where` None = the rows stay as they are."""

    rows: Ints
    devices: Ints
    rank: int
    weight: float
    where: tuple[Ints, Complexes, Floats] | None  # which of the rows have a new place, and which
    stranger: bool = False


def _laid_out(
    items: PlacedItems, best: Ints, of: Mapping[int, Placements], first: Mapping[int, int], grid: Grid
) -> tuple[PlacedItems, Ints, npt.NDArray[np.bool_]]:
    copies = [copy for number in sorted(first) for copy in _copies(items, best, number, of.get(number), first[number])]
    if not copies:
        return items, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_)
    rows = np.concatenate([c.rows for c in copies])
    lengths = np.array([len(c.rows) for c in copies])
    taken = {f.name: getattr(items, f.name)[rows] for f in fields(items)}
    taken["placement"] = np.repeat(np.array([c.rank + 1 for c in copies]), lengths)
    taken["weight"] = np.repeat(np.array([c.weight for c in copies]), lengths)
    taken["is_best"] = taken["placement"] == 1
    at = np.concatenate([[0], np.cumsum(lengths)])
    for begin, copy in zip(at, copies, strict=False):
        if copy.where is not None:
            _move(taken, begin, copy.where, grid)
    stranger = np.repeat(np.array([c.stranger for c in copies]), lengths)
    return PlacedItems(**taken), np.concatenate([c.devices for c in copies]), stranger


def _copies(items: PlacedItems, best: Ints, number: int, placed: Placements | None, first: int) -> list[_Copy]:
    own = best[items.record[best] == number]
    devices = first + np.arange(len(own))
    if placed is None:
        every = np.flatnonzero(items.record == number)
        made = []
        for rank in np.unique(items.placement[every]):
            rows = every[items.placement[every] == rank]
            same = devices if len(rows) == len(own) else np.minimum(first + np.arange(len(rows)), devices[-1])
            made.append(_Copy(rows, same, int(rank) - 1, float(items.weight[rows[0]]), None))
        return made
    return [
        _Copy(own, devices, rank, placement.weight, _moved_rows(items, own, placed, placement), placement.stranger)
        for rank, placement in enumerate(placed.placements)
        if rank == 0 or placement.weight >= LEAST_WEIGHT
    ]


def _moved_rows(
    items: PlacedItems, own: Ints, placed: Placements, placement: Placement
) -> tuple[Ints, Complexes, Floats]:  # fmt: skip
    """Devices with a place of their own go to their places; the others along with the record's middle."""
    was = items.easting[own] + 1j * items.northing[own]
    place = was + (placement.mean.mean() - was[placed.item].mean())
    place[placed.item] = placement.mean
    cov = np.array(items.grid_cov_m2[own])
    new = placement.item_covariance
    cov[placed.item] = np.column_stack([new[:, 0, 0], new[:, 0, 1], new[:, 1, 1]])
    known = np.flatnonzero(np.isfinite(place))
    return known, place[known], cov[known]


def _move(
    taken: dict[str, npt.NDArray[np.generic]], begin: int, where: tuple[Ints, Complexes, Floats], grid: Grid
) -> None:
    known, place, cov = where
    rows = begin + known
    longitude, latitude = grid.unproject(place.real.copy(), place.imag.copy())
    square = np.stack([cov[:, [0, 1]], cov[:, [1, 2]]], axis=1)
    true = turned(square, convergence_deg(grid.crs, longitude, latitude))
    taken["easting"][rows], taken["northing"][rows] = place.real, place.imag
    taken["longitude"][rows], taken["latitude"][rows] = longitude, latitude
    taken["grid_cov_m2"][rows] = cov
    taken["cov_m2"][rows] = np.column_stack([true[:, 0, 0], true[:, 0, 1], true[:, 1, 1]])


# --- who matches whom --------------------------------------------------------------------------------------


def _event_of_seen(case: Case, events: Events) -> Ints:
    """Event of everything seen, which counts finds, then accidents; -1 = no event of its own."""
    result = np.full(len(case.finds) + len(case.accidents), -1, dtype=np.int64)
    seen = np.where(events.find >= 0, events.find, len(case.finds) + events.accident)
    result[seen] = np.arange(len(events))
    return result


def _averaged_association(
    before: Association, of: Mapping[int, Placements], first: Mapping[int, int], event: Ints, events: int
) -> Association:
    """Join what the placements say of their devices with what is known of devices without a place of their own.

    A find that is a device of one record is none of another: where records that were settled by turns claim more than
    the whole of a find, they share it. The others share what is left of it as they shared it before.
    """
    anchored = np.zeros(len(before.item_record), dtype=np.bool_)
    finds: list[Ints] = []
    items: list[Ints] = []
    chances: list[Floats] = []
    for number, placed in of.items():
        rows = first[number] + placed.item
        anchored[rows] = True
        mean = sum(p.weight * p.p_find for p in placed.placements)
        k, i = np.nonzero(np.asarray(mean) > NEGLIGIBLE)
        finds.append(event[placed.find[k]])
        items.append(rows[i])
        chances.append(np.asarray(mean)[k, i])
    find, item = (np.concatenate([*part, np.zeros(0, dtype=np.int64)]) for part in (finds, items))
    chance = np.concatenate([*chances, np.zeros(0)])
    claimed = np.bincount(find, chance, events)
    chance = chance / np.maximum(claimed, 1.0)[find]
    left = 1.0 - np.minimum(claimed, 1.0)
    old = ~anchored[before.item]
    was = before.unrecorded + np.bincount(before.find[old], before.probability[old], events)
    rest = _at_most_one(before, old, before.probability * (left / np.maximum(was, 1e-12))[before.find])
    find = np.concatenate([find, before.find[old]])
    item = np.concatenate([item, before.item[old]])
    chance = np.concatenate([chance, rest[old]])
    order = np.lexsort((find, item))
    group = np.where(anchored, np.arange(len(anchored)), before.group)
    unrecorded = np.clip(1.0 - np.bincount(find, chance, events), 0.0, 1.0)
    return replace(
        before, find=find[order], item=item[order], probability=chance[order], unrecorded=unrecorded, group=group
    )


def _at_most_one(before: Association, used: npt.NDArray[np.bool_], chance: Floats) -> Floats:
    """Scale down lots of devices that would be found more often than there are devices."""
    n = len(before.item_record)
    size = np.maximum(np.bincount(before.group, minlength=n), 1)
    total = np.bincount(before.item[used], chance[used], n) / size
    return np.asarray(chance / np.maximum(total, 1.0)[before.item], dtype=np.float64)


def remaining_measures(
    corrected: Corrected, scopes: Mapping[str, npt.NDArray[np.bool_]], rng: np.random.Generator
) -> tuple[Measure, ...]:
    """How far off the devices that were not found still may be, by the posterior itself."""
    first = _first_rows(corrected.items.record[corrected.best])
    columns = [
        (
            np.full(len(placed.item), number), first[number] + placed.item, np.abs(p.mean - placed.best.mean),
            0.5 * np.trace(p.item_covariance, axis1=1, axis2=2), p.weight * p.p_missed,
        )
        for number, placed in corrected.placements.items()
        for p in placed.placements
    ]  # fmt: skip
    record, device = (np.concatenate([c[n] for c in columns]) for n in (0, 1))
    offset, variance, left = (np.concatenate([c[n] for c in columns]) for n in (2, 3, 4))
    made: list[Measure] = []
    for scope, rows in scopes.items():
        used = rows[device]
        made += remaining_errors(
            offset[used], variance[used], left[used], record[used], rng=rng, scope=scope
        )  # fmt: skip
    return tuple(made)
