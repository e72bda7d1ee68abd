"""``claims.yaml`` -> claims. One that nobody confirmed (no `confirmed_by`) is listed and never tested."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from surefoot.errors import InputError
from surefoot.model import Claim, Doubt, SetAside, TableCount, Where
from surefoot.readers.cells_text import is_nothing
from surefoot.readers.claim_figures import read_figure
from surefoot.readers.dates import read_date
from surefoot.readers.periods import read_period
from surefoot.terms import Bound, Severity

_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_FIELDS = frozenset(field.name for field in fields(Claim)) - {"days"}


@dataclass(frozen=True)
class ClaimsResult:
    """The claims of a file, and what was set aside or doubted."""

    claims: tuple[Claim, ...]
    count: TableCount
    set_aside: tuple[SetAside, ...] = ()
    doubts: tuple[Doubt, ...] = ()


def read_claims(path: Path) -> ClaimsResult:
    """Read a claims file.

    Raises
    ------
    InputError
        SF-R170 when it is no list of claims. One claim that cannot be used is set aside, the others go on.
    """
    name = path.name
    items = _items(path)
    claims: list[Claim] = []
    aside: list[SetAside] = []
    doubts: list[Doubt] = []
    doubtful = 0
    for number, item in enumerate(items, start=1):
        where = Where(name, None, number)
        try:
            claim, told = _claim(item, number, where, {c.id for c in claims})
        except InputError as error:
            aside.append(SetAside(error.id, where, error.found, error.values))
            continue
        claims.append(claim)
        doubts += told
        doubtful += any(d.severity is not Severity.INFO for d in told)
    count = TableCount("claims", name, len(items), len(claims) - doubtful, doubtful, len(aside))
    return ClaimsResult(tuple(claims), count, tuple(aside), tuple(doubts))


def _items(path: Path) -> list[Any]:
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_LOADER)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError("SF-R170", path.name, detail=str(error).replace("\n", " ")[:160]) from error
    if isinstance(loaded, dict) and isinstance(loaded.get("claims"), list):
        loaded = loaded["claims"]
    if loaded in (None, ""):
        return []
    if not isinstance(loaded, list):
        raise InputError("SF-R170", path.name, detail=str(loaded)[:80])
    return loaded


def _claim(item: Any, number: int, where: Where, taken: set[str]) -> tuple[Claim, list[Doubt]]:
    if not isinstance(item, dict):
        raise InputError("SF-R170", str(item)[:80], detail="")
    stated = {str(k): v.strip() if isinstance(v, str) else str(v) for k, v in item.items()}
    for required in ("speaker", "value"):
        if is_nothing(stated.get(required, "")):
            raise InputError("SF-R171", stated.get("id", ""), field=required)
    doubts: list[Doubt] = []
    figure = read_figure(stated.get("measure", ""), stated["value"], stated.get("unit", ""), where)
    date = _date(stated, where, doubts)
    period = "" if is_nothing(stated.get("period", "")) else stated["period"]
    claim = Claim(
        id=_id(stated, number, taken),
        speaker=stated["speaker"],
        date=date,
        outlet=stated.get("outlet", ""),
        text=stated.get("text", ""),
        subject=stated.get("subject", ""),
        measure=figure.measure,
        value=figure.value,
        bound=_bound(stated.get("bound", "")),
        unit=figure.unit,
        period=period,
        place=stated.get("place", ""),
        confirmed_by="" if is_nothing(stated.get("confirmed_by", "")) else stated["confirmed_by"],
        days=read_period(period, date) if period else None,
    )
    if claim.id != (stated.get("id") or claim.id):
        doubts.append(Doubt("SF-R175", Severity.WARNING, where, stated["id"], {"id": claim.id}))
    if not claim.confirmed_by:
        doubts.append(Doubt("SF-R174", Severity.INFO, where, claim.id))
    doubts += figure.doubts
    doubts += _unknown_fields(stated, where)
    return claim, doubts


def _unknown_fields(stated: Mapping[str, str], where: Where) -> list[Doubt]:
    return [Doubt("SF-R161", Severity.WARNING, where, key) for key in stated if key not in _FIELDS]


def _id(stated: Mapping[str, str], number: int, taken: set[str]) -> str:
    name = stated.get("id", "") or f"claim-{number}"
    unique, again = name, 2
    while unique in taken:
        unique, again = f"{name}-{again}", again + 1
    return unique


def _bound(text: str) -> Bound:
    try:
        return Bound(text.casefold().replace(" ", "_") or "about")
    except ValueError as error:
        raise InputError("SF-R173", text, known=", ".join(Bound)) from error


def _date(stated: Mapping[str, str], where: Where, doubts: list[Doubt]) -> dt.date | None:
    written = stated.get("date", "")
    if is_nothing(written):
        return None
    read = read_date(written)
    if read is None or not read.exact:
        doubts.append(Doubt("SF-R176", Severity.WARNING, where, written))
        return None
    return read.first
