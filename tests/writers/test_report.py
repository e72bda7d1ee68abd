"""report.html: asks the network for nothing, hides nothing, says "not known" where it must."""

from __future__ import annotations

import base64
import hashlib
import re
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from surefoot.messages import LANGUAGES
from surefoot.writers.report import render_report, write_report
from surefoot.writers.report_figures import key_figures, maps_words, outside_tables, reason_text
from surefoot.writers.report_measures import measure_name, quality_sheet
from surefoot.writers.report_tables import claim_columns, form_rows, ledger_view, meaning, note_groups, table_rows
from surefoot.writers.words import Words

EN = Words("en")
RU = Words("ru")


class Page(HTMLParser):
    """Every tag with its attributes, and all visible words."""

    VOID = frozenset({"meta", "br", "link", "img", "input", "hr"})

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in {"p", "li", "td", "tr", "th"}:
            while self.open and self.open[-1] != tag:
                self.open.pop()
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


@pytest.fixture(scope="module", params=LANGUAGES)
def page(request: pytest.FixtureRequest, assessment: Any) -> Page:
    return Page(render_report(assessment, lang=request.param))


@pytest.fixture(scope="module")
def english(assessment: Any) -> Page:
    return Page(render_report(assessment))


class TestSelfContained:
    def test_every_tag_is_closed(self, page: Page) -> None:
        assert page.open == []

    def test_it_asks_the_network_for_nothing(self, assessment: Any) -> None:
        html = render_report(assessment)
        assert set(re.findall(r"https?://[^\s\"'<>)]+", html)) <= {"http://www.w3.org/2000/svg"}
        assert not re.search(r"""(src|href|action|srcset|data|poster)\s*=\s*["'](?!#)""", html)
        assert set(re.findall(r"url\(([^)]{4})", html)) <= {"data", "#m0-", "#fat"} | {f"#m{i}-" for i in range(10)} | {
            f"#m1{i}" for i in range(3)
        }
        assert "@import" not in html

    def test_no_script_no_inline_style_no_handler(self, page: Page) -> None:
        for tag, attributes in page.tags:
            assert tag not in {"script", "iframe", "object", "embed", "link", "form"}
            assert "style" not in attributes
            assert not any(name.startswith("on") for name in attributes)

    def test_the_policy_allows_exactly_our_style(self, assessment: Any) -> None:
        html = render_report(assessment)
        style = re.search(r"<style>(.*?)</style>", html, re.S)
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
        assert style is not None
        assert policy is not None
        digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
        said = policy[1].replace("&#39;", "'").replace("&#43;", "+")
        assert said.startswith("default-src 'none'; ")
        assert f"style-src 'sha256-{digest}'" in said
        assert "unsafe" not in said

    def test_ids_are_unique(self, page: Page) -> None:
        ids = [a["id"] for _, a in page.tags if "id" in a]
        assert len(ids) == len(set(ids))

    def test_contents_lead_to_sections(self, page: Page) -> None:
        ids = {a["id"] for _, a in page.tags if "id" in a}
        links = [str(a["href"])[1:] for tag, a in page.tags if tag == "a"]
        assert len(links) == 11
        assert set(links) <= ids

    def test_fonts_are_small_free_and_their_licence_is_there(self) -> None:
        folder = files("surefoot").joinpath("data", "fonts")
        fonts = [f for f in folder.iterdir() if f.name.endswith(".woff2")]
        assert len(fonts) == 4
        assert sum(len(f.read_bytes()) for f in fonts) < 300_000
        assert all(f.read_bytes()[:4] == b"wOF2" for f in fonts)
        assert "SIL OPEN FONT LICENSE" in folder.joinpath("OFL.txt").read_text(encoding="utf-8")

    def test_the_same_case_gives_the_same_bytes(self, assessment: Any, tmp_path: Path) -> None:
        for name in ("a", "b"):
            write_report(assessment, tmp_path / f"{name}.html")
        assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


