"""How the devices of a form's rows and its totals agree, type by type, however the names are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from surefoot.designations import category_of_model, is_variant, kind_word, type_key
from surefoot.model import MinefieldRecord, PlannedDevice, Row

# More devices on one record are a slip of the pen: they are told and counted, never laid out one by one.
MOST_DEVICES = 20_000


def items_by_type(record: MinefieldRecord) -> dict[str, int]:
    """Recorded devices of the rows and single devices, by type as first written; "" = type not stated."""
    names: dict[str, str] = {}
    counts: dict[str, int] = {}
    for model, count in _placed(record):
        name = names.setdefault(type_key(model), model)
        counts[name] = counts.get(name, 0) + count
    return {model: count for model, count in counts.items() if count}


def _placed(record: MinefieldRecord) -> Iterator[tuple[str, int]]:
    for row in record.rows:
        yield from (row.mines or {"": row.count or 0}).items()
    for device in record.devices:
        if not _in_counted_row(device, record.rows):
            yield device.model, 1


def _in_counted_row(device: PlannedDevice, rows: tuple[Row, ...]) -> bool:
    return any(row.no == device.row and row.count is not None for row in rows)


def unallocated(record: MinefieldRecord) -> dict[str, int]:
    """Devices in the form's totals that stand in no row: type -> number, "" = of which type is not known."""
    return _Tally(record).short


def excess(record: MinefieldRecord) -> dict[str, int]:
    """By how many the rows exceed the form's own totals, type -> number; "" = all types together."""
    return _Tally(record).over


def variants(record: MinefieldRecord) -> dict[str, str]:
    """Types of the rows that are held against a variant of theirs in the totals, row -> total."""
    tally = _Tally(record)
    return {tally.spelled[key]: model for model, key in tally.in_rows.items()}


def left_out(record: MinefieldRecord) -> dict[str, int]:
    """Fields of the form whose devices are not laid out one by one, with their numbers: more than `MOST_DEVICES`."""
    rows, rest = expanded(record)
    stated = enumerate(zip(record.rows, rows, strict=True), start=1)
    out = {f"rows[{n}].count": row.count or 0 for n, (row, count) in stated if (row.count or 0) > count}
    return out if rest else out | {"totals": _in_no_row(record)}


def expanded(record: MinefieldRecord) -> tuple[tuple[int, ...], bool]:
    """Return the number of devices of each row that are laid out, and whether those of the totals are."""
    room, rows = MOST_DEVICES, []
    for row in record.rows:
        count = row.count or 0
        rows.append(count if count <= room else 0)
        room -= rows[-1]
    return tuple(rows), _in_no_row(record) <= room


def _in_no_row(record: MinefieldRecord) -> int:
    drawn = record.geometry is not None
    return 0 if drawn and record.rows else sum((record.totals if drawn else unallocated(record)).values())


class _Tally:
    """The totals of a form against its rows.

    A total of a known type is held against that type, a total of a category ("ПТМ") against all types of it, a
    total of all types against everything. Devices whose type the rows do not state may be of any type. A type that
    only the totals name is held against the one type of the rows that is a variant of it (ТМ-62, ТМ-62М), if there is
    just one and no other total may mean it: `in_rows`.
    """

    def __init__(self, record: MinefieldRecord) -> None:
        placed = items_by_type(record)
        self.spelled = {type_key(model): model for model in placed}
        self.placed = {type_key(model): count for model, count in placed.items()}
        self.untyped = self.placed.pop("", 0)
        self.short: dict[str, int] = {}
        self.over: dict[str, int] = {}
        totals = _merged(record.totals)
        self.whole = totals.pop("", None)
        self.in_rows = _variants(self.placed, totals)
        if totals:
            self._of_types({model: n for model, n in totals.items() if kind_word(model) is None})
            self._of_kinds({model: n for model, n in totals.items() if kind_word(model) is not None})
            self._not_in_totals(totals)
            self._give_untyped()
        if self.whole is not None:
            self._of_all(self.whole)

    def _settle(self, model: str, stated: int, placed: int) -> None:
        if placed > stated:
            self.over[self._name(model)] = placed - stated
        elif placed < stated:
            self.short[self._name(model)] = stated - placed

    def _name(self, model: str) -> str:
        return self.spelled.get(type_key(model), model)

    def _of_types(self, totals: dict[str, int]) -> None:
        for model, stated in totals.items():
            self._settle(model, stated, self.placed.get(self.in_rows.get(model, type_key(model)), 0))

    def _of_kinds(self, totals: dict[str, int]) -> None:
        for model, stated in totals.items():
            kind = kind_word(model)
            rows = sum(n for key, n in self.placed.items() if category_of_model(self.spelled[key]) is kind)
            missing = sum(n for name, n in self.short.items() if category_of_model(name) is kind)
            self._settle(model, stated, rows + missing)

    def _not_in_totals(self, totals: dict[str, int]) -> None:
        """Types of the rows that the totals do not name are too many, unless a total of all types holds them."""
        named = {type_key(model) for model in totals} | set(self.in_rows.values())
        kinds = {kind_word(model) for model in totals} - {None}
        if self.whole is not None:
            return
        for key, count in self.placed.items():
            if key not in named and category_of_model(self.spelled[key]) not in kinds:
                self.over[self.spelled[key]] = count

    def _give_untyped(self) -> None:
        """Let devices of no stated type fill what is short; what then remains short is sure only type by type."""
        total = sum(self.short.values())
        rest = total - self.untyped
        if self.untyped == 0:
            return
        sure = {model: n - self.untyped for model, n in self.short.items() if n > self.untyped}
        open_rest = max(0, rest) - sum(sure.values())
        self.short = sure | ({"": open_rest} if open_rest > 0 else {})
        if rest < 0 and self.whole is None:
            self.over[""] = -rest

    def _of_all(self, stated: int) -> None:
        placed = sum(self.placed.values()) + self.untyped
        rest = stated - placed - sum(self.short.values())
        if rest > 0:
            self.short[""] = self.short.get("", 0) + rest
        if rest < 0:
            self.over[""] = -rest


def _merged(totals: Mapping[str, int]) -> dict[str, int]:
    names: dict[str, str] = {}
    merged: dict[str, int] = {}
    for model, count in totals.items():
        name = names.setdefault(type_key(model), model)
        merged[name] = merged.get(name, 0) + count
    return merged


def _variants(placed: Mapping[str, int], totals: Mapping[str, int]) -> dict[str, str]:
    """Return total -> key of the rows for types that stand on one side only and can be each other's variant alone."""
    rows = placed.keys() - {type_key(model) for model in totals}
    alone = [model for model in totals if type_key(model) not in placed and kind_word(model) is None]
    possible = [(model, key) for model in alone for key in rows if is_variant(type_key(model), key)]
    models, keys = (Counter(side) for side in zip(*possible, strict=True)) if possible else (Counter(), Counter())
    return {model: key for model, key in possible if models[model] == keys[key] == 1}
