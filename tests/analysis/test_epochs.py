"""Which declination a compiler went by: the three answers, where they are asked for, and how they are weighed.

The numbers: at 39.989996 N 46.929995 E IGRF-14 gives 4.650 degrees in the middle of July 1993, and the grid of zone 8
converges by 1.241. A point 320 m away moves by 2 x 320 x sin(half the difference of two turns).
"""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.analysis.locate import LocateContext, Readings, locate, merged
from surefoot.analysis.locate.priors import Priors
from surefoot.model import Where
from surefoot.readers.forms.documents import FormDocument
from surefoot.readers.forms.parse import parse_form
from surefoot.readers.priors import default_priors
from surefoot.terms import Severity

DECLINATION, CONVERGENCE = 4.650, 1.241
LEG = {"from": "A", "to": "1", "bearing": "Ам 15-40", "distance": "320 м"}


def placed(
    margin: str = "", leg: dict[str, str] | None = None, epochs: dict[str, float] | None = None, **fields: Any
) -> Readings:
    form = {
        "form_no": "17", "family": "formulyar", "laid": "07.1993", "crs": "СК-42 зона 8",
        "reference_points": [{"id": "A", "position": "X=4430293 Y=8664944"}], "legs": [{**LEG, **(leg or {})}],
        **fields,
    }  # fmt: skip
    if margin:
        form["map"] = {"margin_declination": margin}
    table = merged(default_priors().table, {"hypotheses": {"magnetic_epoch": epochs or {}}})
    return locate(parse_form(FormDocument(Where("f.yaml", row=1), "f", form)), context=LocateContext(Priors(table)))


def epochs(found: Readings) -> list[str | None]:
    return [reading.hypotheses.get("magnetic_epoch") for reading in found.readings]


def weights(found: Readings) -> list[float]:
    return [reading.weight for reading in found.readings]


def spreads(found: Readings) -> list[float]:
    return [reading.spread_m for reading in found.readings]


def moved_m(turn_deg: float) -> float:
    return 640.0 * math.sin(math.radians(abs(turn_deg)) / 2.0)


def ids(found: Readings) -> dict[str, Severity]:
    return {doubt.id: doubt.severity for doubt in found.doubts}


def test_a_margin_declination_makes_three_readings() -> None:
    found = placed("восточное 6°12'")
    assert epochs(found) == ["laying_date", "map_margin", "none_applied"]
    assert weights(found) == pytest.approx([0.7, 0.2, 0.1])
    true = [reading.legs[0].true_deg for reading in found.readings]
    assert true == pytest.approx([92.4 + DECLINATION, 92.4 + 6.2, 92.4 + CONVERGENCE], abs=0.005)
    assert spreads(found) == pytest.approx([0.0, 8.66, 19.04], abs=0.05)
    assert spreads(found) == pytest.approx(
        [0, moved_m(6.2 - DECLINATION), moved_m(DECLINATION - CONVERGENCE)], abs=0.05
    )
    assert ids(found)["SF-R219"] is Severity.WARNING


def test_each_leg_as_read_adds_up() -> None:
    """True = magnetic + declination = grid + convergence, with the declination that the reading used."""
    for reading in placed("6°12' E").readings:
        leg = reading.legs[0]
        assert None not in (leg.magnetic_deg, leg.declination_deg, leg.grid_deg, leg.convergence_deg)
        assert leg.magnetic_deg + leg.declination_deg == pytest.approx(leg.true_deg)  # type: ignore[operator]
        assert leg.grid_deg + leg.convergence_deg == pytest.approx(leg.true_deg)  # type: ignore[operator]


def test_a_margin_of_1978_is_the_field_of_1993_there() -> None:
    """4°35' is 0.07 degrees from the model: one reading for both, and the map bearing beside it."""
    found = placed("+4°35' (1978)")
    assert epochs(found) == ["laying_date", "none_applied"]
    assert weights(found) == pytest.approx([0.9, 0.1])
    assert spreads(found)[1] == pytest.approx(19.04, abs=0.05)


def test_an_old_margin_in_bosnia_moves_a_point_by_16_metres() -> None:
    """IGRF-14 at 44.7 N 18.1 E: -0.9 degrees in 1950, +2.0 in 1993."""
    found = placed(
        "-0°54' (1950)", {"bearing": "92.4° magnetic"}, laid="1993", family="zapisnik", crs="Gauss-Krüger zona 6",
        reference_points=[{"id": "A", "position": "Y=6508000 X=4955000"}],
    )  # fmt: skip
    assert epochs(found) == ["laying_date", "map_margin", "none_applied"]
    assert found.readings[0].legs[0].declination_deg == pytest.approx(2.03, abs=0.03)
    assert spreads(found)[1] == pytest.approx(moved_m(2.03 + 0.9), abs=0.3)