class TestWhatItSays:
    def test_data_is_shown_as_text_never_as_markup(self, english: Page) -> None:
        assert "<script>alert(1)</script>" in english.text
        assert "Steppe district <pilot>" in english.text

    def test_simulated_cases_are_marked_and_others_are_not(self, assessment: Any, build_standin: Any) -> None:
        assert Page(render_report(assessment)).text.count("SIMULATED") >= 15
        assert "SIMULATED" not in render_report(build_standin(6, simulated=False))

    def test_it_never_says_safe_but_says_what_it_is_not(self, english: Page) -> None:
        assert "Not evidence that any place is free of devices" in english.text
        allowed = "It does not say that any land is safe, nor that it may be entered, released or used."
        assert re.findall(r"\bsafe\b", english.text.replace(allowed, "")) == []

    def test_every_key_figure_has_an_interval_or_says_why_not(self, assessment: Any, empty_assessment: Any) -> None:
        for case in (assessment, empty_assessment):
            for figure in key_figures(case.document, EN):
                assert figure.definition
                if figure.value:
                    assert figure.interval or figure.basis == EN("key.counted")
                else:
                    assert figure.reason

    def test_known_figures_are_the_document_s(self, assessment: Any) -> None:
        figures = {f.title: f for f in key_figures(assessment.document, EN)}
        position = figures[EN("key.position")]
        assert position.value == "41.0\u202fm"
        assert position.interval == "90\u202f% interval: 31.2\u202f–\u202f56.1\u202fm"
        outside = figures[EN("key.d1")]
        assert (outside.value, outside.basis) == ("73\u202f%", "11 of 15")
        assert outside.interval == "90\u202f% interval: 52\u202f–\u202f88\u202f%"

    def test_a_value_at_the_edge_of_a_wide_interval_does_not_stand_alone(self, assessment: Any) -> None:
        excess = {**assessment.document["measures"][0], "value": 0.048, "interval": [0.048, 0.66]}
        figures = key_figures({**assessment.document, "measures": [excess]}, EN)
        figure = next(f for f in figures if f.title == EN("key.excess"))
        assert figure.value == "5\u202f–\u202f66\u202f%"
        assert "4.8\u202f%" in figure.interval

    def test_a_bound_stands_alone_nowhere(self, assessment: Any) -> None:
        """Quality sheet, outside-the-maps page and claims say the interval where the first page does."""
        bound: dict[str, Any] = {"value": 0.002, "interval": [0.002, 0.64], "level": 0.9}
        measure = {**assessment.document["measures"][0], **bound}
        (_, _, (cell,)) = quality_sheet({"measures": [measure]}, EN).blocks[0].rows[0]
        assert cell is not None
        assert (cell.value, cell.interval) == ("<\u202f1\u202f–\u202f64\u202f%", "")
        share = {**assessment.document["outside"]["D1"][0], **bound}
        row = outside_tables({"outside": {"D4": [share]}}, EN)[3].rows[0]
        assert row.value == "see interval"
        assert "<circle" not in row.bar
        assert "<rect" in row.bar
        reading = {"measure": "D4", "verdict": "consistent", "reason": "SF-C012", **bound}
        claim = {**assessment.document["claims"][0], "readings": [reading]}
        ((_, (view,)),) = claim_columns({"claims": [claim]}, EN)
        assert view.readings[0][1:3] == ("<\u202f1\u202f–\u202f64\u202f%", "")

    def test_what_is_counted_shows_no_interval(self, assessment: Any) -> None:
        reading = {"measure": "recorded_total", "value": 12.0, "interval": [12.0, 12.0], "verdict": "consistent"}
        claim = {**assessment.document["claims"][0], "readings": [reading]}
        ((_, (view,)),) = claim_columns({"claims": [claim]}, EN)
        assert view.readings[0][1:3] == ("12", "")

    @pytest.mark.parametrize("lang", LANGUAGES)
    def test_what_counts_as_the_maps_is_said_in_words(self, lang: str) -> None:
        words = Words(lang)
        said = maps_words("records, areas, areas:suspected", words)
        assert ":" not in said
        assert said.count(", ") == 2
        assert said.startswith(words("outside.maps_records"))
        assert maps_words(None, words) == ""

    def test_types_that_only_look_alike_are_told_apart(self, assessment: Any) -> None:
        one = {"recorded": 1.0, **dict.fromkeys(("found", "detonated", "lifted", "lost", "searched_not_found"), 0.0)}
        types = {name: {**one, "not_searched": 1.0} for name in ("\u0422\u041c-62", "TM-62", "\u041f\u041c\u041d")}
        ledger = {**assessment.document["ledger"], "by_type": types}
        names = {row.name for row in ledger_view({"ledger": ledger}, EN).by_type}
        assert names == {"\u0422\u041c-62 (Cyrillic letters)", "TM-62", "\u041f\u041c\u041d"}

    def test_methods_are_said_in_the_language_of_the_report(self, assessment: Any) -> None:
        method = "association-weighted moments; Bayesian bootstrap over records"
        measure = {**assessment.document["measures"][0], "method": method}
        assert "Bayesian" not in str(quality_sheet({"measures": [measure]}, RU).definitions)
        assert "Bayesian" in str(quality_sheet({"measures": [measure]}, EN).definitions)

    def test_five_thresholds_have_one_definition(self, assessment: Any) -> None:
        base = {**assessment.document["measures"][0], "id": "iso19157:31", "method": ""}
        many = [{**base, "name": f"above {m} m", "definition": f"Share longer than {m} m; and so on."} for m in (5, 10)]
        assert quality_sheet({"measures": many}, EN).definitions == (
            ("31", "Share longer than the stated length; and so on."),
        )

    def test_a_case_without_records_does_not_claim_zero_devices(self, empty_assessment: Any) -> None:
        first = key_figures(empty_assessment.document, EN)[0]
        assert first.value == ""
        assert first.reason

    def test_unknown_outside_shares_say_why(self, english: Page) -> None:
        assert "Position error is not yet taken out in this version." in english.text
        assert "The authority has not set an exposure band." in english.text

    def test_both_sides_stand_beside_each_other_and_no_verdict_says_right_or_wrong(self, assessment: Any) -> None:
        columns = claim_columns(assessment.document, EN)
        assert [(speaker, len(claims)) for speaker, claims in columns] == [
            ("Party A, mine action agency", 2),
            ("Party B, ministry", 1),
        ]
        verdicts = {r[3] for _, claims in columns for c in claims for r in c.readings}
        assert verdicts == {"consistent", "not consistent", "cannot be tested"}
        assert columns[0][1][0].stated == "about 25\u202f%"

    def test_the_ledger_balances_or_says_by_how_much_not(self, assessment: Any) -> None:
        assert ledger_view(assessment.document, EN).identity.balance == "balances"
        ledger = assessment.document["ledger"]
        broken = {"ledger": {**ledger, "lost": ledger["lost"] + 2.5}}
        assert ledger_view(broken, EN).identity.balance == "differs by -2.500"

    def test_rows_in_are_rows_out_or_it_says_so(self, assessment: Any) -> None:
        assert {t.balance for t in table_rows(assessment.document, EN)} == {"yes"}
        table = {**assessment.document["tables"][0], "rows_in": 99}
        assert table_rows({"tables": [table]}, EN)[0].balance == "no, differs by 83"

    def test_files_without_a_doubt_share_a_line_and_the_others_stand_alone(self) -> None:
        counts = {"rows_in": 2, "accepted": 2, "accepted_with_doubts": 0, "set_aside": 0}
        clean = [{"kind": "records", "file": f"{n}.yaml", **counts} for n in range(3)]
        doubted = {"kind": "records", "file": "x.yaml", **counts, "accepted": 1, "set_aside": 1}
        lines = table_rows({"tables": [*clean, doubted]}, EN)
        assert [(t.file, t.counts[0]) for t in lines] == [("3 files without doubts", "6"), ("x.yaml", "2")]

    def test_the_quality_sheet_holds_every_measure_once_and_every_definition_once(self, assessment: Any) -> None:
        measures = assessment.document["measures"]
        sheet = quality_sheet(assessment.document, EN)
        cells = [c for block in sheet.blocks for _, _, row in block.rows for c in row if c is not None]
        assert len(cells) == len(measures)
        assert [c.value for c in cells].count(EN("not_known")) == sum(m["value"] is None for m in measures)
        assert {c.note for c in cells if c.note} == {letter for letter, _ in sheet.reasons}
        assert [b.stage for b in sheet.blocks] == ["as recorded", "re-anchored"]
        sentences = [text for _, text in sheet.definitions]
        assert sum("Beta-binomial posterior" in s for s in sentences) == 1
        assert all(c.interval or "–" in c.value for c in cells if not c.note)

    def test_measures_of_many_records_are_capped_and_counted(self, assessment: Any) -> None:
        base = assessment.document["measures"][0]
        many = [{**base, "scope": f"record:{n:02d}"} for n in range(30)]
        sheet = quality_sheet({"measures": many}, EN)
        assert sheet.scopes_left_out == 18
        assert sum(len(block.scopes) for block in sheet.blocks) == 12

    def test_what_no_form_holds_is_said_once(self, assessment: Any) -> None:
        forms = [{"record_id": str(n), "completeness_items": {"types": False, "numbers": n == 0}} for n in range(3)]
        rows, lacking, _ = form_rows({"form_quality": forms}, EN)
        assert lacking == "types"
        assert [r[6] for r in rows] == ["none", "numbers", "numbers"]

    def test_records_of_the_day_that_are_not_known_say_why(self, assessment: Any) -> None:
        day = {"value": None, "interval": None, "reason": "No map has a date of receipt."}
        d1 = [{**e, "as_known_on_the_day": day} for e in assessment.document["outside"]["D1"]]
        table = outside_tables({"outside": {"D1": d1, "D2": [], "D3": [], "D4": []}}, EN)[0]
        assert not table.on_the_day
        assert table.day_reason == "No map has a date of receipt."

    def test_long_lists_are_capped_with_the_number_left_out(self, build_standin: Any) -> None:
        big = build_standin(75)
        text = Page(render_report(big)).text
        assert "15 more in assessment.json" in text
        assert "15 more in ledger.xlsx and assessment.json" in text

    def test_notes_of_one_kind_stand_together_errors_first(self, assessment: Any) -> None:
        groups, left = note_groups(assessment.document["doubts"], EN)
        assert left == 0
        assert [(g.id, g.level) for g in groups] == [("SF-R020", "error"), ("SF-R012", "warning")]
        assert sum(g.count for g in groups) == len(assessment.document["doubts"])
        assert all(len(g.places) + g.more == g.count for g in groups)

    @pytest.mark.parametrize("lang", LANGUAGES)
    def test_an_empty_case_is_a_whole_report(self, empty_assessment: Any, lang: str) -> None:
        text = Page(render_report(empty_assessment, lang=lang)).text
        assert text.count(Words(lang)("not_known")) >= 8
        assert not re.search(r"\b(nan|inf|NaT)\b", text)

    def test_no_python_value_leaks_into_the_page(self, page: Page) -> None:
        assert not re.search(r"\b(nan|inf|NaT|True|False)\b|: None\b|>None<", page.text)

    def test_an_unknown_language_reads_english(self, empty_assessment: Any) -> None:
        assert render_report(empty_assessment, lang="xx") == render_report(empty_assessment, lang="en")

    def test_reasons_are_words_in_the_reader_s_language(self) -> None:
        assert reason_text("Not known: nothing was found.", EN) == "Nothing was found."
        assert reason_text(None, EN) == EN("no_reason")
        assert reason_text("SF-W001", RU) != reason_text("SF-W001", EN)

    def test_measures_and_meanings_have_names(self) -> None:
        azimuth = {"id": "iso19157:51", "name": "confidence ellipse, azimuth of the semi-major axis"}
        assert measure_name(azimuth, EN) == EN("measure.51_azimuth")
        above = {"id": "iso19157:31", "name": "rate of errors above 25 m"}
        assert measure_name(above, RU) == "Доля ошибок больше 25\u202fм"
        assert measure_name({"id": "own:1", "name": "something new"}, EN) == "something new"
        assert meaning("D1@25", EN) == "Share of accidents outside the maps (D1), buffer 25\u202fm"
        assert meaning("brand_new", EN) == "brand new"

    def test_circular_errors_of_what_was_measured_and_of_devices_left_have_different_names(self) -> None:
        ce95 = {"id": "iso19157:45", "name": "CE95"}
        names = {
            measure_name({**ce95, "stage": "as_recorded"}, EN),
            measure_name({**ce95, "stage": "re_anchored"}, EN),
            measure_name({**ce95, "name": "CE95, records as they stand", "stage": "re_anchored"}, EN),
        }
        assert names == {EN("measure.45"), EN("measure.45") + ", devices still in the ground",
                         EN("measure.45") + ", records as they stand"}  # fmt: skip


