"""Frozen facts: what was read, with where it stood and how sure it is.

Documents (a record, a claim) are objects; things that come in thousands (devices found, accidents, searched
and hazardous areas, recorded items) are NumPy columns in one frozen dataclass. Text columns are object arrays
of `str` (empty = not stated), dates are ``datetime64[D]`` (NaT = not stated), numbers are float64 (nan = not
stated). Positions are WGS 84 longitude and latitude in degrees; geometries are Shapely objects in the same.
Facts are never changed: a correction is a new result.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from shapely.geometry.base import BaseGeometry

from surefoot.designations import category_of_model as category_of_model
from surefoot.positions import BearingStatement, CoordinateStatement, CrsStatement, DistanceStatement, Sheet
from surefoot.terms import (
    Bound,
    EventKind,
    RecordFamily,
    Severity,
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Dates = npt.NDArray[np.datetime64]
Texts = npt.NDArray[np.object_]
Geometries = npt.NDArray[np.object_]

_TIME_OF_DAY = re.compile(
    r"(?<![\d:])(?:[01]?\d|2[0-4])[:h][0-5]\d(?!\d)"
    r"|(?<!\d)\d{1,2}(?:[.\-]?[0-5]\d)? ?(?:час\w*|ч\b|hrs?\b|hours?\b|h\b)"
    r"|\b\d{6} ?[A-Z] ?[A-Z]{3} ?\d{2}|\b(?:[01]\d|2[0-3])[0-5]\d ?Z\b"
    r"|(?:(?<=\d[ ,])|\bв |\bat )(?:[01]\d|2[0-3])[.\-][0-5]\d$",
    re.IGNORECASE,
)

NO_VALUES: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class Where:
    """The place of a value in the user's input. `row` counts from 1 as the user's program shows it."""

    file: str
    sheet: str | None = None
    row: int | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something accepted with a doubt. `id` and `values` go through `surefoot.messages`."""

    id: str
    severity: Severity
    where: Where
    found: str = ""
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row that is not used, and why. Nothing is lost: it is listed and counted."""

    id: str
    where: Where
    found: str = ""
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableCount:
    """Bookkeeping of one table in one file: ``rows_in = accepted + accepted_with_doubts + set_aside``."""

    kind: str
    file: str
    rows_in: int
    accepted: int
    accepted_with_doubts: int
    set_aside: int


# --- the record form -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StatedDate:
    """A date as stated, with its precision: the closed interval of days it may mean."""

    raw: str
    first: dt.date
    last: dt.date

    @property
    def exact(self) -> bool:
        """Whether it states one day."""
        return self.first == self.last

    @property
    def states_time(self) -> bool:
        """Whether it states a time of day: "12.07.93 14:30", "14 час. 12.07.93", "121430ZJUL93"."""
        return _TIME_OF_DAY.search(self.raw) is not None

    @property
    def decimal_year(self) -> float:
        """Middle of the interval as a decimal year."""
        middle = self.first + (self.last - self.first) / 2
        start = dt.date(middle.year, 1, 1)
        return middle.year + (middle - start).days / (366 if middle.year % 4 == 0 else 365)


@dataclass(frozen=True, slots=True)
class MapReference:
    """The map the compiler used. `sheets` holds every sheet the written name may mean; declination is east positive."""

    raw_sheet: str = ""
    sheets: tuple[Sheet, ...] = ()
    scale: float | None = None
    edition: str = ""
    raw_margin_declination: str = ""
    margin_declination_deg: float | None = None
    margin_year: float | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place a landmark may be, with its weight."""

    position: CoordinateStatement
    weight: float


@dataclass(frozen=True, slots=True)
class ReferencePoint:
    """A landmark or benchmark the record is measured from."""

    id: str
    description: str = ""
    position: CoordinateStatement | None = None
    candidates: tuple[Candidate, ...] = ()
    unknown_weight: float = 0.0  # share of "another landmark than any of the candidates"


@dataclass(frozen=True, slots=True)
class Leg:
    """A bearing and a distance from one point to another; either may be missing (intersections)."""

    origin: str
    target: str
    bearing: BearingStatement | None
    distance: DistanceStatement | None
    instrument: str = "unknown"  # compass, aiming_circle, eye, unknown
    distance_method: str = "unknown"  # paced, taped, eye, unknown


@dataclass(frozen=True, slots=True)
class GivenPoint:
    """A point whose position is stated directly."""

    id: str
    position: CoordinateStatement


