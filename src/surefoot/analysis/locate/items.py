"""The devices of a record under one reading: in rows, one by one, or somewhere in an area."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from shapely.geometry import Polygon

from surefoot.analysis.locate.priors import Priors
from surefoot.analysis.locate.readings import Network, ReadItems, ReadRow
from surefoot.analysis.locate.tally import expanded, unallocated
from surefoot.designations import category_of_model, type_key
from surefoot.model import MinefieldRecord, PlannedDevice, Row
from surefoot.positions.distances import to_metres
from surefoot.terms import DeviceCategory, Slot

Floats = npt.NDArray[np.float64]
Points = Mapping[str, tuple[Floats, Floats]]

# A row's stated length may differ from its end points by this share (and by one spacing) before it is a conflict.
CONFLICT_SHARE = 0.10
MIXTURE_SIGN = " × "


@dataclass
class ItemColumns:
    """Collects items of one reading before they become columns."""

    anchors: int
    legs: int
    row: list[str] = field(default_factory=list)
    index: list[float] = field(default_factory=list)
    slot: list[Slot] = field(default_factory=list)
    model: list[str] = field(default_factory=list)
    base: list[Floats] = field(default_factory=list)
    chain: list[Floats] = field(default_factory=list)
    extra: list[Floats] = field(default_factory=list)

    def add(
        self,
        row: str,
        index: float,
        slot: Slot,
        model: str,
        place: tuple[Floats, Floats] | None,
        extra: Floats,
    ) -> None:
        """Add one device; `place` None = recorded, but nowhere to be placed."""
        base, chain = place or (np.full(self.anchors, np.nan), np.full(self.legs, np.nan))
        self.row.append(row)
        self.index.append(index)
        self.slot.append(Slot.NONE if place is None else slot)
        self.model.append(model)
        self.base.append(base)
        self.chain.append(chain)
        self.extra.append(extra)

    def columns(self) -> ReadItems:
        """Return the columns."""
        count = len(self.row)
        return ReadItems(
            row=np.array(self.row, dtype=object),
            index=np.array(self.index, dtype=float),
            slot=np.array(self.slot, dtype=object),
            model=np.array(self.model, dtype=object),
            base=np.array(self.base, dtype=float).reshape(count, self.anchors),
            chain=np.array(self.chain, dtype=float).reshape(count, self.legs),
            extra_cov=np.array(self.extra, dtype=float).reshape(count, 2, 2),
            offset=np.zeros(count, dtype=complex),
        )


def mixture_label(mines: Mapping[str, int]) -> str:
    """Return the model of a row's devices; in a row of several types a label that keeps the proportions."""
    names: dict[str, str] = {}
    kinds: dict[str, int] = {}
    for model, count in mines.items():
        if count > 0:
            name = names.setdefault(type_key(model), model)
            kinds[name] = kinds.get(name, 0) + count
    if len(kinds) <= 1:
        return next(iter(kinds), "")
    return " + ".join(f"{model}{MIXTURE_SIGN}{count}" for model, count in kinds.items())


def mixture_shares(label: str) -> dict[str, float]:
    """Return the share of each model behind a label of `mixture_label`."""
    if MIXTURE_SIGN not in label:
        return {label: 1.0}
    pairs = [part.rsplit(MIXTURE_SIGN, 1) for part in label.split(" + ")]
    total = sum(int(count) for _, count in pairs)
    return {model: int(count) / total for model, count in pairs}


def category_of_label(label: str) -> str:
    """Category of a model or of a mixture: the common one, else unknown."""
    kinds = {category_of_model(model) for model in mixture_shares(label)}
    return next(iter(kinds)).value if len(kinds) == 1 else DeviceCategory.UNKNOWN.value


def row_spacing_m(row: Row, priors: Priors) -> float | None:
    """Stated spacing in metres."""
    if row.spacing is None:
        return None
    spacing = to_metres(row.spacing, step_m=priors.step_m, pair_of_steps_m=priors.pair_of_steps_m)
    return spacing if spacing > 0 else None


def row_conflicts(row: Row, ends_m: float | None, priors: Priors) -> bool:
    """Whether count and spacing contradict the distance between the row's end points."""
    spacing = row_spacing_m(row, priors)
    if spacing is None or ends_m is None or not row.count or row.count < 2:
        return False
    gap = abs((row.count - 1) * spacing - ends_m)
    return gap > max(spacing, CONFLICT_SHARE * ends_m)


def place_rows(
    record: MinefieldRecord, network: Network, points: Points, device_points: Mapping[int, str], priors: Priors,
    trust: str,
) -> tuple[ReadItems, tuple[ReadRow, ...]]:  # fmt: skip
    """Place the devices of every row and every single device.

    Parameters
    ----------
    device_points
        Number of a planned device -> name of its point.
    trust
        For rows in conflict: ``ends`` (end points and count), ``spacing`` (end points and spacing) or ``count``
        (count and spacing); "" where no row is in conflict.
    """
    items = ItemColumns(len(network.anchors), len(network.legs))
    read_rows = []
    counts, with_totals = expanded(record)
    for row, count in zip(record.rows, counts, strict=True):
        planned = {n: d for n, d in enumerate(record.devices) if d.row == row.no and n in device_points}
        taken = _add_planned(items, planned, device_points, points, row, priors)
        read_rows.append(_add_row(items, row, max(0, count - taken), network, points, priors, trust))
    row_names = {row.no for row in record.rows}
    loose = {n: d for n, d in enumerate(record.devices) if d.row not in row_names}
    _add_planned(items, loose, device_points, points, None, priors)
    if with_totals:
        _add_unallocated(items, record, network, points, priors)
    return items.columns(), tuple(read_rows)


