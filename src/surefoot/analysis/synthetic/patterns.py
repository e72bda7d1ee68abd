"""Rows of points in the plane: what a record shows, before it is written down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot.analysis.synthetic.presets import Preset

Complexes = npt.NDArray[np.complex128]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FOOTPRINT_MARGIN_M = 8.0


@dataclass(frozen=True)
class Pattern:
    """One drawn pattern. Places are complex, east + i north in metres about the pattern's own centroid.

    `row` counts from 1 and `index` counts from 1 inside its row, both of shape (n,); `spacing_m` has one
    value a row, nan for a row that is irregular along its line. `axis_deg` is the azimuth in which the rows
    run.
    """

    places: Complexes
    row: Ints
    index: Ints
    spacing_m: Floats
    axis_deg: float
    landmark: complex
    corners: Complexes

    @property
    def row_numbers(self) -> range:
        """The numbers of the rows, from 1."""
        return range(1, len(self.spacing_m) + 1)


def draw_pattern(preset: Preset, rng: np.random.Generator) -> Pattern:
    """Draw one pattern: 2-4 rows, some of them irregular along their line and slightly curved."""
    number = int(rng.integers(preset.rows[0], preset.rows[1] + 1))
    counts = rng.integers(preset.items_per_row[0], preset.items_per_row[1] + 1, number)
    starts = rng.uniform(*preset.row_start_m, number)
    across = np.concatenate([[0.0], np.cumsum(rng.uniform(*preset.row_gap_m, number - 1))])
    # A spacing is written to the decimetre, so it is drawn to the decimetre.
    spacings = np.round(rng.uniform(*preset.spacing_m, number), 1)
    spacings[rng.random(number) < preset.irregular_share] = np.nan
    lines = [
        start + 1j * offset + _line(int(count), spacing, preset, rng)
        for start, offset, count, spacing in zip(starts, across, counts, spacings, strict=True)
    ]
    flat = np.concatenate(lines)
    centroid = flat.mean()
    axis_deg = float(rng.uniform(0.0, 360.0))
    reach, direction = rng.uniform(*preset.landmark_m), rng.uniform(0.0, 2 * np.pi)
    return Pattern(
        places=_turned(flat - centroid, axis_deg),
        row=np.repeat(np.arange(1, number + 1), counts),
        index=np.concatenate([np.arange(1, count + 1) for count in counts]),
        spacing_m=spacings,
        axis_deg=axis_deg,
        landmark=complex(reach * np.exp(1j * direction)),
        corners=_turned(_corners(flat) - centroid, axis_deg),
    )


def _line(count: int, spacing: float, preset: Preset, rng: np.random.Generator) -> Complexes:
    """Return one row along the real axis; the imaginary axis points to the right of the row."""
    if not np.isnan(spacing):
        return np.asarray(np.arange(count) * spacing, dtype=np.complex128)
    along = np.concatenate([[0.0], np.cumsum(rng.uniform(*preset.spacing_m, count - 1))])
    bow: Complexes = along + 1j * preset.curvature_per_m * (along - along[-1] / 2) ** 2
    return bow


def _corners(flat: Complexes) -> Complexes:
    west, east = flat.real.min() - FOOTPRINT_MARGIN_M, flat.real.max() + FOOTPRINT_MARGIN_M
    low, high = flat.imag.min() - FOOTPRINT_MARGIN_M, flat.imag.max() + FOOTPRINT_MARGIN_M
    return np.array([west + 1j * low, east + 1j * low, east + 1j * high, west + 1j * high])


def _turned(flat: Complexes, axis_deg: float) -> Complexes:
    """Return along-and-right metres as east + i north, for rows that run in azimuth `axis_deg`."""
    along = np.exp(1j * np.deg2rad(90.0 - axis_deg))
    turned: Complexes = flat.real * along + flat.imag * along * -1j
    return turned
