"""An assessment as what every writer takes: the document of ``assessment.json`` and the map layers, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from surefoot.analysis.accounting import StillInGround
from surefoot.analysis.accuracy import LEVEL, Measure, OutsideShare
from surefoot.analysis.accuracy.duplicates import SAME_SHEET
from surefoot.analysis.assess import Assessment
from surefoot.analysis.assess.outside import KnownOnTheDay
from surefoot.analysis.claims import CheckedClaim, ClaimReading, names_another_place
from surefoot.analysis.locate import Readings, mixture_shares
from surefoot.designations import type_key
from surefoot.messages import render
from surefoot.model import Doubt
from surefoot.terms import Fate, Severity, Stage, Verdict
from surefoot.writers.describe_layers import Layer, layers_of
from surefoot.writers.describe_missed import missed_documents
from surefoot.writers.describe_pooled import forecast_documents, learned_documents
from surefoot.writers.describe_totals import total_document
from surefoot.writers.placements import corrected_documents, doubts_of_evidence, placement_documents, weight_not_listed
from surefoot.writers.read_json import doubt_document, set_aside_document
from surefoot.writers.words import Words, mistake_word

SCHEMA = "surefoot/assessment-1"


@dataclass(frozen=True)
class Described:
    """What every writer takes."""

    document: Mapping[str, Any]
    layers: Mapping[str, Layer]


def describe(assessment: Assessment, *, version: str, lang: str = "en") -> Described:
    """Describe an assessment in a language."""
    settings = assessment.case.settings
    layers = layers_of(assessment)
    document = {
        "schema": SCHEMA,
        "case": settings.name,
        "simulated": settings.simulated,
        "as_of": settings.as_of.isoformat() if settings.as_of else None,
        "version": version,
        "seed": assessment.seed,
        "stage": (Stage.AS_RECORDED if assessment.corrected is None else Stage.RE_ANCHORED).value,
        "crs": settings.crs,
        "inputs": [asdict(file) for file in assessment.case.inputs],
        "tables": [asdict(table) for table in assessment.case.tables],
        "measures": [_measure(measure, lang) for measure in assessment.measures],
        "outside": _outside(assessment, lang),
        "records": _records(assessment, lang),
        "form_quality": _form_quality(assessment, layers["records"]),
        "duplicates": _duplicates(assessment, lang),
        "ledger": _ledger(assessment, lang),
        "total": total_document(assessment.totals, lang),
        "forecast": forecast_documents(assessment.pooled, lang),
        "learned": learned_documents(assessment.pooled),
        "claims": [_claim(checked, settings.name, lang) for checked in assessment.claims],
        "priorities": [],
        "set_aside": [set_aside_document(row, lang) for row in assessment.case.set_aside],
        "doubts": _doubts(assessment, lang),
    }
    return Described(document, layers)


def _words(id_: str | None, lang: str, **values: object) -> str | None:
    return None if id_ is None else render(id_, values, lang=lang).reason


def _measure(measure: Measure, lang: str) -> dict[str, Any]:
    return {
        **asdict(measure), "stage": measure.stage.value, "interval": _listed(measure.interval),
        "reason": _words(measure.reason, lang),
    }  # fmt: skip


def _listed(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [float(interval[0]), float(interval[1])]


def _share(share: OutsideShare, lang: str) -> dict[str, Any]:
    return {
        **asdict(share), "stage": share.stage.value, "interval": _listed(share.interval),
        "reason": _words(share.reason, lang),
    }  # fmt: skip


def _outside(assessment: Assessment, lang: str) -> dict[str, Any]:
    found = assessment.outside
    known = [_known_on_the_day(one, lang) for one in found.known_on_the_day]
    return {
        "maps": found.maps,
        "D1": [{**_share(share, lang), "as_known_on_the_day": day} for share, day in zip(found.d1, known, strict=True)],
        "D1_without_duplicates": [_share(share, lang) for share in found.d1_without_duplicates],
        "D2": [_share(share, lang) for share in assessment.d2],
        "D3": [_share(share, lang) for share in assessment.d3],
        "D4": [_share(share, lang) for share in assessment.d4],
    }


def _known_on_the_day(one: KnownOnTheDay, lang: str) -> dict[str, Any]:
    share = one.share
    return {
        "value": None if share is None else share.value,
        "interval": None if share is None else _listed(share.interval),
        "level": LEVEL,
        "numerator": None if share is None else share.numerator,
        "denominator": None if share is None else share.denominator,
        "n_undated_events": one.n_undated_events,
        "n_undated_maps": one.n_undated_maps,
        "reason": _words("SF-C045", lang) if share is None else None,
    }


def _records(assessment: Assessment, lang: str) -> list[dict[str, Any]]:
    suspected = {s.record: s for s in assessment.suspicions}
    documents = []
    for number, (record, readings) in enumerate(zip(assessment.case.records, assessment.located, strict=True)):
        evidence = assessment.evidence[number]
        suspicion = suspected.get(number)
        documents.append({
            "record_id": record.record_id,
            "form_no": record.form_no,
            "series": record.series,
            "finds": float(assessment.finds_per_record[number]),
            **_placed(assessment, number, readings),
            "evidence_class": evidence.evidence_class,
            "reasons": [_words(reason, lang) for reason in evidence.reasons],
            "signatures": [] if suspicion is None else [
                {"mistake": m.name, "probability": m.probability, "sigmas_off": m.sigmas_off,
                 "east_m": m.east_m, "north_m": m.north_m, "finds": suspicion.finds}
                for m in suspicion.ranked
            ],
        })  # fmt: skip
    return documents


def _placed(assessment: Assessment, number: int, readings: Readings) -> dict[str, Any]:
    """Placements of a record, and after re-anchoring what speaks for them against another field."""
    corrected = assessment.corrected
    placed = None if corrected is None else corrected.placements.get(number)
    if placed is None:
        return {"stage": Stage.AS_RECORDED.value, "placements": placement_documents(readings, assessment.grid)}
    return {
        "stage": Stage.RE_ANCHORED.value,
        "placements": corrected_documents(placed, assessment.grid),
        "weight_not_listed": weight_not_listed(placed.placements),
        "log_evidence_against_another_field": placed.log_evidence - placed.log_evidence_unrelated,
    }


def _form_quality(assessment: Assessment, layer: Layer) -> list[dict[str, Any]]:
    rows = []
    sigma_m = [None if np.isnan(sigma) else sigma for sigma in layer.columns["sigma_m"].tolist()]
    recorded = assessment.ledger.by_record()
    for number, (record, readings) in enumerate(zip(assessment.case.records, assessment.located, strict=True)):
        items = dict(readings.form_completeness)
        told = [value for value in items.values() if value is not None]
        rows.append({
            "record_id": record.record_id,
            "form_no": record.form_no,
            "family": record.family.value,
            "series": record.series,
            "laid": record.laid.raw if record.laid else None,
            "locatability": readings.locatability,
            "completeness_score": sum(told) / len(told) if told else None,
            "completeness_items": items,
            "recorded": float(recorded.get(number, {}).get("recorded", 0.0)),
            "readings": len(readings.readings),
            "sigma_m": sigma_m[number],
            "doubts": len(record.doubts) + len(readings.doubts),
        })  # fmt: skip
    return rows


def _duplicates(assessment: Assessment, lang: str) -> list[dict[str, Any]]:
    return [
        *_doubled_symbols(assessment, lang), *_doubled_records(assessment, lang), *_doubled_events(assessment, lang)
    ]  # fmt: skip


def _doubled_symbols(assessment: Assessment, lang: str) -> list[dict[str, Any]]:
    ids, pairs = assessment.case.accidents.id, assessment.duplicates
    return [
        {
            "kind": f"accidents, {kind}",
            "a": str(ids[a]),
            "b": str(ids[b]),
            "distance_m": float(distance),
            "reason": _words("SF-C042" if kind == SAME_SHEET else "SF-C043", lang, distance=f"{distance:.0f}"),
        }
        for a, b, distance, kind in zip(pairs.first, pairs.second, pairs.distance_m, pairs.kind, strict=True)
    ]


def _doubled_records(assessment: Assessment, lang: str) -> list[dict[str, Any]]:
    names = [record.record_id for record in assessment.case.records]
    return [
        {
            "kind": f"records, {pair.kind}",
            "a": names[pair.first],
            "b": names[pair.second],
            "distance_m": pair.distance_m,
            "azimuth_deg": pair.azimuth_deg,
            "not_shifted": None if pair.not_shifted is None else names[pair.not_shifted],
            "reason": _words(
                "SF-C053" if pair.not_shifted is None else "SF-C041", lang, other=names[pair.second],
                distance=f"{pair.distance_m:.1f}", azimuth=f"{pair.azimuth_deg or 0.0:.0f}",
                misfit=f"{pair.misfit_m:.1f}",
            ),
        }
        for pair in assessment.record_pairs
    ]  # fmt: skip


def _doubled_events(assessment: Assessment, lang: str) -> list[dict[str, Any]]:
    finds, accidents = assessment.case.finds.id, assessment.case.accidents.id
    return [
        {
            "kind": "find and accident",
            "a": str(finds[find]),
            "b": str(accidents[accident]),
            "distance_m": None,
            "reason": render("SF-C044", {"other": accidents[accident]}, found=str(finds[find]), lang=lang).reason,
        }
        for accident, find in enumerate(assessment.same_event)
        if find >= 0
    ]


def _ledger(assessment: Assessment, lang: str) -> dict[str, Any]:
    book = assessment.ledger
    still = book.still_in_ground
    totals: dict[str, Any] = dict(book.totals())
    slots = assessment.items.slot[assessment.best]
    rows = assessment.items.row[assessment.best]
    by_record = book.by_record()
    return {
        **totals,
        "allocated": int(np.sum(rows != "")),
        "unallocated": int(np.sum(rows == "")),
        "without_place": int(np.sum(slots == "none")),
        "still_in_ground": {**_still(still), "reason": None if still is not None else _words("SF-C003", lang)},
        "missed": missed_documents(assessment),
        "by_type": _by_type(assessment),
        "by_record": [
            {
                "record_id": record.record_id,
                "form_no": record.form_no,
                **by_record[number],
                "still_in_ground": _still(book.still_by_record[number]),
            }
            for number, record in enumerate(assessment.case.records)
            if number in by_record
        ],
    }


def _still(still: StillInGround | None) -> dict[str, Any]:
    """What is left; null where nothing is recorded."""
    if still is None:
        return {"median": None, "interval": None, "level": 0.9, "p_none": None}
    return {
        "median": still.median, "interval": _listed(still.interval), "level": still.level, "p_none": still.none
    }  # fmt: skip


def _by_type(assessment: Assessment) -> dict[str, dict[str, Any]]:
    """Expected counts by model, under the first of its spellings.

    The devices of a mixed row are shared out in the proportions of the row, but a removal of one type is of that
    type: the other fates are then shared out in the proportions of what is left.
    """
    result: dict[str, dict[str, float]] = {}
    names: dict[str, str] = {}
    for label, line in assessment.ledger.by_model().items():
        shares = mixture_shares(label)
        removed = {k[1:]: v for k, v in assessment.ledger.removed_of_model.items() if k[0] == label}
        own = {m: sum(v for (name, _), v in removed.items() if name == m) for m in shares}
        left = {m: max(s * line["recorded"] - own[m], 0.0) for m, s in shares.items()}
        whole = sum(left.values())
        for model, share in shares.items():
            name = names.setdefault(type_key(model), model or "not stated")
            into = result.setdefault(name, dict.fromkeys(("recorded", *(f.value for f in Fate)), 0.0))
            into["recorded"] += share * line["recorded"]
            for fate in Fate:
                of_one = sum(v for (_, f), v in removed.items() if f is fate)
                rest = line[fate.value] - of_one
                into[fate.value] += removed.get((model, fate), 0.0) + (rest * left[model] / whole if whole else 0.0)
    still = assessment.ledger.still_by_type
    return {name: {**result[name], "still_in_ground": _still(still[key])} for key, name in names.items()}


def _claim(checked: CheckedClaim, case_name: str, lang: str) -> dict[str, Any]:
    claim = checked.claim
    elsewhere = names_another_place(claim, case_name)
    place_note = _words("SF-C051", lang, found=claim.place, case=case_name) if elsewhere else None
    return {
        "claim_id": claim.id,
        "speaker": claim.speaker,
        "date": claim.date.isoformat() if claim.date else None,
        "outlet": claim.outlet,
        "text": claim.text,
        "subject": claim.subject,
        "measure": claim.measure,
        "period": claim.period,
        "place": claim.place,
        "place_note": place_note,
        "confirmed_by": claim.confirmed_by,
        "stated": {"value": claim.value, "bound": claim.bound.value, "unit": claim.unit},
        "readings": [
            {"measure": r.measure, "value": r.value, "interval": _listed(r.interval), "verdict": r.verdict.value,
             "reason": _reason_of(r, place_note, lang),
             "days": None if r.days is None else [day.isoformat() for day in r.days]}
            for r in checked.readings
        ],
    }  # fmt: skip


def _reason_of(reading: ClaimReading, place_note: str | None, lang: str) -> str | None:
    """Return the reason of a verdict; one that compared something says of which place the claim speaks."""
    reason = _words(reading.reason, lang, **reading.values)
    tested = reading.verdict is not Verdict.CANNOT_BE_TESTED
    return f"{reason} {place_note}" if tested and place_note else reason


def _doubts(assessment: Assessment, lang: str) -> list[dict[str, Any]]:
    documents = [
        doubt_document(doubt, lang)
        for doubt in (*assessment.case.doubts, *assessment.doubts, *assessment.ledger.doubts)
    ]
    for number, (record, readings) in enumerate(zip(assessment.case.records, assessment.located, strict=True)):
        own: Sequence[Doubt] = (*record.doubts, *readings.doubts)
        documents += [{**doubt_document(d, lang), "record_id": record.record_id} for d in own]
        documents += _suspicion(assessment, number, lang)
    return documents


def _suspicion(assessment: Assessment, number: int, lang: str) -> list[dict[str, Any]]:
    record = assessment.case.records[number]
    made = [
        {**doubt_document(d, lang), "record_id": record.record_id} for d in _corrected_doubts(assessment, number, lang)
    ]
    for suspicion in assessment.suspicions:
        if suspicion.record != number:
            continue
        top = next((m for m in suspicion.ranked if m.name == suspicion.mistake.name), None)
        values = {
            "distance": f"{suspicion.mistake.distance_m:.0f}",
            "mistake": suspicion.mistake.name,
            "probability": f"{100 * top.probability:.0f} %" if top else "not known",
            "proposal": proposal_of(suspicion.mistake.name, record_zone(assessment, number)),
        }
        doubt = Doubt("SF-C040", Severity.WARNING, record.where, str(suspicion.finds), values)
        made.append({**doubt_document(doubt, lang), "record_id": record.record_id})
    return made


def _corrected_doubts(assessment: Assessment, number: int, lang: str) -> Iterator[Doubt]:
    """What re-anchoring found wrong with a record."""
    corrected, where = assessment.corrected, assessment.case.records[number].where
    if corrected is None:
        return
    if number in corrected.placements:
        yield from doubts_of_evidence(corrected.placements[number], where)
    finds = assessment.finds_per_record[number]
    mistake = corrected.mistake(number)
    if mistake is not None:
        values = {
            "mistake": Words(lang)(f"mistake.{mistake_word(mistake[0])}"),
            "probability": f"{100 * mistake[1]:.0f} %",
            "finds": f"{finds:.1f}",
        }
        yield Doubt("SF-C046", Severity.WARNING, where, "", values)


def record_zone(assessment: Assessment, number: int) -> int | None:
    """Six-degree zone in which a record lies."""
    best = assessment.located[number].best
    return int(best.pivot[0] // 6) + 1 if best is not None and best.pivot is not None else None


def proposal_of(mistake: str, zone: int | None) -> str:
    """Return the reading a mistake proposes, in words."""
    proposals = {
        "datum_ignored": "read the numbers in SK-42 and shift them to WGS 84",
        "shift_twice": "the datum shift was applied twice; take one back",
        "gauss_kruger_as_utm": f"read the numbers as SK-42 zone {zone} (Gauss-Krueger)",
        "utm_as_gauss_kruger": "read the numbers as UTM WGS 84",
        "swapped": "exchange X and Y",
    }
    return proposals.get(mistake, mistake.replace("_", " "))