@pytest.mark.parametrize(
    ("leg", "fields"),
    [
        pytest.param({"bearing": "дир. угол 15-40"}, {}, id="grid"),
        pytest.param({"bearing": "15-40", "north": "true"}, {}, id="true"),
        pytest.param({"instrument": "компас"}, {}, id="read from a compass"),
        pytest.param({}, {"crs": "", "reference_points": [{"id": "A", "position": "(0, 0)"}]}, id="local metres"),
    ],
)
def test_where_it_is_no_question(leg: dict[str, str], fields: dict[str, Any]) -> None:
    found = placed("6°12' E", leg, **fields)
    assert (epochs(found), weights(found)) == ([None], [1.0])
    assert "SF-R219" not in ids(found)


def test_without_a_margin_a_magnetic_bearing_is_one_reading() -> None:
    found = placed(map={"sheet": "J-38-10", "margin_year": "1978"})
    assert (epochs(found), weights(found)) == ([None], [1.0])


def test_where_the_north_is_open_a_map_bearing_is_counted_once() -> None:
    """0.8 for magnetic is shared by two epochs, 7 : 2; "nobody turned it" is the reading north = grid."""
    found = placed("6°12' E", {"bearing": "15-40"})
    told = {(r.hypotheses["north"], r.hypotheses.get("magnetic_epoch")): r.weight for r in found.readings}
    assert told == pytest.approx(
        {("magnetic", "laying_date"): 0.8 * 7 / 9, ("magnetic", "map_margin"): 0.8 * 2 / 9,
         ("grid", None): 0.1, ("true", None): 0.1}
    )  # fmt: skip


def test_one_compiler_has_one_habit() -> None:
    legs = [LEG, {**LEG, "from": "1", "to": "2"}, {**LEG, "from": "2", "to": "3", "bearing": "дир. угол 3-00"}]
    found = placed("6°12' E", legs=legs)
    assert weights(found) == pytest.approx([0.7, 0.2, 0.1])
    assert [[leg.declination_deg for leg in r.legs] for r in found.readings][1] == pytest.approx([6.2] * 3)
    assert [r.legs[2].grid_deg for r in found.readings] == pytest.approx([18.0] * 3)


def test_after_the_model_ends_the_margin_holds() -> None:
    found = placed("6°12' E", laid="07.2035")
    assert epochs(found) == ["map_margin", "none_applied"]
    assert found.readings[0].legs[0].true_deg == pytest.approx(98.6)
    assert ids(found)["SF-R222"] is Severity.WARNING
    assert "SF-P040" not in ids(found)
    assert ids(placed(laid="07.2035"))["SF-P040"] is Severity.ERROR


@pytest.mark.parametrize(("text", "doubted"), [("-4°35' (1978)", True), ("4-35", True), ("9°20' E", False)])
def test_a_margin_far_from_the_model_is_doubted_and_kept(text: str, doubted: bool) -> None:
    """The model says 4.4 degrees in 1978: a wrong sign, or 4°35' with a hyphen (435 of 6000 = 26.1 degrees)."""
    found = placed(text)
    assert ("SF-R221" in ids(found)) is doubted
    assert "map_margin" in epochs(found)


def test_a_series_may_know_its_compilers_habit() -> None:
    found = placed("6°12' E", epochs={"laying_date": 0.0, "map_margin": 1.0, "none_applied": 0.0})
    assert weights(found) == [1.0]
    assert found.readings[0].legs[0].true_deg == pytest.approx(98.6)
    none = placed("6°12' E", {"bearing": "15-40"}, {"laying_date": 0.0, "map_margin": 0.0, "none_applied": 1.0})
    assert weights(none) == pytest.approx([0.8, 0.1, 0.1])


def test_no_more_readings_are_kept_than_promised() -> None:
    """3 units x 2 kinds of paces x (2 epochs and 2 other norths) are 24 ways."""
    found = placed("6°12' E", {"bearing": "1540", "distance": "320 п."})
    assert len(found.readings) == 12
    assert sum(weights(found)) == pytest.approx(1.0)
    assert 0.0 < found.weight_cut < 0.2


@settings(max_examples=25, deadline=None)
@given(st.floats(-20.0, 20.0).map(lambda value: round(value, 2)))
def test_each_epoch_is_what_its_bearing_would_be_in_words(margin: float) -> None:
    """Turned by the margin = that true bearing; turned by nothing = that grid bearing; weights always add to 1."""
    found = placed(f"{margin:+.2f}")
    assert sum(weights(found)) == pytest.approx(1.0)
    in_words = {
        "laying_date": placed(),
        "map_margin": placed(leg={"bearing": f"{92.4 + margin:.2f}° true"}),
        "none_applied": placed(leg={"bearing": "дир. угол 15-40"}),
    }
    for reading in found.readings:
        twin = in_words[reading.hypotheses["magnetic_epoch"]].readings[0]
        assert reading.farthest_from(twin.lonlat_points()) < 0.01
