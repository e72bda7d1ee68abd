"""Numbers and types of devices: counted once, however they are written, and never in silence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.analysis.locate import LocateContext, items_by_type, locate
from surefoot.designations import category_of_model, kind_word, type_key
from surefoot.errors import InputError
from surefoot.model import Where
from surefoot.readers.forms.counts import read_count, split_device_list, type_of_total
from surefoot.readers.forms.documents import FormDocument
from surefoot.readers.forms.parse import parse_form
from surefoot.readers.priors import default_priors
from surefoot.terms import DeviceCategory, Severity

A = {"id": "A", "position": "X=4430293 Y=8664944"}


def form(**fields: Any) -> Any:
    """Read and place one form."""
    whole = {"form_no": "1", "family": "formulyar", "laid": "07.1993", "crs": "СК-42 зона 8", **fields}
    record = parse_form(FormDocument(Where("f.yaml", row=1), "f", {"reference_points": [A], **whole}))
    return record, locate(record, context=LocateContext(default_priors()))


def doubts(record: Any, located: Any) -> dict[str, Any]:
    return {d.id: d for d in (*record.doubts, *located.doubts)}


def devices(located: Any) -> int:
    return len(located.readings[0].items)


# --- types -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        ("ТМ-62", "TM-62", "тм 62", "TМ62", "мина ТМ-62", "Тм–62"), ("ПМН", "PMN", "пмн", "ПМH", "ՊՄՆ", "мины ПМН"),
        ("МОН-50", "MON-50", "MOH-50"), ("ОЗМ-72", "OZM-72", "О3М-72"), ("ПОМЗ-2", "POMZ-2", "ПОМ3-2"),
        ("М14", "M14", "М-14"), ("ПРОМ-1", "PROM-1"), ("ПМД-6М", "PMD-6M"), ("ППМ", "AP", "противопехотные мины"),
    ],
)  # fmt: skip
def test_one_type_has_one_key(names: tuple[str, ...]) -> None:
    assert len({type_key(name) for name in names}) == 1
    assert DeviceCategory.UNKNOWN not in {category_of_model(name) for name in names}


def test_other_types_have_other_keys() -> None:
    names = ["ТМ-62", "ТМ-62М", "ТМ-57", "ПМН", "ПМН-2", "ПМД-6", "МОН-50", "МОН-100", "ОЗМ-3", "ОЗМ-4", "PMA-2"]
    assert len({type_key(name) for name in names}) == len(names)
    assert kind_word("ПТМ-3") is None
    assert type_key("") == ""


@given(st.text(max_size=12))
def test_a_key_is_its_own_key(text: str) -> None:
    assert type_key(type_key(text)) == type_key(type_key(type_key(text)))


@pytest.mark.parametrize(
    ("rows", "totals", "unallocated", "items"),
    [
        ([{"ТМ-62": "86"}, {"ТМ-62": "86"}], {"TM-62": "180"}, {"ТМ-62": 8}, 180),
        ([{"PMN": "86"}, {"ПМН": "86"}], {"ПМН": "180"}, {"PMN": 8}, 180),
        ([{"ПМН": "90"}, {"ПМН": "82"}], "Всего установлено мин - 180 шт.", {"": 8}, 180),
        ([{"ПМН": "90"}, {"ПМН": "82"}], "Итого: 180", {"": 8}, 180),
        ([{"ПМН": "90"}, {"ПМН": "82"}], "Total mines laid 180", {"": 8}, 180),
        ([{"ПМН": "90", "ТМ-57": "10"}], "Всего 110, из них ПМН 95, ТМ-57 15", {"ПМН": 5, "ТМ-57": 5}, 110),
        ([{"ПМН": "90", "ТМ-57": "10"}], "противопехотных 95, противотанковых 10", {"противопехотных": 5}, 105),
        ([{"": "172"}], {"ПМН": "180"}, {"ПМН": 8}, 180),  # of the one type that is short
        ([{"": "100"}], {"ПМН": "80", "ТМ-57": "80"}, {"": 60}, 160),  # of which type is not known
        ([{"": "100"}], {"ПМН": "150", "ТМ-57": "20"}, {"ПМН": 50, "": 20}, 170),
        ([{"ПМН": "90"}], {"ТМ-57": "10", "всего": "100"}, {"ТМ-57": 10}, 100),
    ],
)  # fmt: skip
def test_what_stands_in_no_row(
    rows: list[dict[str, str]], totals: Any, unallocated: dict[str, int], items: int
) -> None:
    record, located = form(rows=[{"mines": mines} for mines in rows], totals=totals)
    assert dict(located.unallocated) == unallocated
    assert devices(located) == items == sum(items_by_type(record).values()) + sum(unallocated.values())


def test_a_type_too_many_is_told_beside_a_type_too_few() -> None:
    record, located = form(rows=[{"mines": {"ПМН": "160", "ТМ-57": "12"}}], totals="ПМН 170, ТМ-57 10")
    assert dict(located.unallocated) == {"ПМН": 10}
    assert doubts(record, located)["SF-R053"].found == "2 ТМ-57"
    assert doubts(record, located)["SF-R054"].found == "10"


def test_a_type_that_the_totals_do_not_name_is_told() -> None:
    record, located = form(rows=[{"mines": {"ПМН": "160", "ТМ-57": "12"}}], totals={"ПМН": "160"})
    assert doubts(record, located)["SF-R053"].found == "12 ТМ-57"


def test_names_stay_as_they_were_written() -> None:
    record, _ = form(rows=[{"mines": {"PMN": "86"}}, {"mines": {"ПМН": "86"}}], totals={"пмн": "172"})
    assert [dict(row.mines) for row in record.rows] == [{"PMN": 86}, {"ПМН": 86}]
    assert dict(record.totals) == {"пмн": 172}
    assert items_by_type(record) == {"PMN": 172}


def test_a_total_that_stands_twice_with_other_numbers_is_told() -> None:
    record, located = form(rows=[{"mines": {"ПМН": "60"}}], totals={"всего": "60", "итого": "70"})
    assert dict(record.totals) == {"": 70}
    assert "SF-R205" in doubts(record, located)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("всего", ""), ("Общее количество мин", ""), ("из них ПМН", "ПМН"), ("мины ТМ-62", "ТМ-62"), ("ПТМ", "ПТМ"),
        ("number of devices", ""),
    ],
)  # fmt: skip
def test_words_of_a_total_are_no_type(name: str, model: str) -> None:
    assert type_of_total(name) == model


# --- numbers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number", "doubt"),
    [
        ("60", 60, ""), ("60 шт.", 60, ""), ("60шт", 60, ""), ("(12)", 12, ""), ("180 (сто восемьдесят)", 180, ""),
        ("1 200", 1200, ""), ("1,200", 1200, ""), ("60,00", 60, ""), ("всего - 60 мин", 60, ""), ("60 ПМН", 60, ""),
        ("10-15", 15, "SF-R196"), ("10–15 шт.", 15, "SF-R196"), ("от 10 до 15", 15, "SF-R196"),
        ("5 + 5", 10, "SF-R197"), ("5+5+2", 12, "SF-R197"), ("1O", 10, "SF-R198"), ("l2", 12, "SF-R198"),
        ("1О0", 100, "SF-R198"), ("около 40", 40, "SF-R199"), ("12?", 12, "SF-R199"), ("≈12", 12, "SF-R199"),
        (">12", 12, "SF-R199"), ("at least 12", 12, "SF-R199"), ("1.200", 1200, "SF-R200"),
    ],
)  # fmt: skip
def test_counts(text: str, number: int, doubt: str) -> None:
    stated = read_count(text)
    assert (stated.number, stated.doubt) == (number, doubt)


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ("−5", "SF-R012"), ("–5", "SF-R012"), ("- 5", "SF-R012"), ("минус 5", "SF-R012"), ("итого -5", "SF-R012"),
        ("60/12", "SF-R013"), ("1e3", "SF-R013"), ("15-10", "SF-R013"), ("½", "SF-R013"), ("60 из 80", "SF-R013"),
        ("0.200", "SF-R013"), ("№ 5", "SF-R013"), ("60 %", "SF-R013"), ("из них 20 с ВПУ", "SF-R013"),
    ],
)  # fmt: skip
def test_counts_that_are_none(text: str, id_: str) -> None:
    with pytest.raises(InputError) as caught:
        read_count(text)
    assert caught.value.id == id_


def test_a_range_is_told_where_it_stands() -> None:
    record, _ = form(rows=[{"mines": {"ПМН": "10-15"}}])
    (doubt,) = (d for d in record.doubts if d.id == "SF-R196")
    assert (doubt.where.column, doubt.found, doubt.severity) == ("rows[1].mines", "10-15", Severity.WARNING)
    assert record.rows[0].count == 15


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("ПМН 60/ТМ-62 12", {"ПМН": "60", "ТМ-62": "12"}), ("ПМН (60), ТМ-62 (12)", {"ПМН": "60", "ТМ-62": "12"}),
        ("ПМН 60 шт/ТМ-62 12 шт", {"ПМН": "60", "ТМ-62": "12"}), ("60 ПМН 12 ТМ-62", {"ПМН": "60", "ТМ-62": "12"}),
        ("ОЗМ-72 10 МОН-50 5", {"ОЗМ-72": "10", "МОН-50": "5"}), ("60ПМН+12ТМ62", {"ПМН": "60", "ТМ62": "12"}),
        ("ПМН-2 - 60 шт., ТМ-62 М - 12 шт.", {"ПМН-2": "60", "ТМ-62 М": "12"}), ("ПМН", {"ПМН": "?"}),
        ("ПМН - 60 (шестьдесят) шт.", {"ПМН": "60"}), ("противопехотных 60", {"противопехотных": "60"}),
        ("ПМН х 60", {"ПМН": "60"}), ("ПМНx60", {"ПМН": "60"}), ("ПМН 10-15", {"ПМН": "10-15"}),
        ("ПМН 60/12", {"ПМН": "60/12"}),
        ("Valmara 69: 5", {"Valmara 69": "5"}), ("ПМН-2: -5", {"ПМН-2": "-5"}),
        ("60 PMN,12 TM-62", {"PMN": "60", "TM-62": "12"}),
        ("Всего - 180 мин: ПМН 160, ТМ-57 20", {"": "180 мин", "ПМН": "160", "ТМ-57": "20"}),
    ],
)  # fmt: skip
def test_device_lists(text: str, counts: dict[str, str]) -> None:
    assert split_device_list(text) == counts


@pytest.mark.parametrize(
    ("row", "mines"),
    [
        ({"count": "60", "mines": "ПМН"}, {"ПМН": 60}), ({"count": "60", "mines": "ТМ-62"}, {"ТМ-62": 60}),
        ({"count": "60", "mines": ["ПМН"]}, {"ПМН": 60}), ({"count": "60", "mines": {"ПМН": ""}}, {"ПМН": 60}),
        ({"count": "60 ПМН"}, {"ПМН": 60}), ({"count": "60", "mines": {"ПМН": "60"}}, {"ПМН": 60}),
    ],
)  # fmt: skip
def test_a_type_beside_the_number_of_the_row(row: dict[str, Any], mines: dict[str, int]) -> None:
    record, located = form(rows=[row])
    assert dict(record.rows[0].mines) == mines
    assert record.rows[0].count == 60
    assert not any(d.severity is Severity.ERROR for d in (*record.doubts, *located.doubts))


def test_types_that_share_a_number_are_told() -> None:
    record, located = form(rows=[{"count": "60", "mines": "ПМН, ТМ-62"}])
    assert (record.rows[0].count, dict(record.rows[0].mines)) == (60, {})
    assert doubts(record, located)["SF-R202"].found == "ПМН, ТМ-62"
    record, located = form(rows=[{"count": "60", "mines": "ПМН 50, ТМ-62"}])
    assert dict(record.rows[0].mines) == {"ПМН": 50, "ТМ-62": 10}
    assert "SF-R209" in doubts(record, located)
    record, located = form(rows=[{"mines": "ПМН"}])
    assert record.rows[0].count is None
    assert doubts(record, located)["SF-R201"].found == "ПМН"


# --- more than a record can hold -------------------------------------------------------------------------


def test_a_number_that_is_no_row_is_told_and_not_laid_out() -> None:
    rows = [{"mines": {"ПМН": "9999999"}}, {"mines": {"ПМН": "60"}}]
    record, located = form(rows=rows)
    doubt = doubts(record, located)["SF-R195"]
    assert (doubt.found, doubt.where.column, doubt.severity) == ("9999999", "rows[1].count", Severity.ERROR)
    assert items_by_type(record) == {"ПМН": 10_000_059}
    assert devices(located) == 60
    _, located = form(rows=[{"mines": {"ПМН": "20000"}}])
    assert devices(located) == 20_000


def test_a_total_that_is_none_is_told_and_not_laid_out() -> None:
    record, located = form(rows=[{"mines": {"ПМН": "60"}}], totals={"ПМН": "9999999"})
    assert doubts(record, located)["SF-R195"].where.column == "totals"
    assert dict(located.unallocated) == {"ПМН": 9_999_939}
    assert devices(located) == 60
