"""The total in the report: the curve as a drawing, and what published figures imply, in both languages."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from surefoot.analysis.assess.totals import Totals
from surefoot.analysis.completeness import TwoLists, finds_needed, implications, totals_tested, two_list_total
from surefoot.model import Claim
from surefoot.terms import Bound, Stage
from surefoot.writers.assessment_json import plain
from surefoot.writers.describe_totals import total_document
from surefoot.writers.report import render_report
from surefoot.writers.report_totals import totals_view
from surefoot.writers.svg_curve import total_curve
from surefoot.writers.words import Words


def claim(id_: str, measure: str, value: float, bound: Bound, unit: str) -> Claim:
    return Claim(
        id=id_, speaker=f"Party {id_}", date=dt.date(2024, 1, 1), outlet="", text="", subject="", measure=measure,
        value=value, bound=bound, unit=unit, period="", place="", confirmed_by="o",
    )  # fmt: skip


CLAIMS = (
    claim("R", "recorded_total", 400_000, Bound.EXACTLY, "mines"),
    claim("N", "total", 1_000_000, Bound.MORE_THAN, "mines"),
    claim("A", "unspecified", 25, Bound.EXACTLY, "%"),
    claim("O", "outside", 55, Bound.MORE_THAN, "%"),
)


def document(both: float, lang: str = "en") -> dict[str, Any]:
    lists = TwoLists(both, 100, 500)
    totals = Totals(
        two_list_total(lists), (lists,), 12, Stage.AS_RECORDED, implications(CLAIMS),
        totals_tested(CLAIMS, [lists]), finds_needed(),
    )  # fmt: skip
    claims = [{"claim_id": c.id, "speaker": c.speaker, "stated": {"value": c.value}} for c in CLAIMS]
    return {"total": total_document(totals, lang), "claims": claims}


def test_the_document_is_strict_json_and_keeps_the_promise() -> None:
    total = document(200)["total"]
    plain(total)
    assert {"curve", "integrated"} <= set(total)
    assert all(set(at) == {"odds_ratio", "total", "interval"} for at in total["curve"])
    assert total["integrated"]["total"] == 750.0
    refused = document(5)["total"]
    assert refused["integrated"]["total"] is None
    assert "ten devices" in refused["integrated"]["reason"]
    assert all(at["total"] is None for at in refused["curve"])


@pytest.mark.parametrize(("lang", "below", "above"), [("en", "less than", "more than"), ("ru", "менее", "более")])
def test_the_sums_are_said_in_words(lang: str, below: str, above: str) -> None:
    view = totals_view(document(200, lang), Words(lang))
    follows = [row[2] for row in view.implied]
    assert any(below in f and re.search(r"40\D*%", f) for f in follows)
    assert any(below in f and re.search(r"10\D*%", f) for f in follows)
    assert any(re.search(r"1\D600\D000", f) for f in follows)
    assert any(above in f and re.search(r"222\D000", f) for f in follows)
    assert "271" in view.needed
    assert "1083" in view.needed
    text = " ".join(map(str, (view.implied, view.tested, view.needed))).lower()
    assert not re.search(r"\b(right|wrong|false|lied|неправ|ложь)\b", text)


def test_a_refused_total_leaves_the_band_and_no_chance() -> None:
    view = totals_view(document(5), Words("en"))
    assert view.curve is not None
    assert "<polyline" not in view.curve
    assert "<polygon" in view.curve
    assert all(row[2] == "not known" for row in view.tested)
    assert all("ten devices" in row[3] for row in view.tested)


def test_the_curve_is_drawn_inside_its_frame_and_upwards() -> None:
    curve = [
        {"odds_ratio": psi, "total": 500.0 + 250 * psi, "interval": [500.0 + 200 * psi, 500.0 + 320 * psi]}
        for psi in (0.3, 1.0, 3.0)
    ]
    svg = total_curve(
        curve, [550.0, 1500.0], count=lambda v: f"{v:.0f}", odds=str, label="a < b", x_label="x", over_all="a|b"
    )
    root = ElementTree.fromstring(svg)
    dots = [e for e in root.iter() if e.tag.endswith("circle")]
    heights = [float(d.attrib["cy"]) for d in dots]
    assert heights == sorted(heights, reverse=True)
    _, _, width, height = (float(v) for v in root.attrib["viewBox"].split())
    for d in dots:
        assert 0 < float(d.attrib["cx"]) < width
        assert 0 < float(d.attrib["cy"]) < height
    assert np.isfinite(heights).all()


def test_the_page_shows_them(assessment: Any) -> None:
    made = dict(assessment.document)
    made["total"] = document(200)["total"]
    page = render_report(type(assessment)(made, assessment.layers))
    assert 'id="published"' in page
    assert "total-curve" in page
    assert 'id="published"' not in render_report(assessment)
