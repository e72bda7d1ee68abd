"""The ledger of every recorded device: what became of it, in expected counts that add up.

recorded = found + detonated + lifted + lost + searched_not_found + not_searched, for every device, hence for
every type, row and record. What is still in the ground is a separate posterior, not a term of the identity:
a search that misses one device in twenty never proves that all are gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot.analysis.accounting.by_type import TakenOfModels, open_by_type
from surefoot.analysis.accounting.remaining import (
    COLUMN,
    COVERAGE_FACTORS,
    FATES,
    REMOVALS,
    Remaining,
    StillInGround,
    believe,
    believed_detection,
    record_facts,
    still_in_ground,
)
from surefoot.analysis.matching import Association
from surefoot.errors import UsageError
from surefoot.model import Doubt, Where
from surefoot.terms import Fate, FindFate, Severity

__all__ = ["FATES", "Ledger", "Removal", "StillInGround", "ledger"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]

MOST_PRESENT, _HALVINGS = 1.0 - 1e-6, 40
"""Largest presence of a record, and steps in which it is found: to 1e-12."""
_OF_FIND = {FindFate.DETONATED: Fate.DETONATED, FindFate.LIFTED: Fate.LIFTED}
_NOWHERE = Where("")


@dataclass(frozen=True, slots=True)
class Removal:
    """Devices a record says were removed later. `fate` is LIFTED, DETONATED or LOST.

    `count` None = some, not how many; `model` "" = of any type. Which devices they were is not known.
    """

    record: int
    fate: Fate
    count: float | None
    model: str = ""
    raw: str = ""
    where: Where = _NOWHERE


@dataclass(frozen=True, eq=False)
class Ledger:
    """What became of every recorded device.

    Attributes
    ----------
    fate : (n, 6)
        Probabilities over `FATES`; every row sums to one.
    record, row, model : (n,)
        As given.
    still_in_ground
        Of all records together; None when nothing is recorded.
    still_by_record, still_by_type
        Of each record, and of each type by its `designations.type_key` ("" = not stated); the medians do not add up to
        that of all together.
    doubts
        What did not fit, SF-A020 onwards.
    noted_removed : (n,)
        P(an item was removed as its record notes), before looking at what was found.
    present : (n,)
        P(the item is in the ground now): it was not found, or it was left in place.
    removed_of_model
        (label, model, fate) -> devices of that model that a removal took from rows of several types.
    """

    fate: Floats
    record: Ints
    row: Texts
    model: Texts
    still_in_ground: StillInGround | None
    still_by_record: Mapping[int, StillInGround]
    still_by_type: Mapping[str, StillInGround]
    doubts: tuple[Doubt, ...]
    noted_removed: Floats
    present: Floats
    removed_of_model: Mapping[tuple[str, str, Fate], float]

    @property
    def most_probable(self) -> Texts:
        """The most probable fate of each item, (n,)."""
        return np.asarray([FATES[c] for c in np.argmax(self.fate, axis=1)], dtype=object)

    def totals(self) -> dict[str, float]:
        """Return expected counts: recorded and the six fates."""
        return _named(self.fate)

    def by_model(self) -> Mapping[str, Mapping[str, float]]:
        """Return expected counts by type as written."""
        keys = sorted(set(self.model))
        place = {key: at for at, key in enumerate(keys)}
        line = np.fromiter((place[model] for model in self.model), dtype=np.int64, count=self.model.size)
        return {str(k): _line(s) for k, s in zip(keys, _grouped(self.fate, line, len(keys)), strict=True)}

    def by_record(self) -> Mapping[int, Mapping[str, float]]:
        """Return expected counts by record index."""
        keys, line = np.unique(self.record, return_inverse=True)
        sums = _grouped(self.fate, line, keys.size)
        return {int(k): _line(s) for k, s in zip(keys, sums, strict=True)}

    def by_row(self) -> Mapping[tuple[int, str], Mapping[str, float]]:
        """Return expected counts by record index and row name."""
        pairs = list(zip(self.record.tolist(), (str(r) for r in self.row), strict=True))
        keys = sorted(set(pairs))
        place = {key: at for at, key in enumerate(keys)}
        line = np.asarray([place[p] for p in pairs], dtype=np.int64)
        return {k: _line(s) for k, s in zip(keys, _grouped(self.fate, line, len(keys)), strict=True)}


def _grouped(fate: Floats, line: Ints, lines: int) -> Floats:
    counts = np.bincount(line, minlength=lines)
    sums = [np.bincount(line, weights=fate[:, c], minlength=lines) for c in range(len(FATES))]
    return np.column_stack([counts, *sums]).astype(np.float64)


def _line(sums: Floats) -> dict[str, float]:
    return dict(zip(("recorded", *(f.value for f in FATES)), (float(s) for s in sums), strict=True))


def _named(fate: Floats) -> dict[str, float]:
    return _line(np.concatenate([[fate.shape[0]], fate.sum(axis=0)]))


def ledger(
    association: Association,
    *,
    find_fate: Texts,
    item_row: Texts,
    item_model: Texts,
    searched: Floats,
    detection: Floats | float | None,
    removals: Sequence[Removal] = (),
    rng: np.random.Generator,
    find_in_search: npt.NDArray[np.bool_] | None = None,
    item_group: Ints | None = None,
    mixtures: Mapping[str, Mapping[str, float]] | None = None,
    presence_beta: tuple[float, float] = (8.5, 1.5),
    detection_beta: tuple[float, float] = (4.0, 2.0),
    level: float = 0.9,
    draws: int = 2000,
    as_recorded: bool = False,
    elsewhere: float = 0.0,
) -> Ledger:
    """Account for every recorded device.

    Parameters
    ----------
    association
        Of the m finds AND accidents (an accident is a find with fate ``detonated``) with the n recorded
        devices.
    find_fate : (m,)
        `terms.FindFate`; detonated and lifted are columns of their own, every other fate counts as found.
    item_row, item_model : (n,)
        As written; types are compared by `designations.type_key`. "" = type not certain.
    searched : (n,)
        P(the item's place lies on searched ground), before looking at what was found.
    detection
        P(a device on searched ground is found), over 0 and at most 1, of all ground or (n,) of the ground each item
        lies on if on searched ground; None or nan = unknown (`detection_beta`). A stated one is never taken as exact
        (`remaining.STATED_DETECTION_TRIALS`).
    removals
        Removals noted on the records, in order of date.
    rng
        For `still_in_ground`.
    find_in_search : (m,)
        Finds that the search made; None = all but the detonated. The others tell that a device was there, but
        nothing about how well the search finds.
    item_group : (n,)
        Label of the group (series) of the item's record; records of one group share how much of what they
        state is there. None = one group.
    mixtures
        Label of `item_model` -> share of each type, for rows of several types: a removal of one type takes its
        part of such an item.
    presence_beta, detection_beta
        Priors, see priors.toml.
    level, draws
        Of the interval of `still_in_ground`.
    as_recorded
        Positions as recorded: how much of a record's true place was searched is not known well (a search that
        follows finds covers more of it than of the recorded place, one that follows the record less), so
        `still_in_ground` holds for odds of coverage within a factor of `COVERAGE_FACTOR` either way.
    elsewhere
        Chance that a gross error puts a record where its searched ground says nothing of it.

    Returns
    -------
    Ledger

    Raises
    ------
    UsageError
        SF-A003 a probability outside its range.
    """
    ground = np.asarray(searched, dtype=np.float64)
    found_there = _detection(detection, ground)
    fate = _from_finds(association, find_fate)
    noted = _take_removals(fate, association.item_record, item_model, removals, mixtures or {})
    rest = np.maximum(1.0 - fate.sum(axis=1), 0.0)
    usual = detection_beta[0] / sum(detection_beta)
    likely_detection = np.where(np.isfinite(found_there), believed_detection(found_there), usual)
    left = association.per_item((np.asarray(find_fate, dtype=object) == FindFate.LEFT).astype(np.float64))
    belief, presence = None, np.zeros(0)
    if ground.size:
        facts = record_facts(association, fate, ground, found_there, find_fate, find_in_search, item_group, as_recorded)
        factors = COVERAGE_FACTORS if as_recorded else np.ones(1)
        belief = believe(facts, factors, elsewhere, presence_beta, detection_beta)
        presence = _presence(association.item_record, rest, ground, likely_detection, belief.expected_missed())
    on_searched, there = _not_found(ground, presence, likely_detection)
    fate[:, COLUMN[Fate.SEARCHED_NOT_FOUND]] = rest * on_searched
    fate[:, COLUMN[Fate.NOT_SEARCHED]] = rest * (1.0 - on_searched)
    present = np.clip(left + rest * there, 0.0, 1.0)
    still = Remaining(None, {}, {})
    if belief is not None:
        line = belief.facts.line_of(association.item_record)
        types = open_by_type(noted.taken, 1.0 - rest, there, np.minimum(left, 1.0), line)
        still = still_in_ground(belief, level, draws, rng, types)
    return Ledger(
        fate, association.item_record, np.asarray(item_row, dtype=object), np.asarray(item_model,
        dtype=object), still.together, still.by_record, still.by_type, noted.doubts, noted.prior, present,
        noted.taken.of_model,
    )  # fmt: skip


def _detection(stated: Floats | float | None, ground: Floats) -> Floats:
    """Detection probability of every item's ground, (n,); nan = not stated."""
    detection = np.broadcast_to(np.asarray(np.nan if stated is None else stated, dtype=np.float64), ground.shape)
    known = detection[np.isfinite(detection)]
    if not np.all((ground >= 0.0) & (ground <= 1.0)) or not np.all((known > 0.0) & (known <= 1.0)):
        raise UsageError("SF-A003", f"searched / detection {stated}")
    return detection