@dataclass(frozen=True, slots=True)
class Row:
    """One row or strip. Item j (from 1) lies at `origin` + (j-1) spacing towards `target`."""

    no: str
    origin: str
    target: str
    spacing: DistanceStatement | None
    count: int | None
    mines: Mapping[str, int]  # model as written -> number
    fuze: str = ""
    depth: str = ""
    anti_handling: str = ""


@dataclass(frozen=True, slots=True)
class PlannedDevice:
    """A device with a place of its own on the form (per-mine plan, booby-trap)."""

    row: str
    index: int | None
    model: str
    position: CoordinateStatement | None = None
    origin: str = ""
    bearing: BearingStatement | None = None
    distance: DistanceStatement | None = None


@dataclass(frozen=True, slots=True)
class LaterEvent:
    """A later event noted on the form."""

    raw: str
    kind: EventKind
    date: StatedDate | None
    count: int | None
    model: str  # "" = not stated


@dataclass(frozen=True, slots=True)
class ControlPoint:
    """A point of a sketch whose place on the ground is known. Pixel = (column, row) from the top left."""

    pixel: tuple[float, float]
    point: str = ""
    position: CoordinateStatement | None = None


@dataclass(frozen=True, slots=True)
class Sketch:
    """A drawing on the form."""

    image: str = ""
    scale_known: bool = False
    north_arrow_deg: float | None = None
    control_points: tuple[ControlPoint, ...] = ()
    points: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # point id -> pixel


@dataclass(frozen=True, slots=True)
class MinefieldRecord:
    """One minefield record as written: statements, not positions.

    `geometry` is set instead of legs and rows for records that come as features of a vector file; then
    `geometry_sigma_m` is the sigma per axis of its place (nan = unknown).
    """

    record_id: str
    where: Where
    family: RecordFamily
    form_no: str = ""
    series: str = ""
    unit: str = ""  # pseudonym
    compiler: str = ""  # pseudonym
    laid: StatedDate | None = None
    compiled: StatedDate | None = None
    received: StatedDate | None = None
    map: MapReference = MapReference()
    crs: CrsStatement | None = None
    reference_points: tuple[ReferencePoint, ...] = ()
    legs: tuple[Leg, ...] = ()
    points: tuple[GivenPoint, ...] = ()
    rows: tuple[Row, ...] = ()
    devices: tuple[PlannedDevice, ...] = ()
    area: tuple[str, ...] = ()
    front: DistanceStatement | None = None
    depth: DistanceStatement | None = None
    totals: Mapping[str, int] = field(default_factory=dict)  # model as written, "" = all types
    method: str = ""
    fuze: str = ""
    life: str = ""
    anti_handling: str = ""
    booby_traps: str = ""
    passages: str = ""
    events: tuple[LaterEvent, ...] = ()
    sketch: Sketch | None = None
    geometry: BaseGeometry | None = None
    geometry_sigma_m: float = float("nan")
    doubts: tuple[Doubt, ...] = ()


# --- columns ---------------------------------------------------------------------------------------------


class _Columns:
    """What the column tables share: a length, and taking some of the rows."""

    def __len__(self) -> int:
        return len(next(iter(self._arrays().values())))

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}  # type: ignore[attr-defined]

    def take(self, which: npt.NDArray[Any]) -> Self:
        """Return the rows chosen by a boolean mask or by indices."""
        return replace(self, **{name: column[which] for name, column in self._arrays().items()})  # type: ignore[type-var]


@dataclass(frozen=True)
class DevicesFound(_Columns):
    """Explosive devices found on the ground, one row each."""

    id: Texts
    longitude: Floats
    latitude: Floats
    sigma_m: Floats  # per axis; nan = unknown
    date: Dates
    category: Texts  # DeviceCategory
    model: Texts
    fate: Texts  # FindFate
    searched_id: Texts
    production_year: Floats
    record_id: Texts  # as stated by the finder
    row: Texts
    index: Floats
    source_row: Ints  # row in the user's table, from 1

    def first_listed(self) -> Ints:
        """Find (n,) with the same place, day, type and fate and the smallest id; not itself: perhaps listed twice."""
        keys = [*zip(self.longitude, self.latitude, self.date, self.model, self.fate, strict=True)]
        by_id = np.argsort(self.id.astype(str), kind="stable")[::-1].tolist()
        first = {keys[number]: number for number in by_id}  # what is not known equals nothing but itself
        return np.array([first[key] for key in keys], dtype=np.int64)


@dataclass(frozen=True)
class Accidents(_Columns):
    """Explosive-ordnance incidents; one row = one event, not one victim."""

    id: Texts
    longitude: Floats  # nan = not located
    latitude: Floats
    sigma_m: Floats
    date: Dates
    activity: Texts
    category: Texts
    killed: Floats
    injured: Floats
    sheet: Texts  # map sheet the symbol came from, "" = none
    source_row: Ints


