"""What an assessment says of records nobody has checked: forecasts and learned sigmas, for all and by series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from surefoot.analysis.accuracy import checked_by_record
from surefoot.analysis.assess.ground import gone_before
from surefoot.analysis.assess.reanchored import Corrected
from surefoot.analysis.assess.stage import Basis, StageResult, record_scopes
from surefoot.analysis.locate import LocateContext, Priors, locate
from surefoot.analysis.pooling import (
    Forecast,
    LearnedErrors,
    RecordErrors,
    forecast_confirmed,
    forecast_displacement,
    learn,
    record_errors,
)
from surefoot.analysis.reanchor.hypotheses import Hypothesis, hypotheses_of
from surefoot.model import MinefieldRecord


@dataclass(frozen=True)
class Pooled:
    """Forecasts of new records, and the sigmas the corrected ones speak for; `learned` is empty without correction."""

    forecasts: tuple[Forecast, ...]
    learned: tuple[LearnedErrors, ...]


def pooled(
    basis: Basis, final: StageResult, corrected: Corrected | None, context: LocateContext, rng: np.random.Generator
) -> Pooled:
    """Pool the records of a case, all together and by series."""
    verified_of, records = basis.verified_of, basis.case.records
    before = gone_before(basis.layout.events, basis.layout.verified, verified_of)
    confirmed, checked = checked_by_record(
        final.associations[0], verified_of >= 0, final.devices.verified, final.book.noted_removed, find_before=before,
        records=len(records),
    )  # fmt: skip
    errors = {} if corrected is None else _errors(basis, corrected, context)
    forecasts: list[Forecast] = []
    learned: list[LearnedErrors] = []
    for scope, member in record_scopes(records).items():
        forecasts.append(forecast_confirmed(scope, confirmed[member], checked[member]))
        own = [errors[n] for n in np.flatnonzero(member).tolist() if n in errors]
        if own:
            learned.append(learn(scope, own, _priors_of(basis, context, scope)))
            forecasts.append(forecast_displacement(scope, own, learned[-1], rng))
    return Pooled(tuple(forecasts), tuple(learned))


def _priors_of(basis: Basis, context: LocateContext, scope: str) -> Priors | None:
    """Priors that all records of a scope were placed with; None where they differ."""
    if scope == "all":
        return None if context.series else basis.priors
    return basis.priors.for_series(context.series.get(scope.removeprefix("series:"), {}))


def _errors(basis: Basis, corrected: Corrected, context: LocateContext) -> Mapping[int, RecordErrors]:
    made = {}
    for number, placed in corrected.placements.items():
        record = basis.case.records[number]
        priors = basis.priors.for_series(context.series.get(record.series, {}))
        told = record_errors(placed, priors, partial(_hypotheses, basis, context, record))
        if told is not None:
            made[number] = told
    return made


def _hypotheses(basis: Basis, context: LocateContext, record: MinefieldRecord, priors: Priors) -> Sequence[Hypothesis]:
    """Return a record's hypotheses under these priors and no others."""
    readings = locate(record, context=replace(context, priors=priors, series={}))
    prior = hypotheses_of(readings, priors, basis.grid.project, basis.grid.crs)
    return () if prior is None else prior.hypotheses
