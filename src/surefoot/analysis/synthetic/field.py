"""One field from its pattern to its search: what is recorded, what is there, what was seen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from surefoot.analysis.synthetic.forms import CompiledForm, Heading, with_lifted, write_form
from surefoot.analysis.synthetic.ground import (
    Site,
    TrueError,
    draw_error,
    recorded_places,
    settle,
    true_places,
    unrelated_site,
)
from surefoot.analysis.synthetic.notation import Notation, draw_notation
from surefoot.analysis.synthetic.patterns import Complexes, Ints, Pattern, draw_pattern
from surefoot.analysis.synthetic.presets import Preset
from surefoot.analysis.synthetic.search import (
    Ground,
    LocatedAccidents,
    SearchLog,
    clear,
    clear_block,
    draw_accidents,
    draw_ground,
    polygon_of,
    search,
)
from surefoot.model import Texts
from surefoot.terms import DeviceCategory, RecordFamily

AREA_MARGIN_M = 60.0
_AP, _AV = str(DeviceCategory.AP), str(DeviceCategory.AV)
_MODELS: Mapping[tuple[RecordFamily, str], Mapping[str, tuple[str, ...]]] = {
    (RecordFamily.FORMULYAR, "ru"): {_AP: ("ПМН", "ПМН-2"), _AV: ("ТМ-62",)},
    (RecordFamily.FORMULYAR, "en"): {_AP: ("PMN", "PMN-2"), _AV: ("TM-62",)},
    (RecordFamily.NATO, "ru"): {_AP: ("PMN", "M14"), _AV: ("TM-62M", "M15")},
    (RecordFamily.NATO, "en"): {_AP: ("PMN", "M14"), _AV: ("TM-62M", "M15")},
}
_MIXED_ROW_SHARE = 0.2
_AV_ROW_SHARE = 0.3
_EVENT_SHARE = 0.3


@dataclass(frozen=True)
class Field:
    """One record and its ground. Where they are unrelated, `site` lists no recorded device.

    `recorded` and `true` are metres east + i north about `pivot`, shape (n,) for the n recorded devices;
    `lifted` marks those that a later event on the form accounts for.
    """

    pivot: tuple[float, float]
    pattern: Pattern
    compiled: CompiledForm
    form: Mapping[str, Any]
    category: Texts
    model: Texts
    error: TrueError
    true: Complexes
    site: Site
    lifted: Ints
    accidents: LocatedAccidents
    ground: Ground
    log: SearchLog
    area: shapely.Polygon | None
    area_searched: bool

    @property
    def related(self) -> bool:
        """Whether the ground has anything to do with the record."""
        return bool((self.site.recorded >= 0).any())

    @property
    def pivot_of_site(self) -> tuple[float, float]:
        """Longitude, latitude of the origin in which the ground and the search are given."""
        return self.site.pivot


def draw_field(
    number: int,
    pivot: tuple[float, float],
    ground_pivot: tuple[float, float],
    preset: Preset,
    rng: np.random.Generator,
) -> Field:
    """Draw one field.

    The record, the ground and the search each have a stream of their own, so that a longer search sees the
    same ground, and finds first what a shorter one found.
    """
    for_record, for_ground, for_search = rng.spawn(3)
    pattern = draw_pattern(preset, for_record)
    notation = draw_notation(preset.rounding, for_record)
    category, model = _draw_devices(pattern, notation, for_record)
    heading = _draw_heading(number, pattern, for_record)
    compiled = write_form(pattern, model, heading, notation, pivot)
    error = draw_error(pattern, compiled, pivot, preset, for_ground)
    true = true_places(pattern, recorded_places(compiled, pivot), error, preset, for_ground)
    if preset.related:
        site = settle(pivot, true, category, model, preset, for_ground)
    else:
        site = unrelated_site(ground_pivot, category, model, preset, for_ground)
    form, lifted = _note_lifted(compiled, notation, heading, site, preset, for_ground)
    accidents = draw_accidents(site, for_ground)
    ground = draw_ground(site, accidents, preset, for_ground)
    log = search(ground, accidents, preset, for_search)
    area = _area_round(pattern) if preset.areas else None
    searched = _clear_verified(log, ground, accidents, area, preset, for_search)
    return Field(
        pivot, pattern, compiled, form, category, model, error, true, site,
        lifted, accidents, ground, log, area, searched,
    )  # fmt: skip


def _draw_devices(pattern: Pattern, notation: Notation, rng: np.random.Generator) -> tuple[Texts, Texts]:
    """Return category and model of each device: most rows hold one model, some hold two."""
    names = _MODELS[notation.family, notation.language]
    ap, av = (str(rng.choice(names[category])) for category in (_AP, _AV))
    rows = len(pattern.spacing_m)
    heavy = rng.random(rows) < _AV_ROW_SHARE
    mixed = rng.random(rows) < _MIXED_ROW_SHARE
    other = mixed[pattern.row - 1] & (rng.random(len(pattern.row)) < 0.3)
    is_heavy = heavy[pattern.row - 1] ^ other
    category = np.where(is_heavy, _AV, _AP).astype(object)
    return category, np.where(is_heavy, av, ap).astype(object)


def _draw_heading(number: int, pattern: Pattern, rng: np.random.Generator) -> Heading:
    laid = dt.date(1991, 3, 1) + dt.timedelta(days=int(rng.integers(0, 1200)))
    form_no = str(10 + 3 * number + int(rng.integers(0, 3)))
    has_second, states_area, states_passage, turn = rng.random(4)
    reach = rng.uniform(60.0, 200.0)
    second = pattern.landmark + complex(reach * np.exp(2j * np.pi * turn))
    return Heading(
        record_id=f"SIM-{number:03d}",
        form_no=form_no,
        laid=laid,
        second_landmark=second if has_second < 0.5 else None,
        states_area=bool(states_area < 0.8),
        states_passage=bool(states_passage < 0.3),
    )


def _note_lifted(
    compiled: CompiledForm,
    notation: Notation,
    heading: Heading,
    site: Site,
    preset: Preset,
    rng: np.random.Generator,
) -> tuple[Mapping[str, Any], Ints]:
    """Let a later event account for some of the devices of one model that are no longer there."""
    chance, share, delay = rng.random(3)
    gone = np.flatnonzero(~site.present & (site.recorded >= 0))
    if chance >= _EVENT_SHARE or not len(gone) or not preset.related:
        return compiled.form, np.empty(0, dtype=np.int64)
    model = str(site.model[gone[0]])
    same = gone[site.model[gone] == model]
    lifted = same[: max(1, round(share * len(same)))]
    date = heading.laid + dt.timedelta(days=60 + int(delay * 600))
    form = with_lifted(compiled.form, notation.language, date, len(lifted), model)
    return form, site.recorded[lifted]


def _area_round(pattern: Pattern) -> shapely.Polygon:
    """Return the suspected area drawn from the record alone: its outline and a margin."""
    return polygon_of(pattern.corners).buffer(AREA_MARGIN_M, join_style="mitre")


def _clear_verified(
    log: SearchLog,
    ground: Ground,
    accidents: LocatedAccidents,
    area: shapely.Polygon | None,
    preset: Preset,
    rng: np.random.Generator,
) -> bool:
    """Clear a block, or the whole suspected area; say whether the area was searched from end to end.

    Nothing is cleared where the number of finds was asked for: the block would change it.
    """
    whole, block = rng.random(2)
    if preset.max_finds_per_record is not None:
        return False
    if area is not None and preset.related and whole < preset.fully_searched_share:
        clear(log, ground, area, "the whole suspected area")
        return True
    if log.polygons and block < preset.cleared_share:
        clear_block(log, ground, accidents, rng)
    return False
