"""What a record may look like on the ground before any find: discrete hypotheses, each a pattern with a prior.

A hypothesis is a reading of `locate` (or one spoilt by a known gross error) put on the case's grid: a pattern about
its centroid, and a normal prior of the similarity (shift east and north, turn, log scale) that takes it to the truth.
That prior is the joint covariance of all the record's places projected onto the four directions a similarity can move
them; what is left over, the errors inside the record, becomes variance of the single device (methods.md sections 1, 2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from surefoot.analysis.locate import Priors, Reading, Readings
from surefoot.analysis.reanchor.sampler import carried
from surefoot.analysis.signatures import mistakes_behind
from surefoot.errors import PositionError
from surefoot.positions.local import from_local
from surefoot.positions.zones import convergence_deg
from surefoot.terms import Slot

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]
Ints = npt.NDArray[np.int64]
Project = Callable[[Floats, Floats], Floats]
"""Longitude and latitude (WGS 84, degrees) to easting and northing of the case's CRS, (n, 2)."""

AS_READ = "as_read"
END_FOR_END = "end_for_end"
MIRRORED = "mirrored"
FIRST_LEG_REVERSED = "first_leg_reversed"
LANDMARK_MISTAKEN = "landmark_mistaken"
LEAST_WEIGHT = 1e-3
_SLIPS = {
    "datum_ignored": ("datum_ignored",),
    "shift_twice": ("shift_twice",),
    "zone": ("zone_west", "zone_east"),
    "swapped": ("swapped",),
    "utm_for_gauss_krueger": ("gauss_kruger_as_utm", "utm_as_gauss_kruger"),
}
_PROJECTED_DEVICES = 48  # devices from which a record's prior is computed
_FLOOR = np.array([0.01, 0.01, np.radians(0.02), 0.0002]) ** 2
SMALLEST_VARIANCE_M2 = 0.01
"""Ten centimetres: no device is known better about its place in the row."""
MISTAKEN_REACH_M = 250.0
"""Sigma per axis of where another landmark of the same description may be, when the form names no candidate."""


@dataclass(frozen=True)
class Hypothesis:
    """One way a record may lie on the ground, before any find.

    Attributes
    ----------
    error
        Gross error assumed: ``as_read``, ``end_for_end``, ``mirrored``, ``first_leg_reversed``, ``datum_ignored`` ...
    reading
        Which reading of the record, from 0.
    labels
        The reading's own assumptions.
    weight
        Prior weight; those of a record sum to 1.
    centroid
        Of the pattern as it reads, easting + i northing in the case's CRS, metres.
    pattern : complex array (n,)
        The devices about the centroid, metres.
    covariance : float array (4, 4)
        Prior of (east m, north m, clockwise turn rad, log scale) about the centroid.
    own_variance : float array (n,)
        Variance per axis of each device about the moved pattern, m2: row offset, scatter, errors of single legs.
    row_variance : float array (n,)
        The part of it that all devices of a row share.
    """

    error: str
    reading: int
    labels: Mapping[str, str]
    weight: float
    centroid: complex
    pattern: Complexes
    covariance: Floats
    own_variance: Floats
    row_variance: Floats


@dataclass(frozen=True)
class RecordPrior:
    """A record's hypotheses over its devices that have a place of their own.

    `item` are rows of the reading's items (slot exact), the same for every hypothesis; `row` their rows' names.
    """

    record_id: str
    item: Ints
    row: npt.NDArray[np.object_]
    hypotheses: tuple[Hypothesis, ...]


def moved(states: Floats, hypothesis: Hypothesis) -> Complexes:
    """Places of every device under every state, (s, n), easting + i northing, metres."""
    return hypothesis.centroid + carried(states, hypothesis.pattern)


def hypotheses_of(readings: Readings, priors: Priors, project: Project, crs: str) -> RecordPrior | None:
    """Return the hypotheses of a record, heaviest first; None where no device has a place of its own.

    Parameters
    ----------
    readings
        The record as placed by `locate`.
    priors
        Those of the record's series.
    project, crs
        The case's grid.
    """
    best = readings.best
    if best is None or best.pivot is None:
        return None
    item = np.flatnonzero(best.items.slot == Slot.EXACT)
    if not len(item):
        return None
    made: list[Hypothesis] = []
    for number, reading in enumerate(readings.readings):
        # A reading in which other devices have a place is another list: it is weighed, but as a whole.
        same = np.array_equal(np.flatnonzero(reading.items.slot == Slot.EXACT), item)
        if same and reading.pivot is not None and reading.weight >= LEAST_WEIGHT:
            made.extend(_of_reading(number, reading, item, priors, project, crs))
    kept = sorted(made, key=lambda h: -h.weight)[: priors.keep_at_most()]
    total = sum(h.weight for h in kept)
    named = tuple(replace(h, weight=h.weight / total) for h in kept)
    return RecordPrior(readings.record_id, item, best.items.row[item], named)


