"""assessment.json: what goes in comes out; nothing that is not a number leaves the program."""

from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import UsageError
from surefoot.messages import render
from surefoot.terms import Fate
from surefoot.writers.assessment_json import dumps, plain, schema, write_assessment_json

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def strict(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


@given(st.dictionaries(st.text(), JSON_VALUES, max_size=5))
def test_what_goes_in_comes_out(document: dict[str, Any]) -> None:
    assert strict(dumps(document)) == document


@given(st.dictionaries(st.text(min_size=1), JSON_VALUES, min_size=2, max_size=5))
def test_the_order_in_which_keys_were_added_does_not_matter(document: dict[str, Any]) -> None:
    assert dumps(dict(reversed(document.items()))) == dumps(document)


def test_promised_keys_come_first_in_the_promised_order() -> None:
    text = dumps({"claims": [], "zebra": 1, "case": "c", "schema": "s", "apple": 2})
    assert list(strict(text)) == ["schema", "case", "claims", "apple", "zebra"]


def test_numpy_dates_and_enums_become_plain_values() -> None:
    value = {
        "n": np.int64(3),
        "x": np.float32(0.5),
        "flag": np.bool_(True),
        "pairs": np.array([[1.0, 2.0]]),
        "day": np.datetime64("2024-05-06T07"),
        "no_day": np.datetime64("NaT"),
        "date": dt.date(2024, 1, 2),
        "fate": Fate.LOST,
        "keys": {Fate.FOUND: 1},
        "set": {"b", "a"},
        "zero": np.array(7),
        "tuple": (1, None),
    }
    assert plain(value) == {
        "n": 3,
        "x": 0.5,
        "flag": True,
        "pairs": [[1.0, 2.0]],
        "day": "2024-05-06",
        "no_day": None,
        "date": "2024-01-02",
        "fate": "lost",
        "keys": {"found": 1},
        "set": ["a", "b"],
        "zero": 7,
        "tuple": [1, None],
    }
    assert plain(np.bool_(True)) is True


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, np.float64("nan"), np.array([1.0, np.nan])])
def test_a_number_that_is_not_finite_is_refused_with_its_place(
    bad: object, tmp_path: Path, assessment: Any, with_document: Any
) -> None:
    broken = with_document(assessment, measures=[{"value": bad}])
    with pytest.raises(UsageError) as caught:
        write_assessment_json(broken, tmp_path / "a.json")
    assert caught.value.id == "SF-W001"
    assert str(caught.value.values["place"]).startswith("$.measures[0].value")
    assert not (tmp_path / "a.json").exists()
    for lang in ("en", "ru"):
        assert "measures" in render(caught.value.id, caught.value.values, found=caught.value.found, lang=lang).reason


@pytest.mark.parametrize("bad", [object(), b"bytes", 1j, {1.5: "float key"}, {("a",): 1}])
def test_a_value_without_a_json_form_is_refused(bad: object) -> None:
    with pytest.raises(UsageError, match="SF-W002"):
        plain({"records": [bad]})


def test_the_file_is_utf8_with_one_newline_at_the_end_and_always_the_same(tmp_path: Path, assessment: Any) -> None:
    for name in ("a.json", "b.json"):
        write_assessment_json(assessment, tmp_path / name)
    raw = (tmp_path / "a.json").read_bytes()
    assert raw == (tmp_path / "b.json").read_bytes()
    assert raw.endswith(b"}\n")
    assert "ПМН-2" in raw.decode("utf-8")
    assert b"\r" not in raw


def test_a_file_name_that_is_no_utf8_survives(tmp_path: Path, assessment: Any, with_document: Any) -> None:
    name = b"f\xff.csv".decode("utf-8", "surrogateescape")
    document = with_document(assessment, inputs=[{"path": name, "sha256": "0" * 64}])
    write_assessment_json(document, tmp_path / "a.json")
    assert strict((tmp_path / "a.json").read_bytes().decode())["inputs"][0]["path"] == name


class TestSchema:
    def test_it_is_a_schema(self) -> None:
        jsonschema.Draft202012Validator.check_schema(dict(schema()))

    @pytest.mark.parametrize("which", ["assessment", "empty_assessment"])
    def test_full_and_empty_documents_are_valid(self, which: str, request: pytest.FixtureRequest) -> None:
        document = strict(dumps(request.getfixturevalue(which).document))
        jsonschema.Draft202012Validator(dict(schema())).validate(document)

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (("measures", 0, "value"), None),  # not known, and no reason
            (("measures", 0, "stage"), "guessed"),
            (("outside", "D1", 0, "value"), 1.2),
            (("ledger", "found"), -1),
            (("ledger", "recorded"), None),
            (("simulated",), "yes"),
            (("as_of",), "30.06.2024"),
            (("inputs", 0, "sha256"), "abc"),
            (("claims", 0, "readings", 0, "verdict"), "wrong"),
            (("doubts", 0, "severity"), "fatal"),
        ],
    )
    def test_what_breaks_the_promise_is_found(self, path: tuple[Any, ...], value: Any, assessment: Any) -> None:
        document = strict(dumps(assessment.document))
        place = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        assert not jsonschema.Draft202012Validator(dict(schema())).is_valid(document)
