"""Tables for a terminal: short, with every figure's interval or the words "not known"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

MOST_ROWS = 20


def show_reading(document: Mapping[str, Any]) -> None:
    """Print what was read: counts, records with their heaviest reading, rows set aside, doubts."""
    console = Console()
    console.print(_counts(document["tables"]))
    if document["records"]:
        console.print(_records(document["records"]))
    problems = [*document["set_aside"], *_serious(document)]
    if problems:
        console.print(_problems(problems))


def _table(title: str, *columns: str, right: Sequence[int] = ()) -> Table:
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number in right else "left", overflow="fold")
    return table


def _counts(tables: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("Read", "table", "file", "rows in", "accepted", "with doubts", "set aside", right=range(2, 6))
    totals: dict[str, list[int]] = {}
    keys = ("rows_in", "accepted", "accepted_with_doubts", "set_aside")
    for one in tables:
        sums = totals.setdefault(one["kind"], [0, 0, 0, 0, 0])
        for number, key in enumerate(keys):
            sums[number] += one[key]
        sums[4] += 1
    for kind, (*sums, count) in totals.items():
        files = [one["file"] for one in tables if one["kind"] == kind]
        table.add_row(kind, files[0] if count == 1 else f"{count} files", *map(str, sums))
    return table


def _records(records: Sequence[Mapping[str, Any]]) -> Table:
    table = _table(
        "Records",
        "record",
        "form",
        "items",
        "readings",
        "weight",
        "place",
        "sigma m",
        "doubts",
        right=(2, 3, 4, 6, 7),
    )
    for record in records[:MOST_ROWS]:
        best = record["readings"][0] if record["readings"] else None
        points = best["points"] if best else {}
        pivot = best["pivot"] if best else None
        place = f"{pivot['latitude']:.6f} {pivot['longitude']:.6f}" if pivot else "not known"
        sigma = f"{max(p['sigma_m'] for p in points.values()):.0f}" if points else "not known"
        table.add_row(
            record["record_id"], record["form_no"], str(record["items"]), str(len(record["readings"])),
            f"{best['weight']:.2f}" if best else "-", place, sigma, str(len(record["doubts"])),
        )  # fmt: skip
    if len(records) > MOST_ROWS:
        table.add_row(f"... {len(records) - MOST_ROWS} more (--json)", *[""] * 7)
    return table


def _serious(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    every = [*document["doubts"], *(doubt for record in document["records"] for doubt in record["doubts"])]
    return [doubt for doubt in every if doubt["severity"] != "info"]


def _problems(problems: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("Set aside and doubts", "id", "where", "what", "what to do")
    for one in problems[:MOST_ROWS]:
        where = one["where"]
        parts = (where["file"], where["sheet"], where["row"], where["column"])
        table.add_row(one["id"], " ".join(str(part) for part in parts if part), one["reason"], one["advice"])
    if len(problems) > MOST_ROWS:
        table.add_row("...", "", f"{len(problems) - MOST_ROWS} more (--json)", "")
    return table


def show_assessment(document: Mapping[str, Any]) -> None:
    """Print the summary of an assessment."""
    console = Console()
    mark = "SIMULATED - " if document["simulated"] else ""
    console.print(f"{mark}{document['case']}, as of {document['as_of'] or 'not stated'}; positions as recorded")
    console.print(_counts(document["tables"]))
    console.print(_figures(document))
    console.print(_fates(document["ledger"]))
    if document["measures"]:
        console.print("Positions as recorded: 'found' is the most that can be matched to the records.")
    console.print("Not evidence that any place is free of devices.")


def _share(value: float | None, interval: Sequence[float] | None) -> tuple[str, str]:
    if value is None or interval is None:
        return "not known", ""
    shown = f"{100 * interval[0]:.0f} - {100 * interval[1]:.0f} %"
    # A value at the very edge of a wide interval is a bound, not an estimate.
    edge = min(value - interval[0], interval[1] - value) < 0.01 and interval[1] - interval[0] > 0.3
    return ("see interval" if edge else f"{100 * value:.0f} %"), shown


def _figures(document: Mapping[str, Any]) -> Table:
    table = _table("Figures", "figure", "value", "90 % interval", "n", right=(1, 2, 3))
    for one in document["outside"]["D1"]:
        value, interval = _share(one["value"], one["interval"])
        table.add_row(f"D1 events outside, +{one['buffer_m']:g} m", value, interval, f"{one['denominator']:.0f}")
    for one in document["outside"]["D4"]:
        value, interval = _share(one["value"], one["interval"])
        table.add_row("D4 found devices on no record", value, interval, f"{one['denominator']:.0f}")
    for one in document["measures"]:
        if one["scope"] == "all" and one["id"] in ("iso19157:3", "iso19157:45"):
            value, interval = (
                _share(one["value"], one["interval"]) if one["unit"] == "1" else _metres(one["value"], one["interval"])
            )
            table.add_row(one["name"], value, interval, f"{one['n']:.0f}")
    return table


def _metres(value: float | None, interval: Sequence[float] | None) -> tuple[str, str]:
    if value is None or interval is None:
        return "not known", ""
    return f"{value:.0f} m", f"{interval[0]:.0f} - {interval[1]:.0f} m"


def _fates(ledger: Mapping[str, Any]) -> Table:
    table = _table("Ledger of recorded devices (expected counts)", "fate", "devices", right=(1,))
    for key in ("recorded", "found", "detonated", "lifted", "lost", "searched_not_found", "not_searched"):
        table.add_row(key.replace("_", " "), f"{ledger[key]:.1f}")
    still = ledger["still_in_ground"]
    if still["median"] is not None:
        low, high = still["interval"]
        table.add_row("still in the ground (posterior)", f"{still['median']:.0f} ({low:.0f} - {high:.0f})")
    return table


def show_claims(document: Mapping[str, Any]) -> None:
    """Print each claim with every measure it could mean."""
    console = Console()
    table = _table("Claims against the data", "claim", "speaker", "stated", "could mean", "data", "verdict")
    for claim in document["claims"]:
        stated = claim["stated"]
        words = f"{stated['bound']} {stated['value']:g} {stated['unit']}"
        for number, reading in enumerate(claim["readings"]):
            head = (claim["claim_id"], claim["speaker"], words) if number == 0 else ("", "", "")
            table.add_row(*head, reading["measure"], _reading_words(reading), reading["verdict"])
    console.print(table)


def _reading_words(reading: Mapping[str, Any]) -> str:
    if reading["value"] is None:
        return f"not known: {reading['reason']}"
    low, high = reading["interval"]
    return f"{reading['value']:.3g} ({low:.3g} - {high:.3g})"
