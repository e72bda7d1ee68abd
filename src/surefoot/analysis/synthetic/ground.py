"""What truly lies on the ground when a record says something: its errors, what is there, what is not.

A record's pattern ``z`` (complex, east + i north) goes to its true place by
``landmark + shift + scale * turn * (c + M u)``: ``c`` is the centroid as recorded, ``u`` the pattern about it
(methods.md section 2). ``M`` turns the pattern by half a circle (end_for_end) or reflects it in the line
through its centroid that runs from the first to the last device of row 1 (mirrored); a reversed first leg
replaces ``c`` by ``c - 2 first leg``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely

from surefoot.analysis.synthetic.forms import CompiledForm
from surefoot.analysis.synthetic.patterns import Complexes, Ints, Pattern, draw_pattern
from surefoot.analysis.synthetic.presets import (
    END_FOR_END,
    FIRST_LEG_REVERSED,
    MIRRORED,
    NO_BLUNDER,
    Blunder,
    Preset,
)
from surefoot.model import Texts
from surefoot.positions.local import to_local

Bools = np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True)
class TrueError:
    """How one record is wrong. Complex numbers are metres east + i north in the record's local frame.

    `shift` is that of the centroid after the discrete error is taken out, `displacement` that of the centroid
    with it; `landmark_shift` is the drawn one, of the landmark. Turn is clockwise positive.
    """

    blunder: Blunder
    landmark_shift: complex
    turn_deg: float
    scale: float
    shift: complex
    displacement: complex
    row_offsets: Complexes
    centroid: complex  # of the record as it reads


@dataclass(frozen=True)
class Site:
    """The devices of one field, recorded or not. `places` are metres east + i north about `pivot`.

    `recorded` is the position in the record's own list, -1 for a device on no record; a recorded device that
    is not `present` has the place where it would be.
    """

    pivot: tuple[float, float]
    places: Complexes
    present: Bools
    recorded: Ints
    category: Texts
    model: Texts


def recorded_places(compiled: CompiledForm, pivot: tuple[float, float]) -> Complexes:
    """Return where the record reads, metres about the pivot."""
    return to_local(*compiled.measured.items, pivot=pivot)


def draw_error(
    pattern: Pattern,
    compiled: CompiledForm,
    pivot: tuple[float, float],
    preset: Preset,
    rng: np.random.Generator,
) -> TrueError:
    """Draw the errors of one record."""
    blunder = _draw_blunder(preset, rng)
    landmark_shift = complex(*rng.normal(0.0, preset.shift_sd_m, 2))
    turn_deg = float(rng.normal(0.0, preset.turn_sd_deg))
    scale = float(np.exp(rng.normal(0.0, preset.scale_sd)))
    offsets = _scatter(len(pattern.spacing_m), preset.row_offset_sd_m, rng)
    landmark, station = _fixed_points(compiled, pivot)
    centroid = complex(recorded_places(compiled, pivot).mean())
    moved = centroid - landmark - (2 * (station - landmark) if blunder == FIRST_LEG_REVERSED else 0)
    true_centroid = landmark + landmark_shift + scale * _clockwise(turn_deg) * moved
    return TrueError(
        blunder=blunder,
        landmark_shift=landmark_shift,
        turn_deg=turn_deg,
        scale=scale,
        shift=true_centroid - landmark - moved,
        displacement=true_centroid - centroid,
        row_offsets=offsets,
        centroid=centroid,
    )


def _draw_blunder(preset: Preset, rng: np.random.Generator) -> Blunder:
    weights = np.array([preset.end_for_end, preset.mirrored, preset.first_leg_reversed])
    names = (END_FOR_END, MIRRORED, FIRST_LEG_REVERSED, NO_BLUNDER)
    return names[int(np.searchsorted(np.cumsum(weights), rng.random(), side="right"))]


def _fixed_points(compiled: CompiledForm, pivot: tuple[float, float]) -> tuple[complex, complex]:
    """Return the landmark and the end of the first leg, as the record reads."""
    longitude = np.array([compiled.landmark.longitude, compiled.measured.station[0]])
    latitude = np.array([compiled.landmark.latitude, compiled.measured.station[1]])
    landmark, station = to_local(longitude, latitude, pivot=pivot)
    return complex(landmark), complex(station)


def _clockwise(turn_deg: float) -> complex:
    return complex(np.exp(-1j * np.deg2rad(turn_deg)))


def _scatter(count: int, sd: float, rng: np.random.Generator) -> Complexes:
    drawn: Complexes = rng.normal(0.0, sd, count) + 1j * rng.normal(0.0, sd, count)
    return drawn


def true_places(
    pattern: Pattern, recorded: Complexes, error: TrueError, preset: Preset, rng: np.random.Generator
) -> Complexes:
    """Return where the recorded devices truly are, or would be were they present."""
    first_row = recorded[pattern.row == 1]
    exact = _moved(recorded, first_row[-1] - first_row[0], error)
    scattered: Complexes = exact + error.row_offsets[pattern.row - 1]
    return scattered + _scatter(len(recorded), preset.scatter_sd_m, rng)


def _moved(recorded: Complexes, along_rows: complex, error: TrueError) -> Complexes:
    about: Complexes = recorded - error.centroid
    if error.blunder == END_FOR_END:
        about = -about
    elif error.blunder == MIRRORED:
        about = (along_rows / abs(along_rows)) ** 2 * np.conj(about)
    return error.centroid + error.displacement + error.scale * _clockwise(error.turn_deg) * about


def settle(
    pivot: tuple[float, float],
    places: Complexes,
    category: Texts,
    model: Texts,
    preset: Preset,
    rng: np.random.Generator,
) -> Site:
    """Decide what is there: each recorded device with the preset's presence, and unrecorded ones around."""
    count = len(places)
    present = rng.random(count) < preset.presence
    around = shapely.MultiPoint(np.column_stack([places.real, places.imag])).convex_hull
    extra = _uniform_in(around.buffer(preset.clutter_reach_m), int(rng.poisson(preset.clutter * count)), rng)
    like = rng.integers(0, count, len(extra))
    return Site(
        pivot=pivot,
        places=np.concatenate([places, extra]),
        present=np.concatenate([present, np.ones(len(extra), dtype=bool)]),
        recorded=np.concatenate([np.arange(count), np.full(len(extra), -1)]),
        category=np.concatenate([category, category[like]]),
        model=np.concatenate([model, model[like]]),
    )


def _uniform_in(polygon: shapely.Polygon, count: int, rng: np.random.Generator) -> Complexes:
    west, south, east, north = polygon.bounds
    kept = np.empty(0, dtype=np.complex128)
    while len(kept) < count:
        tried = rng.uniform(west, east, 4 * count) + 1j * rng.uniform(south, north, 4 * count)
        kept = np.concatenate([kept, tried[shapely.contains_xy(polygon, tried.real, tried.imag)]])
    return kept[:count]


def unrelated_site(
    pivot: tuple[float, float], category: Texts, model: Texts, preset: Preset, rng: np.random.Generator
) -> Site:
    """Return a field that is on no record at all, with its own pattern about its own pivot."""
    pattern = draw_pattern(preset, rng)
    like = rng.integers(0, len(category), len(pattern.places))
    site = settle(pivot, pattern.places, category[like], model[like], preset, rng)
    return replace(site, recorded=np.full(len(site.places), -1))