def strings(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from strings(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def catalogues() -> dict[str, dict[str, str]]:
    folder = files("surefoot").joinpath("locale")
    return {
        lang: dict(strings(tomllib.loads(folder.joinpath(lang, "report.toml").read_text(encoding="utf-8"))))
        for lang in LANGUAGES
    }


class TestWords:
    def test_every_language_has_every_string_with_the_same_placeholders(self) -> None:
        english = catalogues()["en"]
        for lang, own in catalogues().items():
            assert set(own) >= set(english), lang
            extra = {k for k in set(own) - set(english) if not k.startswith(("report.definition.", "report.method."))}
            assert not extra, lang
            for key, text in english.items():
                assert sorted(re.findall(r"{\w+}", own[key])) == sorted(re.findall(r"{\w+}", text)), (
                    lang,
                    key,
                )

    def test_an_estimate_has_the_decimals_of_its_interval(self) -> None:
        assert EN.estimate(0.79, [-7.4, 12.1], "m") == "0.8\u202fm"
        assert EN.interval([-13.384, -0.086], "m") == "-13.4\u202f…\u202f-0.1\u202fm"
        assert EN.estimate(0.123, [0.05, 0.31], "m") == "0.12\u202fm"
        assert EN.interval([0.0, 0.095], "share") == "0\u202f–\u202f9.5\u202f%"

    def test_the_fonts_have_every_letter(self) -> None:
        tt_font = pytest.importorskip("fontTools.ttLib").TTFont
        pytest.importorskip("brotli")
        font = files("surefoot").joinpath("data", "fonts", "NotoSans-Regular.woff2")
        with font.open("rb") as source:
            letters = set(tt_font(source).getBestCmap())
        used = {ord(c) for own in catalogues().values() for text in own.values() for c in text}
        assert used | {0x202F, 0x2013, 0x2026} <= letters | {0x0A}

    @given(st.floats(0, 1))
    @example(0.005)
    @example(0.995)
    def test_a_share_is_never_rounded_to_none_or_all(self, share: float) -> None:
        text = EN.share(share)
        assert (text == "0\u202f%") == (share == 0)
        assert (text == "100\u202f%") == (share == 1)

    @pytest.mark.parametrize(
        ("value", "unit", "english", "russian"),
        [
            (0.0, "share", "0 %", "0 %"),
            (0.004, "share", "0.4 %", "0,4 %"),
            (0.271, "share", "27 %", "27 %"),
            (0.9999, "share", "> 99 %", "> 99 %"),
            (41.04, "m", "41.0 m", "41,0 м"),
            (-8.1, "m", "-8.1 m", "-8,1 м"),
            (0.25, "m", "0.25 m", "0,25 м"),
            (1234.5, "m", "1234 m", "1234 м"),
            (62.04, "deg", "62.0°", "62,0°"),
            (10.3, "count", "10.3", "10,3"),
            (400000, "count", "400 000", "400 000"),
            (-0.01, "count", "0.0", "0,0"),
        ],
    )
    def test_numbers_are_written_as_people_write_them(
        self, value: float, unit: str, english: str, russian: str
    ) -> None:
        assert EN.value(value, unit).replace("\u202f", " ") == english
        assert RU.value(value, unit).replace("\u202f", " ") == russian

    @pytest.mark.parametrize(
        ("bounds", "unit", "text"),
        [
            ([0.12, 0.55], "share", "12 – 55 %"),
            ([0.0, 0.14], "share", "0 – 14 %"),
            ([0.003, 0.14], "share", "< 1 – 14 %"),
            ([-13.9, -2.2], "m", "-13.9 … -2.2 m"),
            ([7.0, 17.7], "m", "7.0 – 17.7 m"),
            ([917, 1434], "count", "917 – 1434"),
            (None, "m", ""),
            ([], "m", ""),
        ],
    )
    def test_intervals_name_their_unit_once(self, bounds: Any, unit: str, text: str) -> None:
        assert EN.interval(bounds, unit).replace("\u202f", " ") == text

    def test_an_unknown_key_is_a_programming_error(self) -> None:
        with pytest.raises(KeyError):
            EN("no.such.key")
