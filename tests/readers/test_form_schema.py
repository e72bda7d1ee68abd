"""The schema of the record form looks at keys, kinds and list lengths only: forms of one shape are checked once."""

from __future__ import annotations

from typing import Any

import pytest

from surefoot.model import Where
from surefoot.readers.forms import parse
from surefoot.readers.forms.documents import FormDocument
from surefoot.readers.forms.notes import Notes

STRUCTURE = {
    "type", "properties", "additionalProperties", "items", "required", "anyOf", "minItems", "maxItems",
    "description", "title", "$id", "$schema",
}  # fmt: skip


def keywords(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(keywords, schema))
    if not isinstance(schema, dict):
        return set()
    inside = [v for k, v in schema.items() if k != "properties"] + list(schema.get("properties", {}).values())
    return set(schema).union(*map(keywords, inside))


def lengths(schema: Any) -> set[int]:
    if isinstance(schema, list):
        return set().union(*map(lengths, schema))
    if not isinstance(schema, dict):
        return set()
    own = {schema[k] for k in ("minItems", "maxItems") if isinstance(schema.get(k), int)}
    return own.union(*map(lengths, schema.values()))


def test_the_schema_asks_nothing_that_a_shape_does_not_hold() -> None:
    assert keywords(parse.schema()) <= STRUCTURE
    assert lengths(parse.schema()) <= {0, 1, 2}


def test_the_schema_asks_nothing_of_one_field_or_entry_because_of_another() -> None:
    told = {"$schema", "$id", "title", "description"}
    schema = parse.schema()
    assert set(schema) - told == {"type", "properties", "additionalProperties"}
    for field in schema["properties"].values():
        if field.get("type") == "array":
            assert set(field) - told <= {"type", "items", "minItems", "maxItems"}


@pytest.mark.parametrize(
    ("fields", "doubt"),
    [
        ({"record_id": "A", "surprise": "x"}, "SF-R017"),
        ({"record_id": "A", "legs": "north"}, "SF-R018"),
        ({"record_id": "A", "legs": [{"from": "A"}, "north"]}, "SF-R018"),
        ({"record_id": "A", "legs": [{"from": "A"}, {"from": "B"}, {"from": "C"}, "north"]}, "SF-R018"),
        ({"record_id": "A", "sketch": {"control_points": [{"pixel": ["1", "2", "3"], "point": "A"}]}}, "SF-R018"),
        ({"record_id": ["A"]}, "SF-R018"),
        ({"record_id": object()}, "SF-R018"),
    ],
)
def test_a_bad_form_after_a_good_one_of_its_keys_is_still_seen(fields: dict[str, Any], doubt: str) -> None:
    good = {key: "A" for key in fields if key == "record_id"}
    assert parse.parse_form(FormDocument(Where("f"), "f", good)).doubts == ()
    notes = Notes(Where("f"))
    parse._well_formed(fields, notes)
    assert [d.id for d in notes.doubts] == [doubt]
