"""The default priors as typed values, with the overrides of a series laid over them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from surefoot.terms import BearingUnit, MagneticEpoch, North


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one table of priors over another, table by table."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(value, Mapping) and isinstance(below, Mapping) else value
    return result


@dataclass(frozen=True, slots=True)
class Priors:
    """Typed access to the table ``priors.toml``; see there for what each number means."""

    table: Mapping[str, Any]

    def for_series(self, override: Mapping[str, Any]) -> Priors:
        """Return these priors with a series' own values laid over them."""
        return Priors(merged(self.table, override)) if override else self

    def map_sigma_m(self, scale: float) -> float:
        """Sigma per axis of a landmark read from a map of scale 1:`scale`, metres."""
        table = self.table["map"]
        return math.hypot(table["plain_mm_axis"], table["reading_mm_axis"]) * scale / 1000.0

    def landmark_sigma_m(self) -> float:
        """Sigma per axis of a landmark given by coordinates without a map, metres."""
        return float(self.table["landmark"]["stated_m_axis"])

    def memory_sigma_m(self) -> float:
        """Sigma per axis of a place stated from memory (interview), metres."""
        return float(self.table["landmark"]["memory_m_axis"])

    def gps_before_2000_sigma_m(self) -> float:
        """Sigma per axis of a civil GPS fix before May 2000, metres."""
        return float(self.table["gps"]["before_2000_05_sigma_m_axis"])

    def operation_axis_factor(self) -> float:
        """Share of an operation's radial accuracy that falls on one axis."""
        return float(self.table["datum"]["operation_axis_factor"])

    def bearing_sd_rad(self, instrument: str) -> tuple[float, float]:
        """Return the common and the per-leg sd of a bearing, radians."""
        table = self.table["bearing"]
        common = table["common_sd_deg"].get(instrument, table["common_sd_deg"]["unknown"])
        leg = table["leg_sd_deg"].get(instrument, table["leg_sd_deg"]["unknown"])
        return math.radians(common), math.radians(leg)

    def distance_sd(self, method: str) -> tuple[float, float]:
        """Return the common and the per-leg relative sd of a distance."""
        table = self.table["distance"]
        return (
            float(table["common_sd"].get(method, table["common_sd"]["unknown"])),
            float(table["leg_sd"].get(method, table["leg_sd"]["unknown"])),
        )

    @property
    def step_m(self) -> float:
        """Length of a single step, metres."""
        return float(self.table["distance"]["step_m"])

    @property
    def pair_of_steps_m(self) -> float:
        """Length of a pair of steps, metres."""
        return float(self.table["distance"]["pair_of_steps_m"])

    @property
    def row_offset_sd_m(self) -> float:
        """Sigma per axis of a row's own offset, metres."""
        return float(self.table["pattern"]["row_offset_sd_m_axis"])

    @property
    def scatter_sd_m(self) -> float:
        """Sigma per axis of a device about its place in the row, metres."""
        return float(self.table["pattern"]["device_scatter_sd_m_axis"])

    def north_weights(self) -> dict[North, float]:
        """Prior weights when the form does not say which north."""
        return {North(key): float(w) for key, w in self.table["hypotheses"]["north"].items()}

    def epoch_weights(self) -> dict[MagneticEpoch, float]:
        """Prior weights of the declination that magnetic bearings were counted with."""
        return {MagneticEpoch(key): float(w) for key, w in self.table["hypotheses"]["magnetic_epoch"].items()}

    def unit_weights(self, formulyar: bool) -> dict[BearingUnit, float]:
        """Prior weights when the form does not say the unit of a bearing."""
        key = "bearing_unit_formulyar" if formulyar else "bearing_unit_other"
        return {BearingUnit(unit): float(w) for unit, w in self.table["hypotheses"][key].items()}

    def step_weights(self) -> dict[str, float]:
        """Prior weights when the form says paces, but neither single nor pairs."""
        table = self.table["hypotheses"]["distance_word_steps"]
        return {"step": float(table["single"]), "pair_of_steps": float(table["pairs"])}

    def datum_ignored(self) -> float:
        """Prior weight of coordinates written without their datum shift."""
        return float(self.table["hypotheses"]["coordinate_slip"]["datum_ignored"])

    def keep_at_most(self) -> int:
        """Most readings kept for one record."""
        return int(self.table["hypotheses"]["keep_at_most"])
