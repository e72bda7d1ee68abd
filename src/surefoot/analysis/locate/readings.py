"""What `locate` returns: the weighted readings of a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from surefoot.analysis.locate.moments import LegErrors, covariance, draw, mean_vectors
from surefoot.model import Doubt
from surefoot.positions.local import from_local, to_local

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class Network:
    """The random vectors everything on a form is built from, in one local frame (metres, east + i north).

    Anchors are landmarks and directly given points with a joint covariance (2R, 2R); legs are measured
    vectors with their errors. A point is a fixed linear combination of both.
    """

    anchors: Complexes
    anchor_cov: Floats
    legs: Complexes
    errors: LegErrors

    def positions(self, base: Floats, chain: Floats) -> Complexes:
        """Nominal positions (n,) of points with anchor coefficients (n, R) and leg coefficients (n, L)."""
        return np.asarray(base @ self.anchors + chain @ self.legs)

    def means(self, base: Floats, chain: Floats) -> Complexes:
        """Expected positions: the nominal ones drawn in a little by the uncertain bearings."""
        return np.asarray(base @ self.anchors + chain @ mean_vectors(self.legs, self.errors))

    def joint_covariance(self, base: Floats, chain: Floats) -> Floats:
        """Full covariance (2n, 2n), order east, north point by point, square metres."""
        spread = np.kron(base, np.eye(2))
        result = spread @ self.anchor_cov @ spread.T
        if len(self.legs):
            along = np.kron(chain, np.eye(2))
            result = result + along @ covariance(self.legs, self.errors) @ along.T
        return np.asarray(result)

    def point_covariances(self, base: Floats, chain: Floats) -> Floats:
        """Covariance of each point, (n, 2, 2), without building the joint matrix."""
        result = _quadratic(base, self.anchor_cov)
        if len(self.legs):
            result = result + _quadratic(chain, covariance(self.legs, self.errors))
        return result

    def factor(self, base: Floats, chain: Floats) -> Floats:
        """Record-level factor G (2n, r) with G @ G.T = the joint covariance, for later re-conditioning."""
        values, vectors = np.linalg.eigh(self.joint_covariance(base, chain))
        keep = values > values.max(initial=0.0) * 1e-12
        return np.asarray(vectors[:, keep] * np.sqrt(values[keep]))

    def sample(self, base: Floats, chain: Floats, size: int, rng: np.random.Generator) -> Complexes:
        """Draw positions (size, n)."""
        noise = rng.multivariate_normal(np.zeros(len(self.anchor_cov)), self.anchor_cov, size=size, method="eigh")
        anchors = self.anchors + noise[:, 0::2] + 1j * noise[:, 1::2]
        legs = draw(self.legs, self.errors, size, rng) if len(self.legs) else np.zeros((size, 0), complex)
        return np.asarray(anchors @ base.T + legs @ chain.T)


def _quadratic(coefficients: Floats, cov: Floats) -> Floats:
    """Diagonal 2 x 2 blocks of K cov K' with K = coefficients (x) I2."""
    blocks = cov.reshape(coefficients.shape[1], 2, coefficients.shape[1], 2)
    half = np.einsum("nr,ralb->nalb", coefficients, blocks)
    return np.asarray(np.einsum("nalb,nl->nab", half, coefficients))


