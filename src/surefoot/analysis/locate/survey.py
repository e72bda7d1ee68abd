"""Solves a form's measurements: from anchors along legs to every point, with closures and intersections.

Points stay linear combinations of anchors and legs wherever the method is linear (polar points, traverses, the
compass rule), so their covariance is exact; intersections and sketch points are linearised once and become
anchors of their own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from surefoot.analysis.locate.moments import LegErrors
from surefoot.analysis.locate.readings import Misclosure, Network

Floats = npt.NDArray[np.float64]

TRAVERSE = "traverse"  # side of a solution of which one end of a traverse was left out
MOST_STRAIN = 4.0
"""How many times their sigmas the legs' errors may be for a misclosure to be shared: beyond it lies a mistake."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One measured leg under one reading: `azimuth` true, radians clockwise; None where it was not measured."""

    origin: str
    target: str
    azimuth: float | None
    distance_m: float | None
    turn_sd: tuple[float, float]  # common, own; radians
    scale_sd: tuple[float, float]  # common, own; relative
    instrument: int
    method: int
    group: int  # measures of one group share their own errors as well
    grid_north: bool = False  # counted from grid north, which does not turn from place to place

    @property
    def full(self) -> bool:
        """Whether both bearing and distance were measured."""
        return self.azimuth is not None and self.distance_m is not None


@dataclass
class Survey:
    """The measurements of one reading while they are being solved. `turn_per_m` is tan(latitude) / R."""

    names: list[str]
    anchors: list[complex]
    anchor_cov: Floats
    measures: Sequence[Measure]
    turn_per_m: float
    nominal: dict[str, complex] = field(default_factory=dict)
    vectors: dict[int, complex] = field(default_factory=dict)  # measure -> leg vector
    parent: dict[str, tuple[str, int, float]] = field(default_factory=dict)  # point -> (from, measure, sign)
    closures: list[int] = field(default_factory=list)
    sides: dict[str, str] = field(default_factory=dict)  # intersection point -> which solution
    refused: list[Misclosure] = field(default_factory=list)  # closures too large to be shared out

    def __post_init__(self) -> None:
        self.nominal = dict(zip(self.names, self.anchors, strict=True)) | self.nominal

    def fork(self) -> Survey:
        """Copy, to follow a second solution."""
        return replace(
            self, names=[*self.names], anchors=[*self.anchors], nominal=dict(self.nominal),
            vectors=dict(self.vectors), parent=dict(self.parent), closures=[*self.closures], sides=dict(self.sides),
            refused=[*self.refused],
        )  # fmt: skip

    def vector(self, number: int, origin: complex) -> complex:
        """Leg vector in the local frame; true north at the leg's own start is turned a little from the pivot's."""
        measure = self.measures[number]
        assert measure.azimuth is not None
        assert measure.distance_m is not None
        turn = 0.0 if measure.grid_north else origin.real * self.turn_per_m
        azimuth = measure.azimuth - turn
        return measure.distance_m * complex(math.sin(azimuth), math.cos(azimuth))

    def walk(self) -> None:
        """Place every point that full legs reach, in the order written; note the legs that close."""
        open_legs = [n for n, m in enumerate(self.measures) if m.full and n not in self.vectors]
        while open_legs:
            step = next((n for n in open_legs if self._reachable(n)), None)
            if step is None:
                return
            open_legs.remove(step)
            self._use(step)

    def _reachable(self, number: int) -> bool:
        return self.measures[number].origin in self.nominal or self.measures[number].target in self.nominal

    def _use(self, number: int) -> None:
        measure = self.measures[number]
        if measure.origin in self.nominal:
            self.vectors[number] = self.vector(number, self.nominal[measure.origin])
            if measure.target in self.nominal:
                self.closures.append(number)
            else:
                self._place(measure.target, measure.origin, number, 1.0)
        else:
            # The leg was measured towards a known point: walked backwards.
            self.vectors[number] = self.vector(number, self.nominal[measure.target])
            self._place(measure.origin, measure.target, number, -1.0)

    def _place(self, name: str, origin: str, number: int, sign: float) -> None:
        self.nominal[name] = self.nominal[origin] + sign * self.vectors[number]
        self.parent[name] = (origin, number, sign)

    def add_anchor(self, name: str, position: complex, jacobian: Floats, own_cov: Floats) -> None:
        """Add a derived point: d(position) = jacobian (2, 2R) d(anchors) + own error."""
        cross = jacobian @ self.anchor_cov
        corner = cross @ jacobian.T + own_cov
        self.anchor_cov = np.block([[self.anchor_cov, cross.T], [cross, corner]])
        self.names.append(name)
        self.anchors.append(position)
        self.nominal[name] = position