def _pattern_cov(priors: Priors) -> Floats:
    return np.asarray((priors.row_offset_sd_m**2 + priors.scatter_sd_m**2) * np.eye(2))


def _add_planned(
    items: ItemColumns, planned: Mapping[int, PlannedDevice], names: Mapping[int, str], points: Points,
    row: Row | None, priors: Priors,
) -> int:  # fmt: skip
    pattern = _pattern_cov(priors)
    for number, device in planned.items():
        model = device.model or (mixture_label(row.mines) if row else "")
        index = float(device.index) if device.index is not None else math.nan
        place = points.get(names.get(number, ""))
        items.add(device.row, index, Slot.EXACT, model, place, pattern)
    return len(planned)


def _add_row(
    items: ItemColumns, row: Row, count: int, network: Network, points: Points, priors: Priors, trust: str
) -> ReadRow:
    start, end = points.get(row.origin), points.get(row.target)
    ends_m = row_length_m(row, network, points)
    spacing = row_spacing_m(row, priors)
    names = tuple(name for name in (row.origin, row.target) if name)
    read = ReadRow(row.no, names, row.count, spacing)
    if count == 0:
        return read
    label = mixture_label(row.mines)
    if start is None or end is None or not ends_m:
        _add_vague(items, row, count, start or end, (count - 1) * (spacing or 0.0), label, priors)
    elif row_conflicts(row, ends_m, priors):
        return _add_conflicting(items, read, count, (start, end), ends_m, label, network, priors, trust)
    else:
        step, pattern = spacing if spacing is not None else ends_m / max(1, count - 1), _pattern_cov(priors)
        for index in range(count):
            place = _between(start, end, index * step / ends_m)
            items.add(row.no, index + 1.0, Slot.EXACT, label, place, pattern)
    return read


def _between(start: tuple[Floats, Floats], end: tuple[Floats, Floats], share: float) -> tuple[Floats, Floats]:
    return (1 - share) * start[0] + share * end[0], (1 - share) * start[1] + share * end[1]


def row_length_m(row: Row, network: Network, points: Points) -> float | None:
    """Return the distance between a row's end points, metres; None unless both are placed."""
    start, end = points.get(row.origin), points.get(row.target)
    if start is None or end is None:
        return None
    return float(abs(network.positions((end[0] - start[0])[None], (end[1] - start[1])[None])[0]))


def _add_vague(
    items: ItemColumns, row: Row, count: int, place: tuple[Floats, Floats] | None, length_m: float,
    label: str, priors: Priors,
) -> None:  # fmt: skip
    """One end of the row is known at most: somewhere within its length, direction unknown."""
    extra = _pattern_cov(priors) + np.eye(2) * length_m**2 / 6.0
    for _ in range(count):
        items.add(row.no, math.nan, Slot.ROW, label, place, extra)


def _add_conflicting(
    items: ItemColumns, read: ReadRow, count: int, ends: tuple[tuple[Floats, Floats], tuple[Floats, Floats]],
    ends_m: float, label: str, network: Network, priors: Priors, trust: str,
) -> ReadRow:  # fmt: skip
    """Count, spacing and ends contradict each other: the devices lie somewhere on the row, in no slot."""
    assert read.spacing_m is not None
    start, end = ends
    shown, spacing, length = count, read.spacing_m, ends_m
    if trust == "ends":
        spacing = ends_m / max(1, count - 1)
    elif trust == "spacing":
        shown = round(ends_m / read.spacing_m) + 1
    else:
        length = (count - 1) * read.spacing_m
    offset = network.positions((end[0] - start[0])[None], (end[1] - start[1])[None])[0] / ends_m
    along = np.array([offset.real, offset.imag])
    extra = _pattern_cov(priors) + np.outer(along, along) * length**2 / 12.0
    middle = _between(start, end, length / 2 / ends_m)
    for _ in range(count):
        items.add(read.no, math.nan, Slot.ROW, label, middle, extra)
    return ReadRow(read.no, read.points, shown, spacing)


def _add_unallocated(
    items: ItemColumns, record: MinefieldRecord, network: Network, points: Points, priors: Priors
) -> None:
    rest = unallocated(record)
    if not rest:
        return
    place, extra = _area_moments(record, network, points, priors)
    for model, count in rest.items():
        for _ in range(count):
            items.add("", math.nan, Slot.AREA, model, place, extra)


def _area_moments(
    record: MinefieldRecord, network: Network, points: Points, priors: Priors
) -> tuple[tuple[Floats, Floats] | None, Floats]:
    """Mean and covariance of a device anywhere in the stated area, or else about the rows' end points."""
    corners = [points[name] for name in record.area if name in points]
    if len(corners) < 3:
        names = {name for row in record.rows for name in (row.origin, row.target) if name in points}
        corners = [points[name] for name in sorted(names)]
    if not corners:
        return None, _pattern_cov(priors)
    place = (np.mean([c[0] for c in corners], axis=0), np.mean([c[1] for c in corners], axis=0))
    at = network.positions(np.array([c[0] for c in corners]), np.array([c[1] for c in corners]))
    offsets = np.stack([at.real, at.imag]) - np.stack([at.real, at.imag]).mean(axis=1, keepdims=True)
    spread = offsets @ offsets.T / max(1, len(corners))
    # Corners lie at the rim: an even spread inside has about a third of their second moment (exact for boxes).
    hull = Polygon(list(zip(at.real, at.imag, strict=True))).convex_hull if len(corners) >= 3 else None
    inside = 1 / 3 if hull is not None and hull.area > 0 else 1.0
    return place, _pattern_cov(priors) + spread * inside
