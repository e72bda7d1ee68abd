"""The number of all devices and what published figures imply, as ``total`` of ``assessment.json``."""

from __future__ import annotations

from typing import Any

from surefoot.analysis.assess.totals import Totals
from surefoot.analysis.completeness import BAND, LOG_ODDS_SD, Implication, TotalTested
from surefoot.messages import render

MATCHING = ("most", "least")  # in the order of `Totals.lists`


def total_document(totals: Totals, lang: str) -> dict[str, Any]:
    """Describe the totals in a language."""
    whole = totals.total.integrated
    reason = _words(whole.reason, lang)
    return {
        "curve": [
            {"odds_ratio": at.odds_ratio, "total": at.total, "interval": list(at.interval)} for at in totals.total.curve
        ],
        "integrated": {
            "total": whole.total,
            "interval": None if whole.interval is None else list(whole.interval),
            "interval_by_prior": None if whole.mixture is None else list(whole.mixture),
            "level": whole.level,
            "log_odds_ratio_sd": LOG_ODDS_SD,
            "odds_ratio_band": list(BAND),
            "reason": reason,
        },
        "stage": totals.stage.value,
        "definition": _words("SF-A079", lang),
        "counts": [
            {
                "matching": matching,
                "both": lists.both,
                "found_only": lists.found_only,
                "recorded": lists.recorded,
                "correctness": None if lists.correctness is None else lists.correctness.value,
                "completeness": None if lists.completeness is None else lists.completeness.value,
            }
            for matching, lists in zip(MATCHING, totals.lists, strict=False)
        ],
        "clusters": totals.clusters,
        "published": _published(totals, lang),
        "reason": reason,
    }


def _words(id_: str | None, lang: str) -> str | None:
    return None if id_ is None else render(id_, {}, lang=lang).reason


def _published(totals: Totals, lang: str) -> dict[str, Any]:
    needed = totals.needed
    return {
        "implied": [_implied(row) for row in totals.implied],
        "tested": [_tested(row, lang) for row in totals.tested],
        "finds_needed": {
            "half_width": needed.half_width,
            "level": needed.level,
            "by_design_effect": [{"design_effect": e, "finds": n} for e, n in needed.by_design_effect],
        },
    }


def _implied(row: Implication) -> dict[str, Any]:
    return {
        "figures": [
            {"claim_id": part.claim_id, "speaker": part.speaker, "read_as": part.read_as.value, "value": part.value,
             "bound": part.bound.value}
            for part in row.parts
        ],
        "every_recorded_is_real": row.every_recorded_is_real,
        "quantity": row.quantity,
        "value": row.value,
        "bound": None if row.bound is None else row.bound.value,
        "possible": row.possible,
    }  # fmt: skip


def _tested(row: TotalTested, lang: str) -> dict[str, Any]:
    chance = row.chance
    return {
        "claim_id": row.claim_id,
        "recorded_claim_id": row.recorded_claim or None,
        "recorded": row.recorded,
        "probability_above": None if chance is None else chance.integrated,
        "lowest": None if chance is None else chance.lowest,
        "highest": None if chance is None else chance.highest,
        "reason": _words(row.reason, lang),
    }