@dataclass(frozen=True, slots=True)
class Solution:
    """A solved survey: the network, and every point as coefficients of anchors and legs."""

    network: Network
    points: dict[str, tuple[Floats, Floats]]
    misclosures: tuple[Misclosure, ...]
    sides: dict[str, str]
    leg_of: dict[int, int]  # measure -> column of the network's legs


def solve(survey: Survey) -> list[Solution]:
    """Solve a survey; more than one solution where two circles meet twice, or where a traverse contradicts its ends."""
    survey.walk()
    survey.measures = [_from_known_end(m, survey.nominal) for m in survey.measures]
    target = next(iter(_intersections(survey)), None)
    if target is None:
        return _assembled(survey)
    solutions = []
    for side, position in _candidates(survey, target):
        branch = survey.fork()
        _add_intersection(branch, target, position)
        branch.sides[target] = side
        solutions.extend(solve(branch))
    if solutions:
        return solutions
    return solve(_anew(survey, [m for m in survey.measures if m.full or m.target != target]))


def _anew(survey: Survey, measures: Sequence[Measure]) -> Survey:
    """The same anchors with other measures, nothing solved yet."""
    fresh = survey.fork()
    fresh.measures = measures
    fresh.vectors, fresh.parent, fresh.closures = {}, {}, []
    fresh.nominal = dict(zip(fresh.names, fresh.anchors, strict=True))
    return fresh


def _from_known_end(measure: Measure, known: Mapping[str, complex]) -> Measure:
    """A single bearing or distance taken at an unknown point to a known one, as if taken the other way (resection)."""
    if measure.full or measure.origin in known or measure.target not in known:
        return measure
    back = None if measure.azimuth is None else measure.azimuth + math.pi
    return replace(measure, origin=measure.target, target=measure.origin, azimuth=back)


def _intersections(survey: Survey) -> list[str]:
    """Points that can only be found from two or more single bearings or distances."""
    counts: dict[str, int] = {}
    for measure in survey.measures:
        empty = measure.azimuth is None and measure.distance_m is None
        if not (measure.full or empty) and measure.target not in survey.nominal and measure.origin in survey.nominal:
            counts[measure.target] = counts.get(measure.target, 0) + 1
    return [name for name, count in counts.items() if count >= 2]


def _sights(survey: Survey, target: str) -> list[Measure]:
    return [
        m for m in survey.measures if not m.full and m.target == target and m.origin in survey.nominal
    ]  # fmt: skip


def _candidates(survey: Survey, target: str) -> list[tuple[str, complex]]:
    """Solutions of the first two sights, refined over all of them; one is kept when a third sight decides."""
    sights = _sights(survey, target)
    raw = _two_sights(survey, sights[0], sights[1])
    first, second = survey.nominal[sights[0].origin], survey.nominal[sights[1].origin]
    named = []
    for position in raw:
        cross = ((second - first).conjugate() * (position - first)).imag
        named.append(("left" if cross > 0 else "right", _refined(survey, sights, position)))
    if len(sights) > 2 and len(named) > 1:
        named.sort(key=lambda item: _misfit(survey, sights, item[1]))
        return named[:1]
    return named


def _two_sights(survey: Survey, one: Measure, two: Measure) -> list[complex]:
    a, b = survey.nominal[one.origin], survey.nominal[two.origin]
    if one.distance_m is not None and two.distance_m is not None:
        return _circles(a, one.distance_m, b, two.distance_m)
    if one.azimuth is not None and two.azimuth is not None:
        return _rays(a, _direction(one.azimuth), b, _direction(two.azimuth))
    if one.azimuth is not None and two.distance_m is not None:
        return _ray_circle(a, _direction(one.azimuth), b, two.distance_m)
    if two.azimuth is not None and one.distance_m is not None:
        return _ray_circle(b, _direction(two.azimuth), a, one.distance_m)
    return []


def _direction(azimuth: float) -> complex:
    return complex(math.sin(azimuth), math.cos(azimuth))


def _circles(a: complex, ra: float, b: complex, rb: float) -> list[complex]:
    apart = abs(b - a)
    if apart == 0 or apart > ra + rb or apart < abs(ra - rb):
        return []
    along = (ra**2 - rb**2 + apart**2) / (2 * apart)
    height = math.sqrt(max(0.0, ra**2 - along**2))
    unit = (b - a) / apart
    feet = a + along * unit
    return [feet + 1j * height * unit, feet - 1j * height * unit] if height > 0 else [feet]


def _rays(a: complex, u: complex, b: complex, v: complex) -> list[complex]:
    cross = (u.conjugate() * v).imag
    if abs(cross) < 1e-3:
        return []
    along_u = ((b - a).conjugate() * v).imag / cross
    along_v = ((b - a).conjugate() * u).imag / cross
    return [a + along_u * u] if along_u > 0 and along_v > 0 else []


