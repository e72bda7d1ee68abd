"""Later events: only a number beside what happened, or beside a type, is a number of devices."""

from __future__ import annotations

from typing import Any

import pytest

from surefoot.model import Where
from surefoot.readers.forms.documents import FormDocument
from surefoot.readers.forms.events import parse_events
from surefoot.readers.forms.parse import parse_form

LIFTED = ("lifted", "1994-10-12", 40, "ПМН")


def told(text: str) -> list[tuple[str, str | None, int | None, str]]:
    events = parse_events(text)
    return [(e.kind.value, e.date.first.isoformat() if e.date else None, e.count, e.model) for e in events]


@pytest.mark.parametrize(
    "text",
    [
        "12.10.94г. снято: 40 ПМН (акт №5 от 13.10.94)", "12.10.94 снято 40 ПМН, акт № 17/3 от 15.10.94",
        "снято 40 ПМН 12.10.94, акт № 17/3 от 15.10.94", "12.10.94 снято 40 ПМН согласно приказу № 123 от 01.10.94",
        "12.10.94 снято 40 ПМН по акту 5 от 13.10", "исх. 123: 12.10.94 снято 40 ПМН", "12.10.94 в 14:30 снято 40 ПМН",
        "12.10.94 снято 40 ПМН отрядом 5", "12.10.94 в квадрате 3064 снято 40 ПМН", "снято 40 ПМН (12.10.94)",
        "12.10.94 снято 40 ПМН (из 60)", "12.10.94 снято 40 ПМН, в т.ч. 5 на неизвлекаемость",
        "12.10.94 снято (40 ПМН)",
        "12.10.94 снято за 3 дня 40 ПМН на глубине 10 см", "1994-10-12: извлечено 40 шт. ПМН",
        "«12» октября 1994 г. снято 40 ПМН",
        "12.10.94 разминировано, снято 40 ПМН", "12.10.94 снято и уничтожено 40 ПМН (протокол 12-94, стр. 3)",
        "12.10.94 снято 40 мин ПМН. Журнал № 2", "12 октября 1994 г. - 40 ПМН снято",
    ],
)  # fmt: skip
def test_one_event_is_one_event(text: str) -> None:
    assert told(text) == [LIFTED]


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("lifted 40 PMN on 12.10.94 (ref. No. 77 of 13.10.94)", [("lifted", "1994-10-12", 40, "PMN")]),
        ("No. 5: lifted 40 PMN and 12 TM-62 on 12 Oct 1994, report 14",
         [("lifted", "1994-10-12", 40, "PMN"), ("lifted", "1994-10-12", 12, "TM-62")]),
        ("12.10.94 снято 40 ПМН, 13.10.94 переустановлено 10 ПМН", [LIFTED, ("relaid", "1994-10-13", 10, "ПМН")]),
        ("12.10.94 снято 40 ПМН; 13.10.94 подорвалась 1 ТМ-62", [LIFTED, ("detonated", "1994-10-13", 1, "ТМ-62")]),
        ("12.10.94 снято 40 ПМН, взорвано 5 ПМН", [LIFTED, ("detonated", "1994-10-12", 5, "ПМН")]),
        ("12.10.94 снято 40 ПМН и 3 ТМ-62М, 5.11.94 смыто паводком 7 ПМН",
         [LIFTED, ("lifted", "1994-10-12", 3, "ТМ-62М"), ("lost", "1994-11-05", 7, "ПМН")]),
        ("12.10.94 снято 40 ПМН, 13.10.94 40 ПМН", [LIFTED, ("lifted", "1994-10-13", 40, "ПМН")]),
        ("снято 45 мин (40 ПМН, 5 ТМ-62)", [("lifted", None, 40, "ПМН"), ("lifted", None, 5, "ТМ-62")]),
        ("с 12 по 15.10.94 снято 1 200 ПМН", [("lifted", "1994-10-15", 1200, "ПМН")]),
        ("снято 40", [("lifted", None, 40, "")]), ("снято 2 ряда", [("lifted", None, None, "")]),
        ("12.10.94 передано в/ч 12345", [("handed_over", "1994-10-12", None, "")]),
        ("паводок 1996", [("lost", "1996-01-01", None, "")]),
        ("затоплено весной 1996", [("lost", "1996-03-01", None, "")]),
    ],
)  # fmt: skip
def test_several_events_in_one_text(text: str, events: list[Any]) -> None:
    assert told(text) == events


def test_a_day_that_does_not_exist_takes_nothing_else_along() -> None:
    text = "31.02.94 снято 40 ПМН, 12.10.94 снято 5 ПМН"
    record = parse_form(FormDocument(Where("f.yaml", row=1), "f", {"form_no": "1", "events": [text]}))
    assert [(e.count, e.date.first.year if e.date else None) for e in record.events] == [(40, None), (5, 1994)]
    assert "SF-R010" in {d.id for d in record.doubts}


def test_a_month_first_on_a_day_that_does_not_exist_is_told() -> None:
    record = parse_form(
        FormDocument(Where("f.yaml", row=1), "f", {"form_no": "1", "events": ["02/30/1994 lifted 5 PMN"]})
    )
    assert [(e.count, e.date) for e in record.events] == [(5, None)]
    assert "SF-R010" in {d.id for d in record.doubts}


@pytest.mark.parametrize(("text", "doubts"), [("", []), (" ", []), (",", ["SF-R024"]), ("???", ["SF-R024"])])
def test_an_entry_that_says_nothing_is_no_event(text: str, doubts: list[str]) -> None:
    record = parse_form(FormDocument(Where("f.yaml", row=1), "f", {"form_no": "1", "events": [text]}))
    assert [d.id for d in record.doubts if d.id == "SF-R024"] == doubts
