"""Accidents, and a search that starts at them and goes on around what it finds.

The search is ignorable: where the next box or lane goes is drawn from the accidents as reported, from the
finds as reported and from fresh random numbers, never from the devices, the record or its errors. So the
chance of the whole search factors into (design given what was seen) x (what was seen given the ground), and
only the second part bears on the ground (methods.md section 7). A search that is to stop at a number of finds
stops where the last of them lay, which is also decided by what was seen; the ground worked until then is what
is reported.

A device is found when it is in searched ground and can be detected at all, drawn once for each device: going
over the same ground again finds nothing new. That is the model of methods.md section 2, where ``S`` is a
mask.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely

from surefoot.analysis.synthetic.ground import Bools, Site
from surefoot.analysis.synthetic.patterns import Complexes, Ints
from surefoot.analysis.synthetic.presets import Preset
from surefoot.model import Floats
from surefoot.terms import QaResult, SearchMethod

STEPS_AT_MOST = 400  # when the search is to go on until a number of finds
ACCIDENT_DAYS = 1800
CHOICES = 3  # patches considered before one is worked
WELL_LOCATED_M = 20.0  # an accident known better than this can be visited


@dataclass(frozen=True)
class LocatedAccidents:
    """Accidents of one site: which device, where reported (metres about the pivot), sigma (nan = not stated).

    `day` counts from the first day on which accidents are known of.
    """

    device: Ints
    reported: Complexes
    sigma_m: Floats
    day: Ints
    killed: Ints


@dataclass
class SearchLog:
    """A search in progress: polygons in the order they were worked, and what was found in which."""

    polygons: list[shapely.Polygon] = field(default_factory=list)
    method: list[SearchMethod] = field(default_factory=list)
    qa: list[QaResult] = field(default_factory=list)
    reason: list[str] = field(default_factory=list)
    day: list[int] = field(default_factory=list)
    device: list[int] = field(default_factory=list)
    polygon_of_find: list[int] = field(default_factory=list)

    def add(
        self, polygon: shapely.Polygon, method: SearchMethod, qa: QaResult, reason: str, day: int, hits: Ints
    ) -> None:
        """Note one piece of ground with what was found in it."""
        self.device.extend(int(hit) for hit in hits)
        self.polygon_of_find.extend([len(self.polygons)] * len(hits))
        self.polygons.append(polygon)
        self.method.append(method)
        self.qa.append(qa)
        self.reason.append(reason)
        self.day.append(day)


@dataclass(frozen=True)
class Ground:
    """What the searchers work on: `findable` devices, and where each would be reported when found."""

    site: Site
    findable: Bools
    reported: Complexes


def draw_accidents(site: Site, rng: np.random.Generator) -> LocatedAccidents:
    """Draw one or two accidents at present devices; the first is well located, the other may lack a sigma."""
    present = np.flatnonzero(site.present)
    device = rng.permutation(present)[: int(rng.integers(1, 3))]
    count = len(device)
    sigma = np.exp(rng.uniform(np.log(5.0), np.log(200.0), count))
    sigma[:1] = rng.uniform(5.0, 12.0, count)[:1]
    sigma = np.round(sigma)
    error = sigma * (rng.normal(size=count) + 1j * rng.normal(size=count))
    stated = np.where((rng.random(count) < 0.3) & (np.arange(count) > 0), np.nan, sigma)
    day = rng.integers(0, ACCIDENT_DAYS, count)
    return LocatedAccidents(device, site.places[device] + error, stated, day, rng.integers(0, 2, count))


def draw_ground(site: Site, accidents: LocatedAccidents, preset: Preset, rng: np.random.Generator) -> Ground:
    """Decide which devices a search can find and what position it would report for each."""
    count = len(site.places)
    findable = site.present & (rng.random(count) < preset.detection)
    findable[accidents.device] = False
    noise = rng.normal(0.0, preset.gps_sd_m, count) + 1j * rng.normal(0.0, preset.gps_sd_m, count)
    return Ground(site, findable, site.places + noise)


def search(ground: Ground, accidents: LocatedAccidents, preset: Preset, rng: np.random.Generator) -> SearchLog:
    """Search around the well located accidents, then around the finds."""
    log = SearchLog()
    anchors = list(accidents.reported[accidents.sigma_m <= WELL_LOCATED_M])
    if not anchors:
        return log
    started_with = len(anchors)
    steps = int(rng.integers(preset.search_steps[0], preset.search_steps[1] + 1))
    target = preset.max_finds_per_record
    left = ground.findable.copy()
    middles: list[complex] = []
    for step in range(steps if target is None else STEPS_AT_MOST):
        wanted = None if target is None else target - len(log.device)
        if wanted == 0:
            break
        chosen, patch, method = _freshest(anchors, middles, preset, rng)
        middles.append(patch.middle)
        polygon, hits = _work(patch, ground.site.places, left, wanted)
        reason = "around an accident" if chosen < started_with else "around an earlier find"
        log.add(polygon, method, QaResult.NONE, reason, step // 4, hits)
        left[hits] = False
        anchors.extend(ground.reported[hits])
    return log


@dataclass(frozen=True, slots=True)
class _Patch:
    middle: complex
    heading: complex
    length_m: float
    width_m: float


def _freshest(
    anchors: list[complex], middles: list[complex], preset: Preset, rng: np.random.Generator
) -> tuple[int, _Patch, SearchMethod]:
    """Choose among a few patches of one kind the one furthest from ground worked before; say which anchor."""
    box = bool(rng.random() < preset.box_share)
    chosen = rng.integers(len(anchors), size=CHOICES)
    tried = [_draw_patch(anchors[int(one)], box, preset, rng) for one in chosen]
    gaps = np.abs(np.array([patch.middle for patch in tried])[:, None] - np.array([*middles, np.inf])[None, :])
    best = int(np.argmax(gaps.min(axis=1)))
    return int(chosen[best]), tried[best], SearchMethod.TECHNICAL_SURVEY if box else SearchMethod.LANE


def _draw_patch(anchor: complex, box: bool, preset: Preset, rng: np.random.Generator) -> _Patch:
    """Draw a box or a lane whose middle lies anywhere within reach of an anchor, in any direction."""
    turn, bearing, area = rng.random(3)
    heading = complex(np.exp(2j * np.pi * turn))
    middle = anchor + preset.search_reach_m * np.sqrt(area) * complex(np.exp(2j * np.pi * bearing))
    length, width = (preset.box_m, preset.box_m) if box else preset.lane_m
    return _Patch(middle, heading, length, width)


def _work(patch: _Patch, places: Complexes, left: Bools, wanted: int | None) -> tuple[shapely.Polygon, Ints]:
    """Work a patch from one end to the other, at most to where the last wanted device lies."""
    frame = (places - patch.middle) * np.conj(patch.heading)
    half, side = patch.length_m / 2, patch.width_m / 2
    inside = left & (np.abs(frame.real) <= half) & (np.abs(frame.imag) <= side)
    hits = np.flatnonzero(inside)
    hits = hits[np.argsort(frame.real[hits], kind="stable")]
    end = half
    if wanted is not None and len(hits) >= wanted:
        hits = hits[:wanted]
        end = min(half, float(frame.real[hits[-1]]) + 1e-6)
    corners = np.array([-half - 1j * side, end - 1j * side, end + 1j * side, -half + 1j * side])
    return polygon_of(patch.middle + patch.heading * corners), hits


def polygon_of(corners: Complexes) -> shapely.Polygon:
    """Return the polygon with these corners, metres."""
    return shapely.Polygon(np.column_stack([corners.real, corners.imag]))


def clear_block(log: SearchLog, ground: Ground, accidents: LocatedAccidents, rng: np.random.Generator) -> None:
    """Clear one contiguous block round the accidents and finds known so far, verified afterwards."""
    known = np.concatenate([accidents.reported[accidents.sigma_m <= WELL_LOCATED_M], ground.reported[log.device]])
    heading = _long_axis(known) if len(known) > 2 else complex(np.exp(2j * np.pi * rng.random()))
    frame = known * np.conj(heading)
    margins = rng.uniform(5.0, 40.0, 4)
    west, east = frame.real.min() - margins[0], frame.real.max() + margins[1]
    south, north = frame.imag.min() - margins[2], frame.imag.max() + margins[3]
    corners = np.array([west + 1j * south, east + 1j * south, east + 1j * north, west + 1j * north])
    clear(log, ground, polygon_of(heading * corners), "contiguous block round earlier finds")


def _long_axis(points: Complexes) -> complex:
    centred = points - points.mean()
    return complex(np.exp(0.5j * np.angle(np.sum(centred**2))))


def clear(log: SearchLog, ground: Ground, polygon: shapely.Polygon, reason: str) -> None:
    """Clear a polygon from end to end a week after the last work there; quality assurance passes it."""
    left = ground.findable.copy()
    left[log.device] = False
    inside = shapely.contains_xy(polygon, ground.site.places.real, ground.site.places.imag)
    day = (log.day[-1] if log.day else 0) + 7
    log.add(polygon, SearchMethod.CLEARANCE, QaResult.PASSED, reason, day, np.flatnonzero(left & inside))