def _ray_circle(a: complex, u: complex, centre: complex, radius: float) -> list[complex]:
    middle = ((centre - a) * u.conjugate()).real
    gap = abs(a + middle * u - centre)
    if gap > radius:
        return []
    half = math.sqrt(radius**2 - gap**2)
    return [a + along * u for along in (middle + half, middle - half) if along > 0]


def _rows(survey: Survey, sights: Sequence[Measure], position: complex) -> tuple[Floats, Floats, Floats]:
    """Observation residuals, their directions (k, 2) and sigmas in metres at `position`."""
    residuals, directions, sigmas = [], [], []
    for sight in sights:
        offset = position - survey.nominal[sight.origin]
        length = abs(offset)
        unit = offset / length
        if sight.distance_m is not None:
            residuals.append(sight.distance_m - length)
            directions.append((unit.real, unit.imag))
            sigmas.append(sight.distance_m * math.hypot(*sight.scale_sd))
        if sight.azimuth is not None:
            bearing = math.atan2(offset.real, offset.imag)
            miss = (sight.azimuth - bearing + math.pi) % (2 * math.pi) - math.pi
            residuals.append(miss * length)
            directions.append((unit.imag, -unit.real))
            sigmas.append(length * math.hypot(*sight.turn_sd))
    return np.array(residuals), np.array(directions), np.maximum(np.array(sigmas), 1e-6)


def _refined(survey: Survey, sights: Sequence[Measure], position: complex) -> complex:
    for _ in range(8):
        residuals, directions, sigmas = _rows(survey, sights, position)
        step = np.linalg.lstsq(directions / sigmas[:, None], residuals / sigmas, rcond=None)[0]
        position += complex(*step)
        if abs(complex(*step)) < 1e-6:
            break
    return position


def _misfit(survey: Survey, sights: Sequence[Measure], position: complex) -> float:
    residuals, _, sigmas = _rows(survey, sights, position)
    return float(np.sum((residuals / sigmas) ** 2))


def _add_intersection(survey: Survey, target: str, position: complex) -> None:
    sights = _sights(survey, target)
    _, directions, sigmas = _rows(survey, sights, position)
    weighted = directions / sigmas[:, None]
    gain = np.linalg.solve(weighted.T @ weighted, (weighted / sigmas[:, None]).T)  # (2, k)
    jacobian = np.zeros((2, 2 * len(survey.names)))
    rows = iter(range(len(directions)))
    for sight in sights:
        for _ in range((sight.distance_m is not None) + (sight.azimuth is not None)):
            k = next(rows)
            root = _root(survey, sight.origin)
            if root is not None:
                jacobian[:, 2 * root : 2 * root + 2] += np.outer(gain[:, k], directions[k])
    own = gain @ _observation_cov(survey, sights, position, sigmas) @ gain.T
    survey.add_anchor(target, position, jacobian, own)


def _observation_cov(survey: Survey, sights: Sequence[Measure], position: complex, sigmas: Floats) -> Floats:
    """Covariance of the sights in metres: those of one instrument, or one way of measuring, share an error."""
    common = [
        (("distance", sight.method), sight.scale_sd[0] * sight.distance_m)
        if quantity == "distance" and sight.distance_m is not None
        else (("bearing", sight.instrument), sight.turn_sd[0] * abs(position - survey.nominal[sight.origin]))
        for sight in sights
        for quantity in ("distance", "bearing")
        if (sight.distance_m if quantity == "distance" else sight.azimuth) is not None
    ]
    cov = np.diag(sigmas**2)
    for i, (kind, one) in enumerate(common):
        for j, (other_kind, other) in enumerate(common):
            if i != j and kind == other_kind:
                cov[i, j] = one * other
    return cov


def _root(survey: Survey, name: str) -> int | None:
    """Anchor at the beginning of a point's chain: its error moves the point along."""
    while name in survey.parent:
        name = survey.parent[name][0]
    return survey.names.index(name) if name in survey.names else None


def _assembled(survey: Survey) -> list[Solution]:
    """One solution; two where a closure is too large to be an error of measuring: from either end of the traverse."""
    used = sorted(survey.vectors)
    leg_of = {number: column for column, number in enumerate(used)}
    points = _combinations(survey, leg_of)
    network = Network(
        np.array(survey.anchors, dtype=complex),
        survey.anchor_cov,
        np.array([survey.vectors[number] for number in used], dtype=complex),
        _errors([survey.measures[number] for number in used]),
    )
    misclosures = []
    for number in survey.closures:
        closed = _close(survey, network, points, leg_of, number)
        if not closed[2].shared:
            return _from_either_end(survey, number, closed[2])
        network, points, miss = closed
        misclosures.append(miss)
    return [Solution(network, points, (*survey.refused, *misclosures), survey.sides, leg_of)]