@dataclass(frozen=True, slots=True)
class ReadLeg:
    """A leg as read: its bearing in every north, and its horizontal length."""

    origin: str
    target: str
    magnetic_deg: float | None
    declination_deg: float | None
    convergence_deg: float | None
    true_deg: float | None
    grid_deg: float | None
    distance_m: float | None


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row as read: its end points, the number of devices and the spacing used."""

    no: str
    points: tuple[str, ...]
    items: int | None
    spacing_m: float | None


@dataclass(frozen=True, slots=True)
class ReadItems:
    """The devices of one reading as columns. Coefficients refer to the reading's network."""

    row: npt.NDArray[np.object_]
    index: Floats
    slot: npt.NDArray[np.object_]
    model: npt.NDArray[np.object_]
    base: Floats  # (n, R); rows of nan for slot NONE
    chain: Floats  # (n, L)
    extra_cov: Floats  # (n, 2, 2): row offset, scatter, spread over the row or area
    offset: Complexes  # (n,): fixed offset, metres (records drawn as features of a file)

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True, slots=True)
class Misclosure:
    """How far a closed traverse misses its closing point: known minus computed, metres."""

    target: str
    east_m: float
    north_m: float
    traverse_m: float
    shared: bool = True  # False: too large to be an error of measuring, left as it is

    @property
    def length_m(self) -> float:
        """Length of the misclosure."""
        return float(np.hypot(self.east_m, self.north_m))

    @property
    def ratio(self) -> float:
        """Length of the traverse per metre of misclosure (18 means 1:18)."""
        return self.traverse_m / self.length_m if self.length_m > 0 else float("inf")


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a record: hypotheses with a weight, and the geometry they give.

    `pivot` is longitude and latitude (WGS 84) of the origin of the local frame, None for a form in local metres
    that nothing ties to the ground.
    """

    weight: float
    hypotheses: Mapping[str, str]
    crs: str
    operation: str
    pivot: tuple[float, float] | None
    network: Network
    points: Mapping[str, tuple[Floats, Floats]]  # id -> anchor and leg coefficients
    grid_points: Mapping[str, tuple[float, float]]  # id -> easting, northing in `crs`
    legs: tuple[ReadLeg, ...]
    rows: tuple[ReadRow, ...]
    items: ReadItems
    area: tuple[str, ...]
    misclosures: tuple[Misclosure, ...] = ()
    spread_m: float = 0.0  # farthest point from the same point of the heaviest reading
    drawn: BaseGeometry | None = None  # a record that is a feature of a file: its shape in the local frame

    def item_means(self) -> Complexes:
        """Expected positions of the items in the local frame, metres; nan for slot NONE."""
        return self.network.means(self.items.base, self.items.chain) + self.items.offset

    def item_covariances(self) -> Floats:
        """Covariance (n, 2, 2) of each item, square metres; nan for slot NONE."""
        return self.network.point_covariances(self.items.base, self.items.chain) + self.items.extra_cov

    def point_positions(self) -> dict[str, complex]:
        """Nominal positions of the named points in the local frame, metres."""
        if not self.points:
            return {}
        base, chain = self._stacked()
        return dict(zip(self.points, self.network.positions(base, chain).tolist(), strict=True))

    def point_means(self) -> dict[str, complex]:
        """Expected positions of the named points in the local frame, metres."""
        if not self.points:
            return {}
        base, chain = self._stacked()
        return dict(zip(self.points, self.network.means(base, chain).tolist(), strict=True))

    def point_covariances(self) -> dict[str, Floats]:
        """Covariance (2, 2) of each named point, square metres."""
        if not self.points:
            return {}
        base, chain = self._stacked()
        return dict(zip(self.points, self.network.point_covariances(base, chain), strict=True))

    def _stacked(self) -> tuple[Floats, Floats]:
        pairs = list(self.points.values())
        return np.stack([base for base, _ in pairs]), np.stack([chain for _, chain in pairs])

    def lonlat_points(self) -> dict[str, tuple[float, float]]:
        """Nominal longitude and latitude of the named points; empty without a pivot."""
        places = self.point_positions()
        if self.pivot is None or not places:
            return {}
        longitude, latitude = from_local(np.array(list(places.values())), pivot=self.pivot)
        return dict(zip(places, zip(longitude.tolist(), latitude.tolist(), strict=True), strict=True))

    def farthest_from(self, reference: Mapping[str, tuple[float, float]]) -> float:
        """Largest distance of a named point from the same point of another reading, metres."""
        own = self.lonlat_points()
        shared = [name for name in own if name in reference]
        if not shared:
            return 0.0
        here = to_local(*np.array([own[n] for n in shared]).T, pivot=reference[shared[0]])
        there = to_local(*np.array([reference[n] for n in shared]).T, pivot=reference[shared[0]])
        return float(np.max(np.abs(here - there)))

    def area_polygon(self) -> Polygon | None:
        """Stated area in the local frame, metres; None without three placed corners."""
        places = self.point_positions()
        corners = [places[name] for name in self.area if name in places]
        if len(set(corners)) < 3 or len(corners) < len(self.area):
            return None
        return Polygon([(corner.real, corner.imag) for corner in corners])


@dataclass(frozen=True, slots=True)
class Readings:
    """All readings of a record, heaviest first; their weights sum to 1.

    `weight_cut` is the prior weight lost by keeping only the heaviest ones.
    """

    record_id: str
    readings: tuple[Reading, ...]
    weight_cut: float
    form_completeness: Mapping[str, bool | None]
    locatability: int
    doubts: tuple[Doubt, ...]
    unallocated: Mapping[str, int] = field(default_factory=dict)

    @property
    def best(self) -> Reading | None:
        """The heaviest reading, None where nothing can be placed."""
        return self.readings[0] if self.readings else None