@dataclass(frozen=True)
class SearchedAreas(_Columns):
    """Ground that was searched."""

    id: Texts
    geometry: Geometries
    date: Dates
    method: Texts  # SearchMethod
    detection_probability: Floats  # nan = unknown
    qa: Texts  # QaResult
    reason: Texts
    source_row: Ints


@dataclass(frozen=True)
class HazardousAreas(_Columns):
    """Suspected, confirmed and released areas."""

    id: Texts
    geometry: Geometries
    status: Texts  # AreaStatus
    date: Dates
    sheet: Texts
    detection_probability: Floats
    source_row: Ints


@dataclass(frozen=True)
class RecordedItems(_Columns):
    """Every recorded device, one row per device, placed by the heaviest reading of its record.

    Slots ROW and AREA carry the mean and covariance of a device somewhere on the row or area; slot NONE has no
    position (nan). Allocated and unallocated devices are both here, so the ledger can balance.
    """

    record: Ints  # index into the case's tuple of records
    row: Texts
    index: Floats  # position in its row from 1; nan where the form does not order devices
    slot: Texts  # Slot
    category: Texts
    model: Texts  # "" = the type at this index is not certain; see p_type of its row
    easting: Floats  # case CRS, metres; nan for slot NONE
    northing: Floats
    cov_ee_m2: Floats
    cov_en_m2: Floats
    cov_nn_m2: Floats


# --- claims and the case ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Period:
    """Days a statement speaks of, both ends included; None = open at that end."""

    first: dt.date | None
    last: dt.date | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A public figure as somebody's statement. `measure` may be ``unspecified``.

    `days` is `period` as read; None where none is stated, or where its words state no dates.
    """

    id: str
    speaker: str
    date: dt.date | None
    outlet: str
    text: str
    subject: str
    measure: str
    value: float
    bound: Bound
    unit: str
    period: str = ""
    place: str = ""
    confirmed_by: str = ""
    days: Period | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What only the national authority may set; None = unset, and then nothing is proposed from it."""

    p_star: float | None = None
    fade_out_m: float | None = None
    exposure_ratio: tuple[float, ...] | None = None
    lane_rules: Mapping[str, object] | None = None


@dataclass(frozen=True)
class LaneRules:
    """Hard limits of work as the operator and the authority set them; None or empty = no such limit was stated.

    Attributes
    ----------
    forbidden, allowed, access
        WGS 84. Ground no work may touch; ground all work must lie inside; lines or polygons from which work starts.
    keep_off_m
        Distance kept from forbidden ground.
    start_within_m
        Farthest that work may start from `access`.
    directions_deg, direction_tolerance_deg
        Directions in which work may go on, degrees clockwise from true north, and how far it may be off them.
    detection_probability
        Of the method that will be used; None = not stated.
    lane_cost_per_m2, box_cost_per_m2
        What a square metre costs, in any one unit.
    """

    forbidden: BaseGeometry | None = None
    allowed: BaseGeometry | None = None
    access: BaseGeometry | None = None
    keep_off_m: float = 0.0
    start_within_m: float = 0.5
    directions_deg: tuple[float, ...] = ()
    direction_tolerance_deg: float = 10.0
    detection_probability: float | None = None
    lane_cost_per_m2: float = 1.0
    box_cost_per_m2: float = 1.0


@dataclass(frozen=True, slots=True)
class CaseSettings:
    """The settings of ``case.toml``. `region` is a WGS 84 polygon; `crs` the metric CRS of all sums."""

    name: str
    crs: str
    region: BaseGeometry
    region_stated: bool
    as_of: dt.date | None
    cell_m: float = 50.0
    maps: tuple[str, ...] | None = None  # None = default rule of interfaces.md, e.g. ("records", "areas:suspected")
    buffers_m: tuple[float, ...] = (0.0, 25.0, 100.0, 500.0, 1000.0)
    include_cleared: bool = False
    policy: Policy = Policy()
    simulated: bool = False
    series: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    priors: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that was read, with its checksum."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Case:
    """A case folder as read: facts, and what was set aside."""

    settings: CaseSettings
    records: tuple[MinefieldRecord, ...]
    finds: DevicesFound
    accidents: Accidents
    searched: SearchedAreas
    areas: HazardousAreas
    claims: tuple[Claim, ...] = ()
    tables: tuple[TableCount, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    inputs: tuple[InputFile, ...] = ()
