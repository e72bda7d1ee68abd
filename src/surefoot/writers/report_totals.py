"""What the report says of the number of all devices and of what published figures imply together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from surefoot.writers.report_figures import is_number, reason_text
from surefoot.writers.svg_curve import total_curve
from surefoot.writers.words import Words

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TotalsView:
    """The curve as a drawing, what it rests on, and the sums of published figures as lines of text."""

    curve: Markup | None
    definition: str
    implied: tuple[tuple[tuple[str, ...], str, str], ...]  # figures, assumption, what follows
    tested: tuple[tuple[str, str, str, str], ...]  # published, records counted, chance, range or reason
    needed: str


def totals_view(document: Entry, words: Words) -> TotalsView:
    """Return what the templates ``total_curve.html`` and ``published.html`` show."""
    total = document.get("total") or {}
    published = total.get("published") or {}
    stated = {str(c["claim_id"]): c for c in document.get("claims") or ()}
    return TotalsView(
        curve=_curve(total, words),
        definition=str(total.get("definition") or "") if total.get("curve") else "",
        implied=tuple(_implied(row, words) for row in published.get("implied") or ()),
        tested=tuple(_tested(row, stated, words) for row in published.get("tested") or ()),
        needed=_needed(published.get("finds_needed") or {}, words),
    )


def _curve(total: Entry, words: Words) -> Markup | None:
    curve = [p for p in total.get("curve") or () if p.get("interval")]
    if len(curve) < 2:
        return None
    drawing = total_curve(
        curve,
        (total.get("integrated") or {}).get("interval"),
        count=words.count,
        odds=lambda v: words.stated(v),
        label=words("published.curve_label"),
        x_label=words("total.odds"),
        over_all=words("published.over_all"),
    )
    return Markup(drawing)


def _implied(row: Entry, words: Words) -> tuple[tuple[str, ...], str, str]:
    figures = tuple(_figure(f, words) for f in row["figures"])
    assumed = words("published.all_real") if row["every_recorded_is_real"] else ""
    if not row["possible"]:
        return figures, assumed, words("published.impossible")
    follows = words(f"published.{row['quantity']}", value=_bounded(row, _quantity(row, words), words))
    return figures, assumed, follows if row["bound"] is not None else f"{follows} {words('published.both_ways')}"


def _quantity(row: Entry, words: Words) -> str:
    value = float(row["value"])
    return words.share(value) if row["quantity"] == "completeness" else words.count(_rounded(value))


def _rounded(value: float) -> float:
    """Two to three leading digits: a published figure has no more."""
    return float(f"{value:.3g}")


def _bounded(entry: Entry, text: str, words: Words) -> str:
    return (words.maybe(f"bound.{entry['bound']}", value=text) or text) if entry.get("bound") else text


def _figure(figure: Entry, words: Words) -> str:
    is_count = figure["read_as"] in ("recorded", "total")
    value = float(figure["value"])
    text = _bounded(figure, words.count(value) if is_count else words.share(value), words)
    return words(
        "published.figure",
        id=figure["claim_id"],
        speaker=figure["speaker"],
        value=text,
        read_as=words(f"published.read_as_{figure['read_as']}"),
    )


def _tested(row: Entry, stated: Mapping[str, Entry], words: Words) -> tuple[str, str, str, str]:
    claim = stated.get(str(row["claim_id"])) or {}
    value = (claim.get("stated") or {}).get("value")
    name = words(
        "published.above",
        value=words.count(float(value)) if is_number(value) else words("not_stated"),
        id=row["claim_id"],
        speaker=claim.get("speaker") or "",
    )
    which = "published.with_published" if row["recorded_claim_id"] else "published.with_case"
    recorded = words(which, n=words.count(row["recorded"]), id=row["recorded_claim_id"])
    if not is_number(row["probability_above"]):
        return name, recorded, words("not_known"), reason_text(row.get("reason"), words)
    return (
        name,
        recorded,
        words.share(row["probability_above"]),
        words.interval([row["lowest"], row["highest"]], "share"),
    )


def _needed(needed: Entry, words: Words) -> str:
    effects = needed.get("by_design_effect") or ()
    if not effects:
        return ""
    return words(
        "published.needed",
        width=words.number(100 * float(needed["half_width"])),
        level=words.share(float(needed["level"])),
        independent=words.count(effects[0]["finds"]),
        rest=", ".join(
            words("published.needed_for", effect=words.stated(float(e["design_effect"])), n=words.count(e["finds"]))
            for e in effects[1:]
        ),
    )
