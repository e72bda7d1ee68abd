"""Tables for a terminal: short, with every figure's interval or the words "not known"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import shapely
from rich.console import Console
from rich.table import Table

from surefoot.messages import render
from surefoot.writers.next_search import INFORMS
from surefoot.writers.report_figures import is_bound
from surefoot.writers.report_measures import measure_name
from surefoot.writers.report_tables import claim_columns
from surefoot.writers.words import Words, mistake_word

MOST_ROWS = 20


def show_reading(document: Mapping[str, Any], lang: str = "en") -> None:
    """Print what was read: counts, records with their heaviest reading, rows set aside, doubts."""
    console, words = _console(), Words(lang)
    console.print(_counts(document["tables"], words))
    if document["records"]:
        console.print(_records(document["records"], words))
    problems = [*document["set_aside"], *_serious(document)]
    if problems:
        console.print(_problems(problems, words))


def _console() -> Console:
    """Square brackets in names and texts from the data are text, never markup."""
    return Console(markup=False)


def _table(words: Words, name: str, *columns: str, right: Sequence[int] = ()) -> Table:
    """An empty table; its title and columns are the words ``terminal.NAME`` and ``terminal.column_COLUMN``."""
    table = Table(title=words(f"terminal.{name}"), title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(
            words(f"terminal.column_{column}"), justify="right" if number in right else "left", overflow="fold"
        )
    return table


def _counts(tables: Sequence[Mapping[str, Any]], words: Words) -> Table:
    columns = ("table", "file", "rows_in", "accepted", "with_doubts", "set_aside")
    table = _table(words, "read", *columns, right=range(2, 6))
    totals: dict[str, list[int]] = {}
    keys = ("rows_in", "accepted", "accepted_with_doubts", "set_aside")
    for one in tables:
        sums = totals.setdefault(one["kind"], [0, 0, 0, 0, 0])
        for number, key in enumerate(keys):
            sums[number] += one[key]
        sums[4] += 1
    for kind, (*sums, count) in totals.items():
        files = [one["file"] for one in tables if one["kind"] == kind]
        named = files[0] if count == 1 else words("terminal.files", n=count)
        table.add_row(words(f"terminal.table_{kind}"), named, *map(str, sums))
    return table


def _records(records: Sequence[Mapping[str, Any]], words: Words) -> Table:
    columns = ("record", "form", "items", "readings", "weight", "place", "sigma", "doubts")
    table = _table(words, "records", *columns, right=(2, 3, 4, 6, 7))
    unknown = words("not_known")
    for record in records[:MOST_ROWS]:
        best = record["readings"][0] if record["readings"] else None
        points = best["points"] if best else {}
        pivot = best["pivot"] if best else None
        place = f"{pivot['latitude']:.6f} {pivot['longitude']:.6f}" if pivot else unknown
        sigma = f"{max(p['sigma_m'] for p in points.values()):.0f}" if points else unknown
        table.add_row(
            record["record_id"], record["form_no"], str(record["items"]), str(len(record["readings"])),
            f"{best['weight']:.2f}" if best else "-", place, sigma, str(len(record["doubts"])),
        )  # fmt: skip
    if len(records) > MOST_ROWS:
        table.add_row(f"... {words('terminal.more', n=len(records) - MOST_ROWS)}", *[""] * 7)
    return table


def _serious(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    every = [*document["doubts"], *(doubt for record in document.get("records", []) for doubt in record["doubts"])]
    return [doubt for doubt in every if doubt["severity"] != "info"]


def _problems(problems: Sequence[Mapping[str, Any]], words: Words) -> Table:
    table = _table(words, "problems", "id", "where", "what", "advice")
    for one in problems[:MOST_ROWS]:
        where = one["where"]
        parts = (where["file"], where["sheet"], where["row"], where["column"])
        table.add_row(one["id"], " ".join(str(part) for part in parts if part), one["reason"], one["advice"])
    if len(problems) > MOST_ROWS:
        table.add_row("...", "", words("terminal.more", n=len(problems) - MOST_ROWS), "")
    return table


def show_assessment(document: Mapping[str, Any], lang: str = "en") -> None:
    """Print the summary of an assessment."""
    console, words = _console(), Words(lang)
    as_of = document["as_of"] or words("not_stated")
    mark = words("terminal.simulated") if document["simulated"] else ""
    stage = words(f"terminal.stage_{document['stage']}")
    console.print(mark + words("terminal.head", case=document["case"], as_of=as_of, stage=stage))
    console.print(_counts(document["tables"], words))
    console.print(_figures(document, words))
    console.print(_fates(document["ledger"], words))
    if document["measures"] and document["stage"] == "as_recorded":
        console.print(words("terminal.as_recorded"))
    console.print(words("map.warning"))


def _share(one: Mapping[str, Any], words: Words) -> tuple[str, str]:
    value, interval = one["value"], one["interval"]
    if value is None or interval is None:
        return words("not_known"), ""
    shown = f"{100 * interval[0]:.0f} - {100 * interval[1]:.0f} %"
    return (words("outside.see_interval") if is_bound(value, interval) else f"{100 * value:.0f} %"), shown


def _figures(document: Mapping[str, Any], words: Words) -> Table:
    table = _table(words, "figures", "figure", "value", "interval", "n", right=(1, 2, 3))
    for one in document["outside"]["D1"]:
        name = words("terminal.d1", buffer=f"{one['buffer_m']:g}")
        table.add_row(name, *_share(one, words), f"{one['denominator']:.0f}")
    for one in document["outside"]["D4"]:
        table.add_row(
            f"{words('terminal.d4')}, {words('stage.' + one['stage'])}",
            *_share(one, words),
            f"{one['denominator']:.0f}",
        )
    for one in document["measures"]:
        if one["scope"] == "all" and one["id"] in ("iso19157:3", "iso19157:45"):
            shown = _share(one, words) if one["unit"] == "1" else _metres(one, words)
            table.add_row(f"{measure_name(one, words)}, {words('stage.' + one['stage'])}", *shown, f"{one['n']:.0f}")
    return table


def _metres(one: Mapping[str, Any], words: Words) -> tuple[str, str]:
    value, interval, unit = one["value"], one["interval"], words("unit.m")
    if value is None or interval is None:
        return words("not_known"), ""
    return f"{value:.0f} {unit}", f"{interval[0]:.0f} - {interval[1]:.0f} {unit}"


def _fates(ledger: Mapping[str, Any], words: Words) -> Table:
    table = _table(words, "ledger", "fate", "devices", right=(1,))
    for key in ("recorded", "found", "detonated", "lifted", "lost", "searched_not_found", "not_searched"):
        table.add_row(words(f"terminal.fate_{key}"), f"{ledger[key]:.1f}")
    still = ledger["still_in_ground"]
    if still["median"] is not None:
        low, high = still["interval"]
        table.add_row(words("terminal.still"), f"{still['median']:.0f} ({low:.0f} - {high:.0f})")
    return table


def show_claims(document: Mapping[str, Any], lang: str = "en") -> None:
    """Print each claim with every measure it could mean, in the words of the report."""
    words = Words(lang)
    table = _table(words, "claims", "claim", "speaker", "stated", "meaning", "data", "verdict")
    for claim in document["claims"]:
        ((speaker, (view,)),) = claim_columns({"claims": [claim]}, words)
        stated = f"{view.stated} ({view.place})" if view.place else view.stated
        for number, (meaning, data, interval, verdict, reason) in enumerate(view.readings):
            head = (claim["claim_id"], speaker, stated) if number == 0 else ("", "", "")
            shown = f"{data} ({interval})" if interval else data
            table.add_row(*head, meaning, shown, f"{verdict}: {reason}" if reason else verdict)
    _console().print(table)


def show_reanchored(document: Mapping[str, Any], lang: str = "en") -> None:
    """Print the placements that remain possible for a record, and how many devices they leave in the ground."""
    words = Words(lang)
    columns = ("weight", "mistake", "shift", "turn", "sigma", "matched", "remaining")
    table = _table(words, "placements", *columns, right=(0, *range(2, 7)))
    for number, placement in enumerate(document["placements"], start=1):
        items = [item for item in document["items"] if item["placement"] == number]
        spread = sorted(((i["cov_ee_m2"] + i["cov_nn_m2"]) / 2.0) ** 0.5 for i in items)
        table.add_row(
            f"{placement['weight']:.2f}",
            words(f"mistake.{mistake_word(placement['hypotheses']['error'])}"),
            f"{placement['shift_east_m']:+.1f} {placement['shift_north_m']:+.1f}",
            f"{placement['turn_deg']:+.1f} x {placement['scale']:.3f}",
            f"{spread[len(spread) // 2]:.1f}",
            f"{placement['expected_matched']:.1f}",
            f"{sum(i['p_present'] for i in items):.1f}",
        )
    console = _console()
    console.print(
        f"{document['record_id']}: {words('terminal.events_within_reach', n=len(document['events_within_reach']))}"
    )
    console.print(table)
    if document["weight_not_listed"] > 0.0005:
        console.print(words("terminal.not_listed", share=f"{document['weight_not_listed']:.2f}"))
    if document["region"] is not None:
        console.print(_region(document["region"], words))
    console.print(words("terminal.proposal"))
    problems = [*document["set_aside"], *_serious(document)]
    if problems:
        console.print(_problems(problems, words))
    if "next_search" in document:
        _show_next_search(document["next_search"], console, words, lang)


def _region(part: Mapping[str, Any], words: Words) -> str:
    """One line: why ellipses would mislead, and on how much ground the devices not found yet lie instead."""
    half, most = part["levels"]
    return words(
        "terminal.region", reasons=", ".join(words(f"terminal.region_{r}") for r in part["reasons"]),
        n=f"{part['devices']:.1f}", half=f"{half['area_m2']:.0f}", most=f"{most['area_m2']:.0f}",
    )  # fmt: skip


def _show_next_search(part: Mapping[str, Any], console: Console, words: Words, lang: str) -> None:
    """Print the ground proposed for the next search, the limits it keeps, and what it does not say."""
    if part["limits"] is None:
        message = render(part["reason"]["id"], lang=lang)
        console.print(f"{part['reason']['id']}: {message.reason} {message.advice}")
        console.print(words("terminal.next_note"))
        return
    columns = ("rank", "kind", "middle", "bearing", "finds", "nothing", "information", "why")
    table = _table(words, "next_search", *columns, right=(0, 3, 4, 5, 6))
    for one in part["proposals"]:
        centre = shapely.from_wkt(one["wkt"]).centroid
        low, high = one["finds_interval"]
        table.add_row(
            str(one["rank"]), words(f"terminal.kind_{one['kind']}"), f"{centre.y:.6f} {centre.x:.6f}",
            f"{one['bearing_deg']:.0f}", f"{one['expected_finds']:.1f} ({low:.0f} - {high:.0f})",
            f"{one['p_no_find']:.2f}", f"{one['information_gain']:.2f}",
            words(f"terminal.why_{'informs' if one['reason'] == INFORMS else 'finds'}"),
        )  # fmt: skip
    console.print(table)
    if part["reason"] is not None:
        console.print(words("terminal.next_fewer"))
    console.print(_limits(part, words))
    console.print(words("terminal.next_note"))


def _limits(part: Mapping[str, Any], words: Words) -> str:
    """One line: which limits were kept, which were not stated, and the detection counted with."""
    limits, detection = part["limits"], part["detection_probability"]
    kept = [words(f"terminal.limit_{name}") for name in ("forbidden", "allowed", "access") if limits[name]]
    if limits["directions_deg"]:
        kept.append(words("terminal.limit_directions"))
    stated = "stated" if detection["stated"] else "usual"
    return " ".join((
        words("terminal.limits_kept", kept=", ".join(kept) or words("terminal.limits_none")),
        words(f"terminal.detection_{stated}", value=f"{detection['value']:.2f}"),
    ))  # fmt: skip