def _from_finds(association: Association, find_fate: Texts) -> Floats:
    """Fates that finds and accidents give, (n, 6)."""
    fate = np.zeros((association.item_record.size, len(FATES)))
    column = np.asarray([COLUMN[_OF_FIND.get(f, Fate.FOUND)] for f in find_fate], dtype=np.int64)
    for c in np.unique(column):
        fate[:, c] = association.per_item((column == c).astype(np.float64))
    total = fate.sum(axis=1, keepdims=True)
    return np.asarray(fate / np.maximum(total, 1.0), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _Noted:
    """What the records note as removed."""

    prior: Floats  # (n,) before looking at what was found
    taken: TakenOfModels
    doubts: tuple[Doubt, ...]


def _take_removals(
    fate: Floats, record: Ints, item_model: Texts, removals: Sequence[Removal],
    mixtures: Mapping[str, Mapping[str, float]],
) -> _Noted:  # fmt: skip
    """Spread removals over what their records have not yet accounted for, in place; return what did not fit.

    Which devices were removed is not known, so each open device of the type takes an equal part of it.
    """
    prior = np.zeros(record.size)
    taken = TakenOfModels([str(m) for m in item_model], mixtures)
    order = np.argsort(record, kind="stable")
    of_record = record[order]
    doubts: list[Doubt] = []
    for removal in removals:
        if removal.fate not in REMOVALS:
            raise UsageError("SF-A005", str(removal.fate))
        values: dict[str, object] = {
            "fate": removal.fate.value,
            "count": removal.count,
            "model": removal.model,
        }
        if removal.count is None or not removal.count >= 0.0:
            doubts.append(Doubt("SF-A021", Severity.WARNING, removal.where, removal.raw, values))
            continue
        begin, end = np.searchsorted(of_record, [removal.record, removal.record + 1])
        rows = order[begin:end]
        mine = taken.share(removal.model, rows)
        rest = np.minimum(mine * np.maximum(1.0 - prior[rows], 0.0), 1.0)
        if rest.sum() > 0.0:
            prior[rows] += rest * min(1.0, removal.count / float(rest.sum()))
        gone = fate[rows].sum(axis=1)
        rest = np.maximum(np.minimum(1.0 - gone, taken.open_share(removal.model, mine, gone, rows)), 0.0)
        room = float(rest.sum())
        if removal.count > room + 1e-9:
            excess = {**values, "excess": round(removal.count - room, 1), "room": round(room, 1)}
            doubts.append(Doubt("SF-A020", Severity.WARNING, removal.where, removal.raw, excess))
        if room > 0.0:
            off = rest * min(1.0, removal.count / room)
            fate[rows, COLUMN[removal.fate]] += off
            taken.note(removal.model, removal.fate, off, rows)
    return _Noted(np.minimum(prior, 1.0), taken, tuple(doubts))


def _not_found(ground: Floats, presence: Floats, detection: Floats) -> tuple[Floats, Floats]:
    """P(on searched ground) and P(there) of devices that were not found, (n,).

    Given that it was not found, an item is more likely to lie where nobody looked.
    """
    seen = presence * detection
    on_searched = ground * (1.0 - seen) / np.maximum(1.0 - ground * seen, 1e-12)
    on_searched = np.where(ground >= 1.0, 1.0, np.clip(on_searched, 0.0, 1.0))
    missed = presence * (1.0 - detection) / np.maximum(1.0 - seen, 1e-12)
    return on_searched, on_searched * missed + (1.0 - on_searched) * presence


def _presence(record: Ints, rest: Floats, ground: Floats, detection: Floats, missed: Mapping[int, float]) -> Floats:
    """P(a recorded device that was not removed is there), of each record, (n,).

    That with which its devices not accounted for, `rest` (n,), add up to what is expected of the record, `missed`: a
    sum over its devices then says what the posterior of the record says.
    """
    keys, line = np.unique(record, return_inverse=True)
    wanted = np.array([missed[int(key)] for key in keys])
    low, high = np.zeros(keys.size), np.full(keys.size, MOST_PRESENT)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        there = _not_found(ground, middle[line], detection)[1]
        few = np.bincount(line, weights=rest * there, minlength=keys.size) < wanted
        low, high = np.where(few, middle, low), np.where(few, high, middle)
    return np.asarray((0.5 * (low + high))[line], dtype=np.float64)
