"""Forecasts of new records and learned sigmas, as documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from surefoot.analysis.accuracy import Interval
from surefoot.analysis.assess.pooled import Pooled
from surefoot.analysis.pooling import Forecast
from surefoot.analysis.pooling.learned import LEVEL
from surefoot.messages import render

LEARNED_SCHEMA = "surefoot/learned-1"


def forecast_documents(pooled: Pooled, lang: str) -> list[dict[str, Any]]:
    """Return the forecasts, for all records and by series."""
    return [_forecast(one, lang) for one in pooled.forecasts]


def _forecast(one: Forecast, lang: str) -> dict[str, Any]:
    return {
        "scope": one.scope,
        "figure": one.figure,
        "median": one.median,
        "interval": None if one.interval is None else list(one.interval),
        "level": one.level,
        "records": one.records,
        "reason": None if one.reason is None else render(one.reason, {}, lang=lang).reason,
    }


def learned_documents(pooled: Pooled) -> list[dict[str, Any]]:
    """Return factors on the sigmas of each source of error and, by series, the priors for its next records."""
    return [
        {
            "scope": one.scope,
            "records": one.records,
            "level": LEVEL,
            "factors": {source: _factor(factor) for source, factor in one.factor.items()},
            "priors": dict(one.priors),
        }
        for one in pooled.learned
    ]


def _factor(factor: Interval | None) -> dict[str, Any] | None:
    return None if factor is None else {"median": factor.value, "interval": [factor.low, factor.high]}


def learned_file(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of ``learned_priors.json``: what a later case names as its priors; no series = no file."""
    series = {
        one["scope"].removeprefix("series:"): {key: one[key] for key in ("records", "level", "factors", "priors")}
        for one in document.get("learned") or ()
        if one["scope"].startswith("series:")
    }
    head = {key: document[key] for key in ("case", "simulated", "as_of", "version", "seed")}
    return {"schema": LEARNED_SCHEMA, **head, "series": series}
