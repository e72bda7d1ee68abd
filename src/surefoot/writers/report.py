"""``report.html``: the assessment for a person, in one file that asks the network for nothing.

Fonts, styles and maps are inside; a Content-Security-Policy forbids everything else, scripts included. Text
from the data passes through Jinja's escaping.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from surefoot.terms import Fate
from surefoot.writers import Assessment
from surefoot.writers.report_figures import is_number, key_figures, maps_words, outside_tables
from surefoot.writers.report_measures import forecast_rows, quality_sheet
from surefoot.writers.report_tables import (
    claim_columns,
    duplicate_rows,
    form_rows,
    ledger_view,
    note_groups,
    table_rows,
)
from surefoot.writers.report_totals import totals_view
from surefoot.writers.svg_map import SvgMap, maps_of
from surefoot.writers.words import Words

DETAIL_MAPS = 12
INPUTS_SHOWN = 60
PRIORITIES_SHOWN = 60
POLICY = "default-src 'none'; style-src 'sha256-{digest}'; font-src data:; base-uri 'none'; form-action 'none'"
FACES = (
    ("NotoSans-Regular", 400, "U+0000-052F, U+2000-22FF, U+FFFD"),
    ("NotoSans-Bold", 700, "U+0000-052F, U+2000-22FF, U+FFFD"),
    ("NotoSansArmenian-Regular", 400, "U+0530-058F, U+FB13-FB17"),
    ("NotoSansArmenian-Bold", 700, "U+0530-058F, U+FB13-FB17"),
)


def write_report(assessment: Assessment, path: str | os.PathLike[str], *, lang: str = "en") -> None:
    """Write the report as one self-contained HTML file.

    Parameters
    ----------
    assessment
        The result.
    path
        File to write; an existing one is replaced.
    lang
        Language of the report, one of `surefoot.messages.LANGUAGES`; any other reads English. What the
        document itself holds in words (reasons, advice, definitions) stays in the language it was made in.
    """
    html = render_report(assessment, lang=lang)
    # a file name that is no UTF-8 arrives as lone surrogates; they become question marks here
    Path(path).write_bytes(html.encode("utf-8", "replace"))


def render_report(assessment: Assessment, *, lang: str = "en") -> str:
    """Return the report as HTML text, see `write_report`."""
    words = Words(lang)
    environment = _environment()
    css = environment.get_template("report.css").render(
        w=words, faces=_font_faces(), simulated=bool(assessment.document["simulated"])
    )
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    context = _context(assessment, words)
    page: str = environment.get_template("report.html").render(
        **context,
        w=words,
        css=Markup(css),
        policy=POLICY.format(digest=digest),
    )
    return page


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("surefoot", "writers/templates"),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _font_faces() -> tuple[Mapping[str, object], ...]:
    folder = files("surefoot").joinpath("data", "fonts")
    return tuple(
        {
            "weight": weight,
            "range": covered,
            "data": base64.b64encode(folder.joinpath(f"{name}.woff2").read_bytes()).decode(),
        }
        for name, weight, covered in FACES
    )


def _context(assessment: Assessment, words: Words) -> dict[str, Any]:
    document = assessment.document
    maps = maps_of(assessment, lang=words.lang, limit=DETAIL_MAPS)
    forms, lacking, more_forms = form_rows(document, words)
    duplicates, more_duplicates = duplicate_rows(document, words)
    return {
        "d": document,
        "figures": key_figures(document, words),
        **_map_context(assessment, maps),
        "quality": quality_sheet(document, words),
        "forecasts": forecast_rows(document, words),
        "forms": forms,
        "lacking": lacking,
        "more_forms": more_forms,
        "duplicates": duplicates,
        "more_duplicates": more_duplicates,
        "outside": outside_tables(document, words),
        "maps": maps_words(document["outside"].get("maps"), words),
        "total_rows": _total_rows(document.get("total") or {}, words),
        "totals": totals_view(document, words),
        "ledger": ledger_view(document, words),
        "fate_names": [words(f"ledger.{fate.value}") for fate in Fate],
        "claims": claim_columns(document, words),
        "priorities": _priority_rows(document, words),
        "more_priorities": max(len(document["priorities"]) - PRIORITIES_SHOWN, 0),
        "tables": table_rows(document, words),
        "aside": note_groups(document.get("set_aside") or [], words),
        "doubts": note_groups(document.get("doubts") or [], words),
        "n_aside": len(document.get("set_aside") or []),
        "n_doubts": len(document.get("doubts") or []),
        "sums": _input_sums(document),
        "inputs": document["inputs"][:INPUTS_SHOWN],
        "more_inputs": max(len(document["inputs"]) - INPUTS_SHOWN, 0),
    }


def _map_context(assessment: Assessment, maps: tuple[SvgMap, ...]) -> dict[str, Any]:
    records = assessment.layers.get("records")
    located = 0 if records is None else sum(g is not None and not g.is_empty for g in records.geometry)
    details = [Markup(m.svg) for m in maps if m.record_id]
    return {
        "overviews": [Markup(m.svg) for m in maps if not m.record_id],
        "details": details,
        "more_details": max(located - len(details), 0) if maps else 0,
    }


def _total_rows(total: Mapping[str, Any], words: Words) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (
            words.number(float(point["odds_ratio"]), 2),
            words.count(round(point["total"])) if is_number(point.get("total")) else words("not_known"),
            words.interval([round(b) for b in point.get("interval") or ()], "count"),
        )
        for point in total.get("curve") or ()
    )


def _priority_rows(document: Mapping[str, Any], words: Words) -> tuple[tuple[str, ...], ...]:
    def amount(value: Any) -> str:
        return words.number(float(value), 1) if is_number(value) else words("not_known")

    return tuple(
        (
            str(p["rank"]),
            str(p["kind"]),
            amount(p.get("expected_finds")),
            amount(p.get("information_gain")),
            amount(p.get("cost")),
            str(p.get("reason") or words("no_reason")),
        )
        for p in document["priorities"][:PRIORITIES_SHOWN]
    )


def _input_sums(document: Mapping[str, Any]) -> dict[str, int]:
    tables = document.get("tables") or []
    return {
        "files": len(document["inputs"]),
        **{
            short: sum(t[key] for t in tables)
            for short, key in (
                ("rows", "rows_in"),
                ("accepted", "accepted"),
                ("doubts", "accepted_with_doubts"),
                ("aside", "set_aside"),
            )
        },
    }
