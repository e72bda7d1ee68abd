"""``case.toml``: the settings of a case, checked key by key."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from surefoot.errors import SurefootError, UsageError
from surefoot.model import Doubt, Policy, Where
from surefoot.readers.columns import KINDS
from surefoot.readers.dates import read_date
from surefoot.readers.plane import is_geographic, source_of
from surefoot.terms import AreaStatus, Severity

FILE = "case.toml"
_MAX_BYTES = 5_000_000
_NO_POLICY = Policy()
_BUFFERS = (0.0, 25.0, 100.0, 500.0, 1000.0)
_SECTIONS: Mapping[str, frozenset[str]] = {
    "outside": frozenset({"maps", "buffers_m"}),
    "verified": frozenset({"include_cleared"}),
    "policy": frozenset({"p_star", "fade_out_m", "lane_rules", "exposure_ratio"}),
}
_KEYS = frozenset(_SECTIONS) | {
    *("name", "region", "bbox", "crs", "as_of", "cell_m", "simulated"),
    *("columns", "values", "series", "priors", "learned"),
}


@dataclass(frozen=True)
class CaseFile:
    """``case.toml`` as stated; None where it does not say."""

    name: str | None = None
    region: str | None = None
    bbox: tuple[float, float, float, float] | None = None
    crs: str | None = None
    as_of: dt.date | None = None
    cell_m: float = 50.0
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    series: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    priors: Mapping[str, Any] = field(default_factory=dict)
    learned: str | None = None
    maps: tuple[str, ...] | None = None
    buffers_m: tuple[float, ...] = _BUFFERS
    include_cleared: bool = False
    policy: Policy = _NO_POLICY
    simulated: bool = False
    doubts: tuple[Doubt, ...] = ()


def read_case_file(folder: Path) -> CaseFile:
    """Read ``case.toml`` of a case folder; without one the defaults stand, with a doubt.

    Raises
    ------
    UsageError
        SF-R162 for a key of the wrong type or range, SF-R163 for a file that is not TOML.
    """
    path = folder / FILE
    if not path.is_file():
        return CaseFile(doubts=(_doubt("SF-R187", FILE),))
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise UsageError("SF-R163", FILE, detail=f"> {_MAX_BYTES} bytes")
        stated = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError("SF-R163", FILE, detail=str(error)) from error
    return _checked(stated)


def _checked(stated: Mapping[str, Any]) -> CaseFile:
    outside, verified = _section(stated, "outside"), _section(stated, "verified")
    return CaseFile(
        name=_one(stated, "name", _text),
        region=_one(stated, "region", _text),
        bbox=_one(stated, "bbox", _bbox),
        crs=_one(stated, "crs", _crs),
        as_of=_one(stated, "as_of", _day),
        cell_m=_one(stated, "cell_m", _positive) or 50.0,
        columns=_columns(_section(stated, "columns")),
        values=_values(_section(stated, "values")),
        series=_tables(_section(stated, "series"), "series"),
        priors=_section(stated, "priors"),
        learned=_one(stated, "learned", _text),
        maps=_one(outside, "maps", _maps, "outside."),
        buffers_m=_one(outside, "buffers_m", _buffers, "outside.") or _BUFFERS,
        include_cleared=_one(verified, "include_cleared", _truth, "verified.") or False,
        policy=_policy(_section(stated, "policy")),
        simulated=_one(stated, "simulated", _truth) or False,
        doubts=_unknown(stated),
    )


def _doubt(id_: str, found: str) -> Doubt:
    return Doubt(id_, Severity.WARNING, Where(FILE), found)


def _unknown(stated: Mapping[str, Any]) -> tuple[Doubt, ...]:
    strange = [key for key in stated if key not in _KEYS]
    for section, keys in _SECTIONS.items():
        strange += [f"{section}.{key}" for key in stated.get(section, {}) if key not in keys]
    for section in ("columns", "values"):
        strange += [f"{section}.{kind}" for kind in stated.get(section, {}) if kind not in (*KINDS, "cells")]
    return tuple(_doubt("SF-R161", key) for key in strange)


def _wrong(key: str, value: object, expected: str) -> UsageError:
    return UsageError("SF-R162", str(value)[:100], key=key, expected=expected)


def _one(table: Mapping[str, Any], key: str, check: Callable[[str, Any], Any], prefix: str = "") -> Any:
    return check(prefix + key, table[key]) if key in table else None


def _section(stated: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    section = stated.get(key, {})
    if not isinstance(section, dict):
        raise _wrong(key, section, "a table, [" + key + "]")
    return section


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _wrong(key, value, "text in quotes")
    return value.strip()


def _truth(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(key, value, "true or false")
    return value


def _number(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
        raise _wrong(key, value, "a number")
    return float(value)


def _positive(key: str, value: Any) -> float:
    number = _number(key, value)
    if number <= 0:
        raise _wrong(key, value, "a number above 0")
    return number


def _share(key: str, value: Any) -> float:
    number = _number(key, value)
    if not 0 < number < 1:
        raise _wrong(key, value, "a number between 0 and 1")
    return number


def _numbers(key: str, value: Any) -> tuple[float, ...]:
    if not isinstance(value, list):
        raise _wrong(key, value, "a list of numbers")
    return tuple(_number(key, one) for one in value)


def _bbox(key: str, value: Any) -> tuple[float, float, float, float]:
    box = _numbers(key, value)
    expected = "[west, south, east, north] in degrees, west < east and south < north"
    if len(box) != 4:
        raise _wrong(key, value, expected)
    west, south, east, north = box
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise _wrong(key, value, expected)
    return west, south, east, north


def _crs(key: str, value: Any) -> str:
    expected = 'a CRS in metres such as "EPSG:32638"'
    try:
        source = source_of(_text(key, value))
    except SurefootError as error:
        raise _wrong(key, value, expected) from error
    if source is None or is_geographic(source):
        raise _wrong(key, value, expected)
    return source


def _day(key: str, value: Any) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    stated = read_date(value) if isinstance(value, str) else None
    if stated is None or not stated.exact:
        raise _wrong(key, value, "a day, 2024-12-31")
    return stated.first


def _columns(section: Mapping[str, Any]) -> Mapping[str, Mapping[str, str]]:
    tables = _tables(section, "columns")
    return {
        kind: {ours: _text(f"columns.{kind}.{ours}", theirs) for ours, theirs in table.items()}
        for kind, table in tables.items()
    }


def _values(section: Mapping[str, Any]) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    return {
        kind: {
            column: {theirs: _text(f"values.{kind}.{column}", ours) for theirs, ours in words.items()}
            for column, words in _tables(columns, f"values.{kind}").items()
        }
        for kind, columns in _tables(section, "values").items()
    }


def _tables(section: Mapping[str, Any], key: str) -> Mapping[str, Mapping[str, Any]]:
    for name, table in section.items():
        if not isinstance(table, dict):
            raise _wrong(f"{key}.{name}", table, f"a table, [{key}.{name}]")
    return section


def _maps(key: str, value: Any) -> tuple[str, ...]:
    expected = 'a list of "records" and "areas:STATUS", STATUS one of ' + ", ".join(AreaStatus)
    allowed = {"records", "areas", *(f"areas:{status}" for status in AreaStatus)}
    if not isinstance(value, list) or not value or not all(one in allowed for one in value):
        raise _wrong(key, value, expected)
    return tuple(value)


def _buffers(key: str, value: Any) -> tuple[float, ...]:
    buffers = _numbers(key, value)
    if not buffers or min(buffers) < 0:
        raise _wrong(key, value, "a list of metres, none below 0")
    return tuple(sorted(set(buffers)))


def _policy(section: Mapping[str, Any]) -> Policy:
    ratio = _one(section, "exposure_ratio", _ratio, "policy.")
    rules = section.get("lane_rules")
    if rules is not None and not isinstance(rules, dict):
        raise _wrong("policy.lane_rules", rules, "a table")
    return Policy(
        p_star=_one(section, "p_star", _share, "policy."),
        fade_out_m=_one(section, "fade_out_m", _positive, "policy."),
        exposure_ratio=ratio,
        lane_rules=rules,
    )


def _ratio(key: str, value: Any) -> tuple[float, ...]:
    ratios = (_positive(key, value),) if not isinstance(value, list) else _numbers(key, value)
    if not ratios or min(ratios) <= 0:
        raise _wrong(key, value, "a number above 0, or a list of such")
    return ratios
