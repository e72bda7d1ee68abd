"""Devices by type: rows of several types, and of which types what is still in the ground is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from surefoot.designations import type_key
from surefoot.terms import Fate

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MANY = 25.0
"""Variance of a number of devices from which it is taken as normal."""


@dataclass(frozen=True, eq=False)
class OpenByType:
    """Devices that nothing accounts for, by record and type.

    Attributes
    ----------
    names : (types,)
        As `type_key` gives them; "" = not stated.
    recorded, open, mean, left : (records, types)
        Devices recorded, of these not accounted for, expected to be there of the latter, found and left in place.
    """

    names: tuple[str, ...]
    recorded: Floats
    open: Floats
    mean: Floats
    left: Floats

    def shared_out(self, record: int, remaining: Floats, rng: np.random.Generator) -> Floats:
        """Share out draws of what remains of a record among its types, (types, draws); the sums are kept.

        Type after type, each given what is left for it and the rest: two binomials given their sum. What remains beyond
        the open devices was laid beyond the record and comes in its proportions; a part of a device goes to all.
        """
        out = np.zeros((len(self.names), remaining.size))
        held = np.flatnonzero(self.recorded[record] > 0.0)
        share = self.recorded[record, held] / self.recorded[record, held].sum()
        number = np.ceil(self.open[record, held] - 1e-9).astype(np.int64)
        mean = np.minimum(self.mean[record, held], number)
        whole = np.floor(remaining + 1e-9).astype(np.int64)
        inside = np.minimum(whole, number.sum())
        out[held] = rng.multinomial(whole - inside, share).T + share[:, None] * (remaining - whole)
        for at, kind in enumerate(held[:-1]):
            rest = int(number[at + 1 :].sum()), float(mean[at + 1 :].sum())
            here = _given_sum((int(number[at]), float(mean[at])), rest, inside, rng)
            out[kind] += here
            inside = inside - here
        out[held[-1]] += inside
        return out


def _given_sum(one: tuple[int, float], other: tuple[int, float], total: Ints, rng: np.random.Generator) -> Ints:
    """Draw a binomial number given its sum with another, (draws,); of each the number of trials and the mean."""
    (n, mean), (m, rest) = one, other
    variance, beside = (float(a * (1.0 - a / b)) if b else 0.0 for a, b in ((mean, n), (rest, m)))
    if min(variance, beside) > MANY:
        part = variance / (variance + beside)
        drawn = mean + part * (total - mean - rest) + np.sqrt(part * beside) * rng.standard_normal(total.size)
        whole = np.floor(drawn + rng.random(total.size)).astype(np.int64)
        return np.asarray(np.clip(whole, np.maximum(total - m, 0), np.minimum(total, n)))
    values, line = np.unique(total, return_inverse=True)
    here = np.arange(min(n, int(values[-1])) + 1)
    there = values[:, None] - here
    weight = _log_binomial(n, mean)[here] + _log_binomial(m, rest)[np.clip(there, 0, m)]
    weight = np.where((there >= 0) & (there <= m), weight, -np.inf)
    below = np.cumsum(np.exp(weight - weight.max(axis=1, keepdims=True)), axis=1)
    below /= below[:, -1:]
    steps = (below + np.arange(values.size)[:, None]).ravel()  # ascending, one line after the other
    drawn = np.searchsorted(steps, line + rng.random(total.size), side="right") - line * here.size
    return np.asarray(np.minimum(drawn, here[-1]), dtype=np.int64)


def _log_binomial(trials: int, mean: float) -> Floats:
    """Log probabilities of 0 to `trials`; none is quite impossible."""
    k, chance = np.arange(trials + 1), np.clip(mean / max(trials, 1), 1e-6, 1.0 - 1e-6)
    ways = gammaln(trials + 1) - gammaln(k + 1) - gammaln(trials - k + 1)
    return np.asarray(ways + k * np.log(chance) + (trials - k) * np.log1p(-chance))


def open_by_type(taken: TakenOfModels, gone: Floats, chance: Floats, left: Floats, record: Ints) -> OpenByType:
    """Count by record and type.

    Parameters
    ----------
    taken
        The labels of the n items and what removals took of each type.
    gone : (n,)
        What finds and removals account for of each item.
    chance : (n,)
        P(the item is there), given that nothing accounts for it.
    left : (n,)
        P(found and left in place).
    record : (n,)
        Line of the item's record, from 0 without gaps.
    """
    names = tuple(sorted({key for named in taken.names for key in named}))
    recorded, open_, mean, there = (np.zeros((int(record.max()) + 1, len(names))) for _ in range(4))
    for number in range(len(taken.labels)):
        rows = np.flatnonzero(taken.label == number)
        for key, part in taken.open_parts(number, rows, gone[rows]).items():
            at, share = (record[rows], np.full(rows.size, names.index(key))), taken.shares[number][key]
            np.add.at(recorded, at, share)
            np.add.at(open_, at, part)
            np.add.at(mean, at, part * chance[rows])
            np.add.at(there, at, share * left[rows])
    return OpenByType(names, recorded, open_, mean, there)


class TakenOfModels:
    """How much of each item a removal of one type may take, where rows hold several types.

    `rows` are the items of the removal's record, (k,) indices; shares and amounts are theirs, (k,).
    """

    def __init__(self, labels: Sequence[str], mixtures: Mapping[str, Mapping[str, float]]) -> None:
        number: dict[str, int] = {}
        self.label = np.array([number.setdefault(label, len(number)) for label in labels], dtype=np.int64)
        self.labels = tuple(number)
        stated = [mixtures.get(label, {label: 1.0}) for label in self.labels]
        self.shares = [{type_key(m): s for m, s in shares.items()} for shares in stated]
        self.names = [{type_key(m): m for m in shares} for shares in stated]
        self.taken: dict[str, Floats] = {}
        self.of_model: dict[tuple[str, str, Fate], float] = {}

    def share(self, model: str, rows: Ints) -> Floats:
        """Share of each item that is of the model; all of it where either is not stated, (k,)."""
        wanted = type_key(model)
        by_label = [1.0 if not wanted or "" in shares else shares.get(wanted, 0.0) for shares in self.shares]
        return np.asarray(by_label, dtype=np.float64)[self.label[rows]]

    def open_share(self, model: str, share: Floats, gone: Floats, rows: Ints) -> Floats:
        """Part of each item that is of the model and still open, (k,): finds took of every type alike.

        `gone` is what finds and removals took of each item.
        """
        removed = sum((taken[rows] for taken in self.taken.values()), np.zeros(rows.size))
        found = np.maximum(gone - removed, 0.0)
        key = type_key(model)
        own = self.taken[key][rows] if model and key in self.taken else np.zeros(rows.size)
        return np.where(share >= 1.0, 1.0, share * (1.0 - found) - own)

    def note(self, model: str, fate: Fate, off: Floats, rows: Ints) -> None:
        """Remember what was taken of which model."""
        key = type_key(model)
        self.taken.setdefault(key, np.zeros(self.label.size))[rows] += off
        amounts = np.bincount(self.label[rows], weights=off, minlength=len(self.labels))
        for number in np.flatnonzero(amounts):
            if model and len(self.shares[number]) > 1:
                at = (self.labels[number], self.names[number].get(key, model), fate)
                self.of_model[at] = self.of_model.get(at, 0.0) + float(amounts[number])

    def open_parts(self, number: int, rows: Ints, gone: Floats) -> dict[str, Floats]:
        """What is open of items of label `number` by type, (k,) each; together 1 - `gone`, what is gone of each."""
        parts = {
            key: np.maximum(self.open_share(name, np.full(rows.size, self.shares[number][key]), gone, rows), 0.0)
            for key, name in self.names[number].items()
        }
        whole = np.maximum(sum(parts.values(), np.zeros(rows.size)), 1e-300)
        return {key: part * np.maximum(1.0 - gone, 0.0) / whole for key, part in parts.items()}
