"""How far off recorded devices are (ISO 19157 measures 128, 47, 44, 45, 49, 31, 51).

The residual of a pair is y - m: found minus recorded, east and north in the case's metric CRS. Every pair
counts with its association probability. All devices of a record share its shift, so one record is one
cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import chndtrix, ndtri, stdtrit

from surefoot.analysis.accuracy.measures import LEVEL, Measure, clustered_share, not_known, rate_measure
from surefoot.analysis.accuracy.stated import DRAWS as STATED_DRAWS
from surefoot.analysis.accuracy.stated import STATED_WORDS, StatedErrors
from surefoot.analysis.matching import Association
from surefoot.terms import Stage

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

THRESHOLDS_M = (5.0, 10.0, 25.0, 50.0, 100.0)
CE90_PER_SIGMA = 2.146
CE95_PER_SIGMA = 2.448
FEWEST_CLUSTERS = 3
DRAWS = 2000
FEWEST_DRAWS = 500
ENOUGH_FINDS = 3.0  # expected matched finds from which a record shows its own error
_MOST_NUMBERS = 4_000_000
_METHOD = "association-weighted moments; Bayesian bootstrap over records"
_PAIRS = "Residual = found minus recorded, weighted by the probability of the pair. "
_STAGE_NOTE = {
    Stage.AS_RECORDED: (
        "Records as they stand: a find is shared among the devices within reach of the stated uncertainty, "
        "so where devices stand closer together than the record is off, this leans on that uncertainty. "
    ),
    Stage.RE_ANCHORED: "After re-anchoring. ",
}


@dataclass(frozen=True, eq=False)
class Residuals:
    """Pairs that are possible, with their residuals (east and north, metres).

    Attributes
    ----------
    east, north, weight : (p,)
        Residual and association probability of each pair.
    gps_variance : (p,)
        Variance per axis of the find's own position, m2.
    cluster : (p,)
        Group from 0: the record.
    clusters : int
        Number of groups.
    record : (clusters,)
        Index of the record behind each group; None = not known.
    resolved : (clusters,)
        How far the finds tell which of the record's devices they are: 1 = each is one device, near 0 = each may be
        any of many. None = 1 for all.
    """

    east: Floats
    north: Floats
    weight: Floats
    gps_variance: Floats
    cluster: Ints
    clusters: int
    record: Ints | None = None
    resolved: Floats | None = None


def residuals(
    association: Association,
    item_mean: Floats,
    item_exact: Booleans,
    find_position: Floats,
    find_variance: Floats,
    *,
    find_used: Booleans | None = None,
) -> Residuals:
    """Collect the residuals of devices whose own place is recorded.

    Parameters
    ----------
    association
        Association probabilities.
    item_mean, find_position : (n, 2), (m, 2)
        Easting and northing, metres, one CRS.
    item_exact : (n,)
        Items that are in scope and whose own place is recorded (slot exact); devices known to a row or an
        area have no place to be off from.
    find_variance : (m,)
        Variance of the find's position per axis, m2.
    find_used : (m,)
        Finds in scope; None = all.
    """
    used = np.asarray(item_exact, dtype=np.bool_)[association.item] & (association.group == np.arange(
        association.group.size))[association.item]  # fmt: skip
    if find_used is not None:
        used &= np.asarray(find_used, dtype=np.bool_)[association.find]
    item, find = association.item[used], association.find[used]
    offset = find_position[find] - item_mean[item]
    labels, cluster = np.unique(association.item_record[item], return_inverse=True)
    weight = association.probability[used]
    return Residuals(
        east=offset[:, 0],
        north=offset[:, 1],
        weight=weight,
        gps_variance=np.asarray(find_variance, dtype=np.float64)[find],
        cluster=cluster.astype(np.int64),
        clusters=int(labels.size),
        record=labels.astype(np.int64),
        resolved=_resolved(find, cluster.astype(np.int64), weight, int(labels.size)),
    )


def _resolved(find: Ints, cluster: Ints, weight: Floats, clusters: int) -> Floats:
    """Weighted mean over a record's finds of the largest share that one device has in the find, (clusters,)."""
    keys, line = np.unique(find * max(clusters, 1) + cluster, return_inverse=True)
    largest = np.zeros(keys.size)
    np.maximum.at(largest, line, weight)
    record = keys % max(clusters, 1)
    total = np.bincount(cluster, weights=weight, minlength=clusters)
    best = np.bincount(record, weights=largest, minlength=clusters)
    return np.asarray(np.clip(best / np.maximum(total, 1e-300), 0.0, 1.0), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _Moments:
    """Weighted means over any number of bootstrap draws; every field is (draws,)."""

    east: Floats
    north: Floats
    ee: Floats  # second moments about zero
    en: Floats
    nn: Floats
    gps: Floats
    lost_ee: Floats  # spread of the records' means lost to their own mean
    lost_en: Floats
    lost_nn: Floats

    @property
    def rmse(self) -> Floats:
        return np.sqrt(np.maximum(self.ee + self.nn - 2.0 * self.gps, 0.0))

    @property
    def sigma(self) -> Floats:
        """Circular sigma about the bias, the finds' own error removed."""
        about = self.ee + self.nn - self.east**2 - self.north**2 + self.lost_ee + self.lost_nn
        return np.sqrt(np.maximum(0.5 * about - self.gps, 0.0))

    @property
    def biased_ce90(self) -> Floats:
        sigma = np.maximum(self.sigma, 1e-9)
        bias = np.hypot(self.east, self.north)
        ratio = np.minimum((bias / sigma) ** 2, 1e6)
        spread = sigma * np.sqrt(chndtrix(0.9, 2.0, ratio))
        far = bias + float(ndtri(0.9)) * sigma
        return np.asarray(np.where(ratio < 1e6, spread, far))

    @property
    def ellipse(self) -> tuple[Floats, Floats, Floats]:
        """Semi-axes of the one-sigma ellipse and the azimuth of the larger, degrees from grid north."""
        ee = np.maximum(self.ee - self.east**2 + self.lost_ee - self.gps, 0.0)
        nn = np.maximum(self.nn - self.north**2 + self.lost_nn - self.gps, 0.0)
        en = self.en - self.east * self.north + self.lost_en
        middle, swing = 0.5 * (ee + nn), np.hypot(0.5 * (nn - ee), en)
        azimuth = 0.5 * np.degrees(np.arctan2(2.0 * en, nn - ee)) % 180.0
        return np.sqrt(middle + swing), np.sqrt(np.maximum(middle - swing, 0.0)), azimuth


def _sums(r: Residuals) -> Floats:
    """Weighted sums by cluster: weight, e, n, ee, en, nn, gps; (clusters, 7)."""
    columns = (
        np.ones_like(r.east), r.east, r.north, r.east**2, r.east * r.north, r.north**2, r.gps_variance,
    )  # fmt: skip
    return np.column_stack(
        [np.bincount(r.cluster, weights=r.weight * column, minlength=r.clusters) for column in columns]
    )


def _moments(mass: Floats, per_cluster: Floats, weight: Floats) -> _Moments:
    """Weighted moments for each line of cluster weights, (draws, clusters).

    `mass` is (clusters,), `per_cluster` the means e, n, ee, en, nn, gps of each cluster: (clusters, 6), or
    (draws, clusters, 6) where they differ from draw to draw.

    The records' means lie closer to their own weighted mean than to the true one; what is missing from their
    spread is put back (the usual n - 1, for unequal weights), or few records would look too alike.
    """
    share = weight * mass
    share /= share.sum(axis=1, keepdims=True)
    east, north, ee, en, nn, gps = _weighted(share, per_cluster).T
    same = np.minimum(np.sum(share**2, axis=1), 0.99)
    put_back = same / (1.0 - same)
    own_east, own_north = per_cluster[..., 0], per_cluster[..., 1]
    of_means = _weighted(share, np.stack([own_east**2, own_east * own_north, own_north**2], axis=-1))
    return _Moments(
        east=east,
        north=north,
        ee=ee,
        en=en,
        nn=nn,
        gps=gps,
        lost_ee=put_back * (of_means[:, 0] - east**2),
        lost_en=put_back * (of_means[:, 1] - east * north),
        lost_nn=put_back * (of_means[:, 2] - north**2),
    )


def _weighted(share: Floats, values: Floats) -> Floats:
    """Weighted means, (draws, k), of (clusters, k) or (draws, clusters, k)."""
    return np.asarray(share @ values if values.ndim == 2 else np.einsum("dc,dck->dk", share, values))


def bootstrap_weights(clusters: int, level: float, rng: np.random.Generator, most: int = DRAWS) -> Floats:
    """Dirichlet weights over clusters, spread so that few clusters give Student's width, (draws, clusters).

    A plain bootstrap of J clusters gives a mean's variance too small by (J - 1) / J and normal quantiles
    where Student's are due; the Dirichlet parameter is set to make up for both.
    """
    tail = (1 + level) / 2
    wider = float(stdtrit(clusters - 1, tail) / ndtri(tail)) ** 2
    alpha = max(((clusters - 1) / wider - 1.0) / clusters, 0.02)
    draws = min(int(np.clip(_MOST_NUMBERS // clusters, FEWEST_DRAWS, DRAWS)), most)
    drawn = rng.gamma(alpha, size=(draws, clusters)) + 1e-300
    return np.asarray(drawn / drawn.sum(axis=1, keepdims=True), dtype=np.float64)


_Quantity = tuple[str, str, str, Callable[[_Moments], Floats], str]

_QUANTITIES: Sequence[_Quantity] = (
    ("iso19157:128", "bias of positions, east", "m", lambda m: m.east, "Mean east residual."),
    ("iso19157:128", "bias of positions, north", "m", lambda m: m.north, "Mean north residual."),
    ("iso19157:47", "RMSE of planimetry", "m", lambda m: m.rmse,
     "Root of the mean squared length of the residuals, the finds' own variance removed."),
    ("iso19157:44", "CE90", "m", lambda m: CE90_PER_SIGMA * m.sigma,
     "2.146 x the circular sigma about the bias, the finds' own variance removed."),
    ("iso19157:45", "CE95", "m", lambda m: CE95_PER_SIGMA * m.sigma,
     "2.448 x the circular sigma about the bias, the finds' own variance removed."),
    ("iso19157:49", "circular error 90 % of biased data", "m", lambda m: m.biased_ce90,
     "Radius about the recorded place that holds 90 %, bias included, circular normal about the bias."),
    ("iso19157:51", "confidence ellipse, semi-major axis", "m", lambda m: m.ellipse[0],
     "One-sigma ellipse of the residuals about the bias, the finds' own variance removed."),
    ("iso19157:51", "confidence ellipse, semi-minor axis", "m", lambda m: m.ellipse[1],
     "One-sigma ellipse of the residuals about the bias, the finds' own variance removed."),
)  # fmt: skip


def positional_measures(
    pairs: Residuals,
    *,
    rng: np.random.Generator,
    stated: StatedErrors | None = None,
    scope: str = "all",
    stage: Stage = Stage.AS_RECORDED,
    level: float = LEVEL,
) -> tuple[Measure, ...]:
    """Compute the positional measures of interfaces.md section 5.

    Parameters
    ----------
    pairs
        Residuals in scope.
    rng
        For the bootstrap over records.
    stated
        What the form of every record allows; widens the intervals by records that few or no finds match, or whose
        finds do not resolve their devices (`Residuals.resolved`). None = the pairs are taken as settled.
    scope, stage, level
        Written into the measures; see `Measure`.

    Returns
    -------
    tuple of Measure
        Always the same list; measures that fewer than three records support have no value and a reason.
    """
    enough = pairs.clusters >= FEWEST_CLUSTERS and float(pairs.weight.sum()) >= 1.0
    wide = None if stated is None or pairs.record is None or not enough else _widening(pairs, stated, rng)
    notes = _STAGE_NOTE[stage] + (STATED_WORDS if wide is not None else "")
    if enough:
        best, clouds = _clouds(pairs, wide, level, rng)
    made = []
    for id_, name, unit, quantity, words in _QUANTITIES:
        blank = _blank(pairs, id_, name, unit, notes + words, scope, stage, level)
        if not enough:
            made.append(not_known(blank, "SF-A013"))
            continue
        value, is_size = float(quantity(best)[0]), id_ != "iso19157:128"
        ends = [_interval(value, quantity(cloud), level, is_size=is_size) for cloud in clouds]
        made.append(_with_value(blank, value, min(e[0] for e in ends), max(e[1] for e in ends)))
    azimuth = _blank(
        pairs, "iso19157:51", "confidence ellipse, azimuth of the semi-major axis", "deg",
        notes + "Azimuth from grid north, clockwise, 0 to 180; the interval runs on past either end where needed.",
        scope, stage, level,
    )  # fmt: skip
    made.append(
        _azimuth(azimuth, best, clouds[min(1, len(clouds) - 1)], level) if enough else not_known(azimuth, "SF-A013")
    )
    return (*made, *_threshold_rates(pairs, wide, notes, scope, stage, level))


@dataclass(frozen=True, eq=False)
class _Widening:
    """All records in scope: what they show of themselves, and in which draws their form's word stands instead."""

    mass: Floats  # (r,) devices
    sums: Floats  # (r, 7) as `_sums`; zero where no find is matched
    errors: tuple[Floats, ...]  # (draws, r, k, 2) by the form's word: with gross mistakes, and without
    instead: Booleans  # (draws, r)
    record: Ints  # (r,)


def _widening(pairs: Residuals, stated: StatedErrors, rng: np.random.Generator) -> _Widening | None:
    """Draw what all records in scope may be off by; None where every one of them shows its own error."""
    known = stated.known
    if not known.size or pairs.record is None:
        return None
    own, resolved = np.zeros((stated.devices.size, 7)), np.zeros(stated.devices.size)
    own[pairs.record] = _sums(pairs)
    resolved[pairs.record] = 1.0 if pairs.resolved is None else pairs.resolved
    shown = resolved * np.minimum(own[:, 0] / ENOUGH_FINDS, 1.0)
    # Half shown is nothing shown: the residuals of finds shared by many devices are the stated uncertainty again.
    kept = np.clip(2.0 * shown - 1.0, 0.0, 1.0)
    if np.all(kept[known] >= 1.0):
        return None
    told = (own, stated.devices, stated.cov[:, 0, 0], stated.offset.sum(axis=(1, 2)))
    known = known[_canonical(np.column_stack(told)[known])]
    word = stated.take(known)
    errors = tuple(one.draw(STATED_DRAWS, rng) for one in (word, word.without_gross))
    instead = rng.random((STATED_DRAWS, known.size)) >= kept[known]
    return _Widening(stated.devices[known], own[known], errors, instead, known)


def _canonical(sums: Floats) -> Ints:
    """Order of the clusters that does not depend on the order of the input, so that draws do not either."""
    return np.asarray(np.lexsort(np.round(sums, 6).T[::-1]), dtype=np.int64)


def _clouds(
    pairs: Residuals, wide: _Widening | None, level: float, rng: np.random.Generator
) -> tuple[_Moments, list[_Moments]]:
    """Moments as they are, and clouds of draws: over records with finds, and over all records with the forms' word."""
    sums = _sums(pairs)
    sums = sums[_canonical(sums)]
    mass, own = sums[:, 0], sums[:, 1:] / sums[:, :1]
    best = _moments(mass, own, np.ones((1, pairs.clusters)))
    clouds = [_moments(mass, own, bootstrap_weights(pairs.clusters, level, rng))]
    if wide is not None:
        shown = wide.sums[:, 1:] / np.maximum(wide.sums[:, :1], 1e-300)
        for errors in wide.errors:
            e, n = errors[..., 0], errors[..., 1]
            squares = (e, n, e**2, e * n, n**2, np.zeros_like(e))
            drawn = np.stack([column.mean(axis=2) for column in squares], axis=-1)
            mixed = np.where(wide.instead[..., None], drawn, shown)
            clouds.append(_moments(wide.mass, mixed, np.ones((STATED_DRAWS, wide.mass.size))))
    return best, clouds


def _interval(value: float, draws: Floats, level: float, *, is_size: bool) -> tuple[float, float]:
    """Quantiles of the draws, widened to hold the value.

    The size of an error is skewed: a few records understate it more often than they overstate it, so its
    upper end is at least as far above the value, as a ratio, as the lower end is below (but within three
    times the largest draws).
    """
    low, high = (float(q) for q in np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]))
    if is_size and low > 0.0:
        high = max(high, min(value**2 / low, 3.0 * high))
    return min(low, value), max(high, value)


def _blank(
    pairs: Residuals, id_: str, name: str, unit: str, words: str, scope: str, stage: Stage, level: float
) -> Measure:
    return Measure(
        id=id_, name=name, scope=scope, stage=stage, value=None, interval=None, level=level, unit=unit,
        n=float(pairs.weight.sum()), clusters=pairs.clusters, method=_METHOD,
        definition=_PAIRS + words,
    )  # fmt: skip


def _with_value(blank: Measure, value: float, low: float, high: float) -> Measure:
    return Measure(
        blank.id, blank.name, blank.scope, blank.stage, value, (low, high), blank.level, blank.unit,
        blank.n, blank.clusters, blank.method, blank.definition,
    )  # fmt: skip


def _azimuth(blank: Measure, best: _Moments, draws: _Moments, level: float) -> Measure:
    """Azimuth with its interval; not known when every direction is possible."""
    value = float(best.ellipse[2][0])
    away = (draws.ellipse[2] - value + 90.0) % 180.0 - 90.0
    reach = float(np.quantile(np.abs(away), level))
    # Directions drawn at random would reach 90 x level: then the ellipse is a circle as far as one can tell.
    if reach > 0.85 * 90.0 * level:
        return not_known(blank, "SF-A014")
    return _with_value(blank, value, value - reach, value + reach)


def _threshold_rates(
    pairs: Residuals, wide: _Widening | None, notes: str, scope: str, stage: Stage, level: float
) -> tuple[Measure, ...]:
    length = np.hypot(pairs.east, pairs.north)
    return tuple(
        _widened_rate(pairs, wide, over, level, rate_measure(
            clustered_share(np.where(length > over, pairs.weight, 0.0), pairs.weight, pairs.cluster, level=level),
            id_="iso19157:31",
            name=f"rate of positional errors above {over:g} m",
            scope=scope,
            stage=stage,
            level=level,
            reason="SF-A013",
            definition=_PAIRS + notes + f"Share of residuals longer than {over:g} m; "
            "the finds' own error is not removed. One record is one cluster.",
        ))
        for over in THRESHOLDS_M
    )  # fmt: skip


def _widened_rate(pairs: Residuals, wide: _Widening | None, over: float, level: float, rate: Measure) -> Measure:
    """Widen a rate's interval by the rates that the forms' own word allows."""
    if rate.interval is None or wide is None or pairs.record is None:
        return rate
    above = np.bincount(
        pairs.record[pairs.cluster], weights=pairs.weight * (np.hypot(pairs.east, pairs.north) > over),
        minlength=int(wide.record.max()) + 1,
    )[wide.record]  # fmt: skip
    shown = above / np.maximum(wide.sums[:, 0], 1e-300)
    ends = [rate.interval]
    for errors in wide.errors:
        drawn = np.mean(np.hypot(errors[..., 0], errors[..., 1]) > over, axis=2)
        rates = np.where(wide.instead, drawn, shown) @ (wide.mass / wide.mass.sum())
        low, high = np.quantile(rates, [(1 - level) / 2, (1 + level) / 2])
        ends.append((float(low), float(high)))
    return replace(rate, interval=(min(e[0] for e in ends), max(e[1] for e in ends)))
