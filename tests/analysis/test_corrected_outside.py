"""D2: events against true footprints, where both have errors, and events far from every record."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from surefoot.analysis.accuracy import OutsideShare
from surefoot.analysis.assess import corrected_outside
from surefoot.analysis.assess.corrected_outside import Located, Spread, _denser, corrected_shares
from surefoot.analysis.reanchor import Placements
from surefoot.analysis.reanchor.hypotheses import Hypothesis
from surefoot.terms import Stage

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]

SPREAD = Spread(share=0.15, reach_m=50.0, beyond=0.1)
ROWS = np.add.outer(np.linspace(-60.0, 60.0, 15), np.linspace(-20.0, 20.0, 3) * 1j).ravel()
FIELD = shapely.box(-60, -20, 60, 20)
REGION_M = 1500.0
"""Half the side of the made-up region about the field."""
VAGUE_M = 100.0


def placed(places: Complexes, p_find: Floats) -> Placements:
    """A record whose only placement is known to the metre."""
    centre = places.mean()
    one = Hypothesis(
        "as_read", 0, {}, 1.0, centre, places - centre, np.eye(4), np.ones(len(places)), np.zeros(len(places))
    )
    placement = SimpleNamespace(
        weight=1.0, hypothesis=one, mean=places, item_covariance=np.tile(np.eye(2), (len(places), 1, 1)),
        p_find=p_find, draws=np.zeros((10, 6)),
    )  # fmt: skip
    return cast("Placements", SimpleNamespace(placements=(placement,), find=np.arange(len(p_find)), recorded=places))


def raw(events: int) -> list[OutsideShare]:
    return [OutsideShare(0.0, None, 1.0, (0.0, 1.0), 0.9, 1.0, events, 0, 0, Stage.AS_RECORDED, "")]


def test_an_event_that_is_a_device_of_one_of_two_records_lies_in_no_gap_between_them() -> None:
    """Half a chance each: never outside; chances that exclude each other are added, not multiplied."""
    u, half = np.array([-20.0, 0.0, 20.0]) + 0j, np.array([[0.5, 0.0, 0.0]])
    where = Located(np.array([30.0j]), np.ones(1), np.array(["x"], dtype=object), np.array([0]))
    maps = [shapely.box(-25, -5, 25, 5), shapely.box(-25, 55, 25, 65)]
    both = {0: placed(u, half), 1: placed(u + 60j, half)}
    (share,) = corrected_shares(raw(1), where, maps, np.zeros(2), both, SPREAD, np.random.default_rng(0))
    assert share.value == pytest.approx(0.0, abs=1e-9)


def drawn(rng: np.random.Generator, recorded: int, near: int, far: int) -> Complexes:
    """True places of events: devices of the record, of none within reach of it, of none anywhere in the region."""
    around, made = FIELD.buffer(SPREAD.reach_m), []
    for wanted, inside, half in ((near, True, 120.0), (far, False, REGION_M)):
        z = rng.uniform(-half, half, 40 * wanted + 1) + 1j * rng.uniform(-half, half, 40 * wanted + 1)
        made.append(z[shapely.contains_xy(around, z.real, z.imag) == inside][:wanted])
    return np.concatenate([rng.choice(ROWS, recorded), *made])


def chances(at: Complexes, rng: np.random.Generator) -> Floats:
    """P(each event is each device) at the prior densities, (events, devices), by Bayes' rule; places off by VAGUE_M."""
    own = 0.85 * np.exp(-0.5 * np.abs(at[:, None] - ROWS) ** 2 / VAGUE_M**2) / (2.0 * np.pi * VAGUE_M**2)
    around = FIELD.buffer(SPREAD.reach_m)
    where = at[:, None] + VAGUE_M * (rng.standard_normal(2000) + 1j * rng.standard_normal(2000))
    inside = shapely.contains_xy(around, where.real, where.imag).mean(axis=1)
    of_none = SPREAD.share * len(ROWS) / around.area * (inside + SPREAD.beyond * (1.0 - inside))
    return np.asarray(own / (own.sum(axis=1) + of_none)[:, None])


def share_of(counts: tuple[int, int, int], seed: int, wide: bool) -> tuple[float, float]:
    """D2 of vague events whose truth is known, and that truth; `wide`: maps lie all over the region."""
    rng = np.random.default_rng(seed)
    true = drawn(rng, *counts)
    at = true + VAGUE_M * (rng.standard_normal(len(true)) + 1j * rng.standard_normal(len(true)))
    corner = shapely.box(REGION_M - 5, REGION_M - 5, REGION_M, REGION_M)
    others = [corner, shapely.affinity.rotate(corner, 180, origin=(0, 0))] if wide else []
    known = {0: placed(ROWS, chances(at, rng))}
    (share,) = corrected_shares(
        raw(len(at)), seen_at(at, VAGUE_M), [FIELD, *others], np.zeros(3), known, SPREAD, rng
    )  # fmt: skip
    assert share.value is not None
    return share.value, float(np.mean(~shapely.intersects(FIELD, shapely.points(true.real, true.imag))))


def seen_at(at: Complexes, sigma_m: float) -> Located:
    """Events with a place, each a cluster of its own."""
    count = len(at)
    return Located(at, np.full(count, sigma_m**2), np.arange(count).astype(object), np.arange(count))


