"""Forecasts and learned sigmas: the worked example of methods.md, sigmas that are known, records that tell nothing."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest

from surefoot.analysis.locate import LocateContext, Priors, locate
from surefoot.analysis.pooling import RecordErrors, forecast_confirmed, forecast_displacement, learn
from surefoot.analysis.pooling.learned import SOURCES, BeforeFinds, record_errors, scaled
from surefoot.analysis.reanchor import Placements
from surefoot.analysis.reanchor.hypotheses import RecordPrior, hypotheses_of
from surefoot.model import Where
from surefoot.positions.grid import grid_at
from surefoot.readers.forms.documents import FormDocument
from surefoot.readers.forms.parse import parse_form
from surefoot.readers.priors import default_priors

Floats = npt.NDArray[np.float64]

TRUE_SIGMAS = (18.0, 0.07, 0.05)  # landmark, metres per axis; bearing, radians; distance, relative
FLOOR = np.diag([1e-4, 1e-4, 1e-8, 1e-8])


def corrected_record(rng: np.random.Generator, factors: tuple[float, float, float], sigma_m: float) -> RecordErrors:
    """A record that finds have placed to `sigma_m`, its errors drawn with sigmas `factors` times the prior's."""
    landmark, bearing, distance = TRUE_SIGMAS
    leg = rng.uniform(60.0, 250.0) * np.exp(1j * rng.uniform(0.0, 2.0 * np.pi))
    turn, along = np.array([leg.imag, -leg.real, 1.0, 0.0]), np.array([leg.real, leg.imag, 0.0, 1.0])
    parts = np.stack([
        np.diag([landmark**2, landmark**2, 0.0, 0.0]), bearing**2 * np.outer(turn, turn),
        distance**2 * np.outer(along, along),
    ])  # fmt: skip
    prior = parts.sum(axis=0) + FLOOR
    truth = rng.multivariate_normal(np.zeros(4), np.einsum("s,sij->ij", np.square(factors), parts) + FLOOR)
    spread = np.diag(np.square([sigma_m, sigma_m, sigma_m / 150.0, sigma_m / 150.0]))
    draws = rng.multivariate_normal(truth, spread, 100)
    return one_hypothesis(prior, parts, draws)


def one_hypothesis(prior: Floats, parts: Floats, draws: Floats) -> RecordErrors:
    before = BeforeFinds(np.ones(1), np.zeros((1, 2)), prior[None], parts[None])
    return RecordErrors(np.ones(1), prior[None], parts[None], (draws,), 4.0, before)


def test_eight_forms_of_which_25_of_91_devices_were_confirmed_say_little_about_a_ninth() -> None:
    """methods.md section 3: a new form, median 0.23, 80 % 0.01-0.72."""
    confirmed = np.array([0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 10.0])
    forecast = forecast_confirmed("all", confirmed, np.array([11.0] * 5 + [12.0] * 3))
    assert forecast.median == pytest.approx(0.23, abs=0.02)
    assert forecast.interval == pytest.approx((0.01, 0.72), abs=0.02)
    assert (forecast.level, forecast.records) == (0.8, 8)


def test_of_two_checked_forms_nothing_is_said_about_a_third() -> None:
    forecast = forecast_confirmed("all", np.array([5.0, 6.0, 0.0]), np.array([9.0, 9.0, 0.4]))
    assert (forecast.median, forecast.interval, forecast.records, forecast.reason) == (None, None, 2, "SF-C050")


@pytest.mark.parametrize("factors", [(1.0, 1.0, 1.0), (2.0, 1.0, 1.0), (1.0, 0.5, 1.5)])
@pytest.mark.slow
def test_the_sigmas_of_a_series_are_learned_source_by_source(factors: tuple[float, float, float]) -> None:
    """Mean of the medians over five series within a quarter, and the 80 % intervals hold the truth as often as stated.

    Of 15 intervals 12 should; fewer than 8 has probability 0.004.
    """
    rng = np.random.default_rng(5)
    medians, held = [], 0
    for _ in range(5):
        records = [corrected_record(rng, factors, 0.5) for _ in range(20)]
        factor = learn("series:S", records, default_priors()).factor
        found = [factor[name] for name in SOURCES]
        medians.append([f.value for f in found if f is not None])
        held += sum(f.low <= true <= f.high for f, true in zip(found, factors, strict=True) if f is not None)
    assert np.mean(medians, axis=0) == pytest.approx(factors, rel=0.25)
    assert held >= 8


def test_records_that_are_as_uncertain_as_before_teach_nothing() -> None:
    rng = np.random.default_rng(3)
    records = []
    for _ in range(6):
        one = corrected_record(rng, (1.0, 1.0, 1.0), 1.0)
        normal = rng.multivariate_normal(np.zeros(4), one.covariance[0], 400)
        prior = normal * np.sqrt(4.0 / rng.chisquare(4.0, 400))[:, None]
        records.append(one_hypothesis(one.covariance[0], one.parts[0], prior))
    for factor in learn("all", records, default_priors()).factor.values():
        assert factor is not None
        assert factor.value == pytest.approx(1.0, abs=0.2)
        assert factor.high / factor.low > 2.5