def _from_either_end(survey: Survey, closing: int, miss: Misclosure) -> list[Solution]:
    """Leave out the closing leg, or the first leg of the traverse: one of its ends or legs is wrong, not told which."""
    measure = survey.measures[closing]
    path = _path(survey, measure.origin, measure.target)
    # Only the first contradiction is followed both ways: many together would double the readings each time.
    first = [survey.parent[path[0]][1]] if path and not survey.refused else []
    solutions = []
    for left_out in dict.fromkeys([closing, *first]):
        lost = replace(survey.measures[left_out], azimuth=None, distance_m=None)
        branch = _anew(survey, [lost if n == left_out else m for n, m in enumerate(survey.measures)])
        branch.refused.append(miss)
        branch.sides[TRAVERSE] = "forward" if left_out == closing else "backward"
        solutions += solve(branch)
    return solutions


def _errors(measures: Sequence[Measure]) -> LegErrors:
    def shared(keys: list[int], sd: list[float]) -> Floats:
        key, value = np.array(keys, dtype=np.int64), np.array(sd, dtype=float)
        return np.where(key[:, None] == key[None, :], np.outer(value, value), 0.0)

    groups = [m.group for m in measures]
    turn = shared([m.instrument for m in measures], [m.turn_sd[0] for m in measures])
    turn = turn + shared(groups, [m.turn_sd[1] for m in measures])
    scale = shared([m.method for m in measures], [m.scale_sd[0] for m in measures])
    scale = scale + shared(groups, [m.scale_sd[1] for m in measures])
    return LegErrors(turn, np.log1p(scale))


def _combinations(survey: Survey, leg_of: dict[int, int]) -> dict[str, tuple[Floats, Floats]]:
    anchors, legs = len(survey.names), len(leg_of)
    points: dict[str, tuple[Floats, Floats]] = {}
    for column, name in enumerate(survey.names):
        points[name] = (np.eye(anchors)[column], np.zeros(legs))
    for name, (origin, number, sign) in survey.parent.items():
        base, chain = points[origin]
        step = np.zeros(legs)
        step[leg_of[number]] = sign
        points[name] = (base, chain + step)
    return points


def _close(
    survey: Survey,
    network: Network,
    points: dict[str, tuple[Floats, Floats]],
    leg_of: dict[int, int],
    number: int,
) -> tuple[Network, dict[str, tuple[Floats, Floats]], Misclosure]:
    """Share a misclosure over the traverse in proportion to its length (the compass, or Bowditch, rule).

    One larger than `MOST_STRAIN` allows is returned as it is, not shared.
    """
    measure = survey.measures[number]
    step = np.zeros(len(leg_of))
    step[leg_of[number]] = 1.0
    known, reached = points[measure.target], points[measure.origin]
    miss = (known[0] - reached[0], known[1] - reached[1] - step)
    path = _path(survey, measure.origin, measure.target)
    lengths = np.cumsum([abs(survey.vectors[survey.parent[name][1]]) for name in path])
    total = float(lengths[-1] if len(lengths) else 0.0) + abs(survey.vectors[number])
    gap = complex(network.positions(miss[0][None], miss[1][None])[0])
    strain = _strain(network, miss, gap)
    if strain > MOST_STRAIN:
        return network, points, Misclosure(measure.target, gap.real, gap.imag, total, shared=False)
    share = {name: float(length) / max(total, 1e-9) for name, length in zip(path, lengths, strict=True)}
    strained = replace(network, errors=network.errors.scaled(strain)) if strain > 1.0 else network
    return strained, _shifted(survey, points, share, miss), Misclosure(measure.target, gap.real, gap.imag, total)


def _path(survey: Survey, last: str, start: str) -> list[str]:
    """Points of the traverse in order, from after `start` (or its anchor) to `last`."""
    path: list[str] = []
    name = last
    while name in survey.parent and name != start:
        path.append(name)
        name = survey.parent[name][0]
    return path[::-1]


def _shifted(
    survey: Survey,
    points: dict[str, tuple[Floats, Floats]],
    share: dict[str, float],
    miss: tuple[Floats, Floats],
) -> dict[str, tuple[Floats, Floats]]:
    applied = dict(share)
    for name, (origin, _, _) in survey.parent.items():  # side branches move with the point they hang on
        if name not in applied and origin in applied:
            applied[name] = applied[origin]
    return {
        name: (base + applied.get(name, 0.0) * miss[0], chain + applied.get(name, 0.0) * miss[1])
        for name, (base, chain) in points.items()
    }


def _strain(network: Network, miss: tuple[Floats, Floats], gap: complex) -> float:
    """How many times their sigmas the legs' errors are, by the misclosure (root mean square over the axes)."""
    cov = network.point_covariances(miss[0][None], miss[1][None])[0] + 1e-9 * np.eye(2)
    vector = np.array([gap.real, gap.imag])
    return math.sqrt(float(vector @ np.linalg.solve(cov, vector)) / 2.0)
