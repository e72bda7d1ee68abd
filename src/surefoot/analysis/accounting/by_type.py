"""Devices by type: rows of several types, and of which types what is still in the ground is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot.designations import type_key
from surefoot.terms import Fate

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BEYOND_RECORD = 1e-6
"""Part that each recorded device takes of what remains where all of them are accounted for: more was laid."""


@dataclass(frozen=True, eq=False)
class OpenByType:
    """Devices that nothing accounts for, by record and type.

    Attributes
    ----------
    names : (types,)
        As `type_key` gives them; "" = not stated.
    mean, variance : (records, types)
        Of the number that is there, were the devices independent.
    left : (records, types)
        Found and left in place.
    """

    names: tuple[str, ...]
    mean: Floats
    variance: Floats
    left: Floats

    def shared_out(self, record: int, remaining: Floats, rng: np.random.Generator) -> Floats:
        """Share out draws of what remains of a record among its types, (types, draws); the sums are kept.

        Type after type, each given the rest: normal, as sums of many independent devices are given their total, to
        whole devices. What is there of a type that the record does not hold is 0.
        """
        out = np.zeros((len(self.names), remaining.size))
        held = np.flatnonzero(self.variance[record] > 0.0)
        mean, variance = self.mean[record, held], self.variance[record, held]
        rest = remaining.copy()
        for at, kind in enumerate(held):
            among = variance[at] / variance[at:].sum()
            if among < 1.0:
                here = mean[at] + among * (rest - mean[at:].sum())
                here += np.sqrt(variance[at] * (1.0 - among)) * rng.standard_normal(rest.size)
                out[kind] = np.clip(np.floor(here + rng.random(rest.size)), 0.0, rest)
            else:
                out[kind] = rest
            rest = rest - out[kind]
        return out


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
    mean, variance, there = (np.zeros((int(record.max()) + 1, len(names))) for _ in range(3))
    likely = np.clip(chance, 1e-3, 1.0 - 1e-3)  # a type whose devices are all sure still takes its part of a surprise
    for number in range(len(taken.labels)):
        rows = np.flatnonzero(taken.label == number)
        for key, part in taken.open_parts(number, rows, gone[rows]).items():
            at, share = (record[rows], np.full(rows.size, names.index(key))), taken.shares[number][key]
            np.add.at(mean, at, part * chance[rows])
            np.add.at(variance, at, part * likely[rows] * (1.0 - likely[rows]) + BEYOND_RECORD * share)
            np.add.at(there, at, share * left[rows])
    return OpenByType(names, mean, variance, there)


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