def test_a_source_that_no_record_has_is_not_learned() -> None:
    rng = np.random.default_rng(2)
    parts = np.zeros((1, 3, 4, 4))
    parts[0, 0, 0, 0] = parts[0, 0, 1, 1] = 18.0**2
    prior = parts[:, 0] + FLOOR
    records = [one_hypothesis(prior[0], parts[0], rng.multivariate_normal(np.zeros(4), FLOOR, 50))] * 4
    learned = learn("series:S", records, default_priors())
    assert learned.factor["landmark"] is not None
    assert learned.factor["landmark"].value < 0.7
    assert (learned.factor["bearing"], learned.factor["distance"]) == (None, None)
    assert set(learned.priors) == {"map", "landmark"}


def test_a_new_form_lies_as_far_off_as_those_that_were_corrected() -> None:
    rng = np.random.default_rng(1)
    records = [corrected_record(rng, (1.0, 1.0, 1.0), 0.5) for _ in range(40)]
    forecast = forecast_displacement("all", records, learn("all", records, default_priors()), rng)
    truth = [float(np.hypot(*r.draws[0][:, :2].mean(axis=0))) for r in records]
    assert forecast.median is not None
    assert forecast.interval is not None
    assert forecast.median == pytest.approx(np.median(truth), rel=0.3)
    low, high = forecast.interval
    assert 0.65 < np.mean([low <= t <= high for t in truth]) < 0.95


def test_only_the_sigmas_of_a_source_are_scaled() -> None:
    table = default_priors().table
    wider = scaled(table, {"bearing": 2.0})
    assert wider["bearing"]["common_sd_deg"]["compass"] == 2.0 * table["bearing"]["common_sd_deg"]["compass"]
    assert wider["bearing"]["volcanic_extra_deg"] == table["bearing"]["volcanic_extra_deg"]
    assert wider["distance"] == table["distance"]
    assert table == default_priors().table


def test_what_a_source_adds_is_read_off_the_priors_themselves() -> None:
    """Covariance + (f^2 - 1) x part is the covariance under sigmas f times as large."""
    priors, grid = default_priors(), grid_at("EPSG:32638", 46.9, 39.9)
    form = {
        "record_id": "R", "family": "formulyar", "laid": "12.07.1993", "map": {"scale": "50000"}, "crs": "СК-42 зона 8",
        "reference_points": [{"id": "A", "description": "road fork", "position": "X=4416343 Y=8491643"}],
        "legs": [{"from": "A", "to": "1", "bearing": "дирекционный 60°", "distance": "150 м"},
                 {"from": "1", "to": "2", "bearing": "дирекционный 150°", "distance": "76 м"}],
        "rows": [{"no": "1", "from": "1", "to": "2", "spacing": "4 м", "mines": {"ПМН": "20"}}],
    }  # fmt: skip
    record = parse_form(FormDocument(Where("f.yaml", row=1), "R", form))

    def prior(table: Priors) -> RecordPrior:
        made = hypotheses_of(locate(record, context=LocateContext(table)), table, grid.project, grid.crs)
        assert made is not None
        return made

    first = prior(priors)
    one = SimpleNamespace(
        p_find=np.ones((1, 1)), hypothesis=first.hypotheses[0], weight=1.0, draws=np.zeros((50, 6))
    )  # fmt: skip
    recorded = first.hypotheses[0].centroid + first.hypotheses[0].pattern
    placed = SimpleNamespace(placements=[one], posterior=SimpleNamespace(prior=first), recorded=recorded)
    errors = record_errors(cast("Placements", placed), priors, lambda table: prior(table).hypotheses)
    assert errors is not None
    for number, source in enumerate(SOURCES):
        wider = prior(Priors(scaled(priors.table, {source: 1.5}))).hypotheses[0].covariance
        assert np.diag(errors.covariance[0] + 1.25 * errors.parts[0, number]) == pytest.approx(np.diag(wider), rel=0.02)
    assert errors.before.weight.sum() == pytest.approx(1.0)
    assert np.hypot(*errors.before.offset.T).min() == pytest.approx(0.0, abs=0.01)


def test_a_new_form_may_hold_a_gross_error() -> None:
    rng = np.random.default_rng(3)
    records = []
    for _ in range(30):
        one = corrected_record(rng, (1.0, 1.0, 1.0), 0.5)
        twice = (np.concatenate([a, a]) for a in (one.covariance, one.parts))
        before = BeforeFinds(np.array([0.7, 0.3]), np.array([[0.0, 0.0], [400.0, 0.0]]), *twice)
        records.append(replace(one, before=before))
    forecast = forecast_displacement("all", records, learn("all", records, default_priors()), rng)
    assert forecast.interval is not None
    assert forecast.interval[1] > 350.0