@pytest.mark.parametrize(
    ("counts", "wide"),
    [((170, 30, 0), True), ((170, 30, 0), False), ((85, 15, 100), True), ((85, 15, 100), False)],
    ids=["none far", "none far, one map", "half of them far", "half of them far, one map"],
)
def test_how_many_vague_events_lie_far_from_every_record_is_learnt(
    counts: tuple[int, int, int], wide: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    value, truth = np.mean([share_of(counts, seed, wide) for seed in range(4)], axis=0)
    assert value == pytest.approx(truth, abs=0.03)
    monkeypatch.setattr(corrected_outside, "ROUNDS", 0)  # the prior alone
    prior, _ = np.mean([share_of(counts, seed, wide) for seed in range(4)], axis=0)
    assert abs(prior - truth) > 0.04


def test_a_few_vague_events_beside_the_only_record_are_not_put_far_off() -> None:
    """Where nothing but the events says how large the region is, their own errors belong to it."""
    few = np.mean([share_of((4, 0, 0), seed, False)[0] for seed in range(8)])
    assert few < 0.25


@pytest.mark.parametrize("denser", [1.0, 0.05, 20.0])
@pytest.mark.parametrize("gap", [200.0, 300.0])
def test_an_event_of_no_record_lies_beside_many_records_as_their_maps_lie(
    gap: float, denser: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine records in a square, against sums over a fine draw of the plane: Bayes' rule."""
    rng = np.random.default_rng(1)
    off = (np.add.outer([-gap, 0.0, gap], np.array([-gap, 0.0, gap]) * 1j)).ravel()
    at = 1.5 * gap * (rng.uniform(-1, 1, 30) + 1j * rng.uniform(-1, 1, 30))
    where = at[:, None] + VAGUE_M * (rng.standard_normal(20_000) + 1j * rng.standard_normal(20_000))
    distance = np.full(where.shape, np.inf)
    for centre in off:
        beside = where - centre
        away = np.hypot(np.maximum(abs(beside.real) - 60.0, 0.0), np.maximum(abs(beside.imag) - 20.0, 0.0))
        distance = np.minimum(distance, away)
    of_none = SPREAD.share * len(ROWS) / FIELD.buffer(SPREAD.reach_m).area
    usual, now = (
        of_none * np.where(distance <= SPREAD.reach_m, 1.0, SPREAD.beyond * d) for d in (1.0, denser)
    )  # fmt: skip
    own = [
        0.85 * np.exp(-0.5 * np.abs(at[:, None] - ROWS - o) ** 2 / VAGUE_M**2) / (2 * np.pi * VAGUE_M**2) for o in off
    ]
    whole = sum(each.sum(axis=1) for each in own)
    known = {n: placed(ROWS + o, own[n] / (whole + usual.mean(axis=1))[:, None]) for n, o in enumerate(off)}
    maps = [shapely.affinity.translate(FIELD, o.real, o.imag) for o in off]
    monkeypatch.setattr(corrected_outside, "_denser", lambda far, odds: denser)
    (share,) = corrected_shares(raw(30), seen_at(at, VAGUE_M), maps, np.zeros(9), known, SPREAD, rng)
    exact = np.mean((now * (distance > 0.0)).mean(axis=1) / (whole + now.mean(axis=1)))
    assert share.value == pytest.approx(exact, abs=0.01)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=40), st.floats(0.01, 100.0))
def test_the_density_far_off_is_the_likeliest(far: list[float], odds: float) -> None:
    """Against a search of the posterior density of the mixture's share."""
    chance, prior = np.array(far), odds / (1.0 + odds)

    def cost(share: float) -> float:
        fit = np.log(chance * share / prior + (1.0 - chance) * (1.0 - share) / (1.0 - prior)).sum()
        return -float(fit + prior * np.log(share) + (1.0 - prior) * np.log1p(-share))

    denser = _denser(chance, odds)
    share = denser * odds / (1.0 + denser * odds)
    best = minimize_scalar(cost, bounds=(1e-9, 1.0 - 1e-9), method="bounded", options={"xatol": 1e-10})
    assert cost(share) <= best.fun + 1e-3


def test_one_event_moves_the_prior_the_way_it_points_and_none_leaves_it() -> None:
    assert _denser(np.zeros(0), 0.4) == pytest.approx(1.0)
    assert 0.4 < _denser(np.array([0.05]), 0.4) < 1.0
    assert _denser(np.array([1.0]), 0.4) > 1.0


@pytest.mark.parametrize(
    "spread", [Spread(0.0, 50.0, 0.1), Spread(0.15, 50.0, 0.0), Spread(0.15, 0.0, 0.1), Spread(0.0, 0.0, 0.0)]
)
def test_a_prior_of_nothing_is_no_error(spread: Spread) -> None:
    """No device of no record, or none far off, or no margin: a figure between 0 and 1, with a line for a map too."""
    at = np.array([0j, 300.0 + 0j, 5000j])
    known = {0: placed(ROWS, np.zeros((3, len(ROWS))))}
    for shape in (FIELD, shapely.LineString([(-60, 0), (60, 0)])):
        (share,) = corrected_shares(
            raw(3), seen_at(at, 5.0), [shape], np.zeros(1), known, spread, np.random.default_rng(0)
        )
        assert share.value is not None
        assert 0.6 < share.value <= 1.0


def test_a_record_without_placements_teaches_nothing_about_far_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its events may be devices of it: how likely that is nobody said."""
    taught: list[int] = []
    monkeypatch.setattr(corrected_outside, "_denser", lambda far, odds: float(taught.append(len(far)) or 1.0))
    at = np.array([0j, 10.0 + 0j, 4000.0 + 0j])
    corrected_shares(raw(3), seen_at(at, 5.0), [FIELD], np.array([20.0]), {}, SPREAD, np.random.default_rng(0))
    assert taught == [1]
