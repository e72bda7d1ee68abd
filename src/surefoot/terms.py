"""The field's words, as enums: one spelling for every room.

Where a word is taken from the glossary of mine action (IMAS 04.10) it keeps that meaning.
"""

from __future__ import annotations

from enum import StrEnum


class AreaStatus(StrEnum):
    """State of a hazardous area (IMAS 07.11, 08.10)."""

    SHA = "SHA"
    CHA = "CHA"
    SUSPECTED = "suspected"
    CLEARED = "cleared"
    REDUCED = "reduced"
    CANCELLED = "cancelled"
    LIFTED = "lifted"


RELEASED_STATUSES = frozenset({AreaStatus.CLEARED, AreaStatus.REDUCED, AreaStatus.CANCELLED})


class DeviceCategory(StrEnum):
    """What kind of explosive device, as far as stated."""

    AP = "AP"
    AV = "AV"
    OTHER = "other"
    UNKNOWN = "unknown"


class FindFate(StrEnum):
    """What became of a device that was found."""

    DESTROYED = "destroyed"
    LIFTED = "lifted"
    DETONATED = "detonated"
    LEFT = "left"
    UNKNOWN = "unknown"


class Fate(StrEnum):
    """What became of a RECORDED device: the six columns of the ledger, which add up to what was recorded."""

    FOUND = "found"
    DETONATED = "detonated"
    LIFTED = "lifted"
    LOST = "lost"
    SEARCHED_NOT_FOUND = "searched_not_found"
    NOT_SEARCHED = "not_searched"


class SpotOutcome(StrEnum):
    """What a search of the spot of one recorded device met (the missed-mine drill)."""

    FOUND = "found"
    CRATER = "crater"
    EVIDENCE_OF_REMOVAL = "evidence_of_removal"
    MIGRATED = "migrated"
    UNEXPLAINED = "unexplained"


class SearchMethod(StrEnum):
    """How a piece of ground was searched."""

    CLEARANCE = "clearance"
    TECHNICAL_SURVEY = "technical_survey"
    LANE = "lane"
    BAC = "bac"
    VISUAL = "visual"
    UNKNOWN = "unknown"


class QaResult(StrEnum):
    """Result of quality assurance on searched ground."""

    PASSED = "passed"
    FAILED = "failed"
    NONE = "none"


class RecordFamily(StrEnum):
    """Family of record form; it decides which conventions are likely."""

    FORMULYAR = "formulyar"
    ZAPISNIK = "zapisnik"
    NATO = "nato"
    HASTY = "hasty"
    PLAN = "plan"
    PERIMETER = "perimeter"
    REMOTE = "remote"
    INTERVIEW = "interview"
    MAP = "map"
    OTHER = "other"


class EventKind(StrEnum):
    """A later event noted on a record."""

    LIFTED = "lifted"
    RELAID = "relaid"
    DETONATED = "detonated"
    LOST = "lost"
    HANDED_OVER = "handed_over"
    CLEARED = "cleared"
    UNKNOWN = "unknown"


class Slot(StrEnum):
    """How closely a record states the place of one device."""

    EXACT = "exact"
    ROW = "row"
    AREA = "area"
    NONE = "none"


class Severity(StrEnum):
    """How much a doubt matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class North(StrEnum):
    """Which north a bearing is counted from."""

    MAGNETIC = "magnetic"
    GRID = "grid"
    TRUE = "true"


class MagneticEpoch(StrEnum):
    """By which declination a bearing that a form calls magnetic was counted."""

    LAYING_DATE = "laying_date"
    MAP_MARGIN = "map_margin"
    NONE_APPLIED = "none_applied"


class BearingUnit(StrEnum):
    """Unit of a bearing; the mil names say how many make a full circle."""

    DEGREE = "deg"
    GON = "gon"
    MIL_6000 = "6000"
    MIL_6400 = "6400"
    MIL_6300 = "6300"


class Sense(StrEnum):
    """Direction in which a bearing is counted."""

    CLOCKWISE = "clockwise"
    COUNTER_CLOCKWISE = "counter_clockwise"


class DistanceUnit(StrEnum):
    """Unit of a distance as written."""

    METRE = "m"
    KILOMETRE = "km"
    STEP = "step"
    PAIR_OF_STEPS = "pair_of_steps"
    YARD = "yd"
    FOOT = "ft"


class Bound(StrEnum):
    """How a claimed figure is bounded by its speaker."""

    ABOUT = "about"
    AT_LEAST = "at_least"
    MORE_THAN = "more_than"
    LESS_THAN = "less_than"
    EXACTLY = "exactly"


class Stage(StrEnum):
    """Stage of an assessment: records as they stand, or moved to fit the finds."""

    AS_RECORDED = "as_recorded"
    RE_ANCHORED = "re_anchored"


class Verdict(StrEnum):
    """A claim against one measure it could mean; never 'right' or 'wrong'."""

    CONSISTENT = "consistent"
    NOT_CONSISTENT = "not consistent"
    CANNOT_BE_TESTED = "cannot be tested"