def _of_reading(
    number: int, reading: Reading, item: Ints, priors: Priors, project: Project, crs: str
) -> list[Hypothesis]:
    table = priors.table["hypotheses"]
    shared = priors.row_offset_sd_m**2
    plain = _as_read(number, reading, item, project, crs, shared)
    made = [replace(plain, error=END_FOR_END, weight=table["end_for_end"], pattern=-plain.pattern)]
    made.append(replace(plain, error=MIRRORED, weight=table["mirrored"], pattern=_mirrored(plain, reading, item)))
    if len(reading.network.legs):
        turned = _with_first_leg_turned(reading)
        back = _as_read(number, turned, item, project, crs, shared)
        made.append(replace(back, error=FIRST_LEG_REVERSED, weight=table["first_leg_reversed"]))
    if reading.drawn is None:
        made.extend(_slips(plain, reading, table["coordinate_slip"], project, crs))
        wider = plain.covariance + np.diag([MISTAKEN_REACH_M**2, MISTAKEN_REACH_M**2, 0.0, 0.0])
        made.append(
            replace(plain, error=LANDMARK_MISTAKEN, weight=table["landmark_mistaken"], covariance=wider)
        )  # fmt: skip
    made = [h for h in made if h.weight > 0.0]
    rest = 1.0 - sum(h.weight for h in made)
    return [replace(h, weight=h.weight * reading.weight) for h in (replace(plain, weight=rest), *made)]


def _as_read(
    number: int, reading: Reading, item: Ints, project: Project, crs: str, row_offset_m2: float
) -> Hypothesis:  # fmt: skip
    assert reading.pivot is not None
    items = reading.items
    local = reading.network.positions(items.base[item], items.chain[item]) + items.offset[item]
    xy = project(*from_local(local, pivot=reading.pivot))
    places = xy[:, 0] + 1j * xy[:, 1]
    centroid = complex(places.mean())
    turn = np.radians(float(convergence_deg(crs, reading.pivot[0], reading.pivot[1])))
    covariance, left_over = _similarity_prior(reading, item, places - centroid, turn)
    extra = 0.5 * np.trace(items.extra_cov[item], axis1=1, axis2=2)
    row = np.minimum(row_offset_m2, extra) + left_over
    own = np.maximum(extra + left_over, SMALLEST_VARIANCE_M2)
    return Hypothesis(AS_READ, number, reading.hypotheses, 1.0, centroid, places - centroid, covariance, own, row)


def _similarity_prior(reading: Reading, item: Ints, pattern: Complexes, turn_rad: float) -> tuple[Floats, Floats]:
    """Project the joint covariance of the devices onto shift, turn and scale; return it and the rest per device.

    `turn_rad` is how far the grid's axes are turned clockwise from the local frame's.
    """
    few = np.unique(np.linspace(0, len(item) - 1, min(len(item), _PROJECTED_DEVICES)).round().astype(int))
    chosen, count = item[few], len(few)
    joint = reading.network.joint_covariance(reading.items.base[chosen], reading.items.chain[chosen])
    onto_grid = np.kron(np.eye(count), _turned_axes(turn_rad))
    joint = onto_grid @ joint @ onto_grid.T
    basis = similarity_basis(pattern[few])
    back = np.linalg.pinv(basis)
    covariance = back @ joint @ back.T
    inside = joint - basis @ covariance @ basis.T
    rest = np.maximum(0.5 * (np.diag(inside)[0::2] + np.diag(inside)[1::2]), 0.0)
    covariance = 0.5 * (covariance + covariance.T) + np.diag(_FLOOR)
    return covariance, np.interp(np.arange(len(item)), few, rest)


def similarity_basis(pattern: Complexes) -> Floats:
    """Return (2n, 4): how shift east, shift north, clockwise turn (rad) and log scale move each device."""
    east, north = pattern.real, pattern.imag
    one, zero = np.ones(len(pattern)), np.zeros(len(pattern))
    rows = np.stack([np.column_stack([one, zero, north, east]), np.column_stack([zero, one, -east, north])], axis=1)
    return np.asarray(rows.reshape(-1, 4))


def _turned_axes(turn_rad: float) -> Floats:
    """Coordinates east, north in axes that are turned clockwise."""
    cosine, sine = np.cos(turn_rad), np.sin(turn_rad)
    return np.array([[cosine, -sine], [sine, cosine]])


def _mirrored(plain: Hypothesis, reading: Reading, item: Ints) -> Complexes:
    """Reflect the pattern in the line through its centroid along its first row."""
    first = np.flatnonzero(reading.items.row[item] == reading.items.row[item][0])
    along = plain.pattern[first[-1]] - plain.pattern[first[0]]
    if abs(along) == 0.0:
        along = 1.0 + 0.0j
    return np.asarray((along / abs(along)) ** 2 * np.conj(plain.pattern))


def _with_first_leg_turned(reading: Reading) -> Reading:
    legs = reading.network.legs.copy()
    legs[0] = -legs[0]
    return replace(reading, network=replace(reading.network, legs=legs))


def _slips(
    plain: Hypothesis, reading: Reading, weights: Mapping[str, float], project: Project, crs: str
) -> list[Hypothesis]:
    """Gross errors of the coordinates themselves: the whole pattern elsewhere."""
    assert reading.pivot is not None
    source = reading.crs if reading.crs.startswith("EPSG") else "EPSG:4326"
    try:
        mistakes = mistakes_behind(*reading.pivot, source, metric_crs=crs)
    except PositionError:
        return []
    moves = {mistake.name: complex(mistake.east_m, mistake.north_m) for mistake in mistakes}
    digits = [name for name in moves if name.startswith("digits_")]
    made = []
    for slip, names in {**_SLIPS, "digits": tuple(digits)}.items():
        known: Sequence[str] = [name for name in names if name in moves]
        for name in known:
            weight = weights[slip] / len(known)
            made.append(replace(plain, error=name, weight=weight, centroid=plain.centroid - moves[name]))
    return made
