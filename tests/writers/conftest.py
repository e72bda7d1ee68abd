"""A realistic stand-in for an assessment: invented ground, invented records, numbers that balance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from pyproj import Transformer

FATES = ("found", "detonated", "lifted", "lost", "searched_not_found", "not_searched")
ORIGIN = np.array([664_000.0, 4_421_000.0])  # UTM 38N
TO_WGS84 = Transformer.from_crs(32638, 4326, always_xy=True)
MODELS = ("ПМН-2", "ПМН", "ТМ-62М", "ОЗМ-72")


@dataclass(frozen=True)
class StandInLayer:
    name: str
    geometry: npt.NDArray[np.object_]
    columns: Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class StandIn:
    document: Mapping[str, Any]
    layers: Mapping[str, StandInLayer]


def to_wgs84(geometry: Any) -> Any:
    """UTM 38N -> longitude, latitude."""
    return shapely.transform(geometry, lambda c: np.column_stack(TO_WGS84.transform(c[:, 0], c[:, 1])))


def objects(values: list[Any]) -> npt.NDArray[np.object_]:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def ellipse(centre: npt.NDArray[np.float64], major: float, minor: float, angle: float) -> Any:
    unit = shapely.Point(0, 0).buffer(1.0, quad_segs=16)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return shapely.transform(unit, lambda c: (c * [major, minor]) @ turn.T + centre)


@dataclass
class Field:
    """One invented minefield, in UTM metres."""

    number: int
    centre: npt.NDArray[np.float64]
    along: npt.NDArray[np.float64]
    rows: int
    per_row: int
    shift: npt.NDArray[np.float64]
    sigma: float
    has_footprint: bool

    @property
    def record_id(self) -> str:
        return f"rec-{self.number:03d}"

    @property
    def across(self) -> npt.NDArray[np.float64]:
        return np.array([-self.along[1], self.along[0]])

    def row_line(self, r: int) -> npt.NDArray[np.float64]:
        start = self.centre + self.across * 12.0 * (r - (self.rows - 1) / 2)
        half = self.along * 4.0 * (self.per_row - 1) / 2
        return np.array([start - half, start + half])

    def items(self, r: int) -> npt.NDArray[np.float64]:
        a, b = self.row_line(r)
        return a + np.linspace(0, 1, self.per_row)[:, None] * (b - a)

    def footprint(self) -> Any:
        every = np.concatenate([self.row_line(r) for r in range(self.rows)])
        return shapely.MultiPoint(every).convex_hull.buffer(8.0, join_style="mitre")


def make_fields(rng: np.random.Generator, n: int) -> list[Field]:
    side = int(np.ceil(np.sqrt(n)))
    fields = []
    for k in range(n):
        cell = np.array([k % side, k // side]) * 900.0
        angle = rng.uniform(0, np.pi)
        fields.append(
            Field(
                number=k + 1,
                centre=ORIGIN + cell + rng.uniform(-250, 250, 2),
                along=np.array([np.cos(angle), np.sin(angle)]),
                rows=int(rng.integers(2, 5)),
                per_row=int(rng.integers(20, 60)),
                shift=rng.normal(0, 18, 2),
                sigma=float(rng.uniform(12, 40)),
                has_footprint=k % 7 != 6,
            )
        )
    return fields


def record_columns(fields: list[Field]) -> dict[str, npt.NDArray[Any]]:
    return {
        "record_id": objects([f.record_id for f in fields]),
        "form_no": objects([f"{f.number}/{80 + f.number % 15}" for f in fields]),
        "family": objects(["formulyar" if f.number % 3 else "zapisnik" for f in fields]),
        "series": objects(["A" if f.number % 2 else "B" for f in fields]),
        "laid": objects(["1993-07-12" if f.number % 4 else "" for f in fields]),
        "locatability": np.array([f.number % 3 for f in fields], dtype=np.int64),
        "recorded": np.array([f.rows * f.per_row for f in fields], dtype=np.int64),
        "sigma_m": np.array([f.sigma for f in fields]),
    }


def make_layers(rng: np.random.Generator, fields: list[Field]) -> dict[str, StandInLayer]:
    layers = [
        StandInLayer(
            "records",
            objects([to_wgs84(f.footprint()) if f.has_footprint else None for f in fields]),
            record_columns(fields),
        ),
        row_layer(fields),
        item_layer(rng, fields),
        StandInLayer(
            "ellipses",
            objects([to_wgs84(ellipse(f.centre, 2.6 * f.sigma, 1.7 * f.sigma, 0.6)) for f in fields]),
            {
                "record_id": objects([f.record_id for f in fields]),
                "level": np.full(len(fields), 0.9),
            },
        ),
        find_layer(rng, fields),
        accident_layer(rng, fields),
        searched_layer(fields),
        area_layer(fields),
        StandInLayer("priorities", objects([]), {"rank": np.array([], dtype=np.int64), "kind": objects([])}),
    ]
    return {layer.name: layer for layer in layers}


def row_layer(fields: list[Field]) -> StandInLayer:
    pairs = [(f, r) for f in fields for r in range(f.rows)]
    return StandInLayer(
        "rows",
        objects([to_wgs84(shapely.LineString(f.row_line(r))) for f, r in pairs]),
        {
            "record_id": objects([f.record_id for f, _ in pairs]),
            "row": objects([str(r + 1) for _, r in pairs]),
            "count": np.array([f.per_row for f, _ in pairs], dtype=np.int64),
            "model": objects([MODELS[r % 4] for _, r in pairs]),
        },
    )


def item_layer(rng: np.random.Generator, fields: list[Field]) -> StandInLayer:
    points = np.concatenate([f.items(r) for f in fields for r in range(f.rows)])
    ids = [(f.record_id, str(r + 1), i + 1) for f in fields for r in range(f.rows) for i in range(f.per_row)]
    lon, lat = TO_WGS84.transform(points[:, 0], points[:, 1])
    geometry = shapely.points(lon, lat)
    geometry[-3:] = None
    n = len(points)
    p = rng.dirichlet([1, 0.2, 0.5, 0.05, 0.5, 4], n)
    columns: dict[str, npt.NDArray[Any]] = {
        "record_id": objects([i[0] for i in ids]),
        "row": objects([i[1] for i in ids]),
        "index": np.array([i[2] for i in ids], dtype=np.float64),
        "slot": objects(["exact"] * (n - 3) + ["none"] * 3),
        "category": objects(["AP"] * n),
        "model": objects([MODELS[int(i[1]) % 4] for i in ids]),
        "placement": np.zeros(n, dtype=np.int64),
        "weight": np.ones(n),
        "is_best": np.ones(n, dtype=bool),
        "longitude": np.where(np.arange(n) < n - 3, lon, np.nan),
        "latitude": np.where(np.arange(n) < n - 3, lat, np.nan),
        "cov_ee_m2": np.full(n, 400.0),
        "cov_en_m2": np.full(n, 20.0),
        "cov_nn_m2": np.full(n, 350.0),
        "p_present": np.full(n, 0.8),
        "fate": objects([FATES[j] for j in p.argmax(axis=1)]),
        **{f"p_{fate}": p[:, j] for j, fate in enumerate(FATES)},
        "find_id": objects([None] * n),
    }
    return StandInLayer("items", geometry, columns)


def find_layer(rng: np.random.Generator, fields: list[Field]) -> StandInLayer:
    spots, owners = [], []
    for f in fields[::2]:
        for j in range(int(rng.integers(2, 9))):
            base = f.items(j % f.rows)[int(rng.integers(f.per_row))]
            spots.append(base + f.shift + rng.normal(0, 2, 2))
            owners.append(f.record_id if j % 4 else None)
    lon, lat = TO_WGS84.transform(*np.array(spots).T)
    n = len(spots)
    dates = np.datetime64("2023-03-01") + np.arange(n).astype("timedelta64[D]")
    if n > 2:
        dates[2] = np.datetime64("NaT")
    return StandInLayer(
        "finds",
        shapely.points(lon, lat),
        {
            "id": objects([f"F{k + 1}" for k in range(n)]),
            "date": dates,
            "category": objects(["AP"] * n),
            "model": objects(["ПМН-2" if k % 2 else "=HYPERLINK(1)" for k in range(n)]),
            "fate": objects(["destroyed"] * n),
            "sigma_m": np.where(np.arange(n) % 5 == 0, np.nan, 2.5),
            "p_unrecorded": np.array([0.08 if o else 0.93 for o in owners]),
            "record_id": objects([o or "" for o in owners]),
        },
    )


def accident_layer(rng: np.random.Generator, fields: list[Field]) -> StandInLayer:
    spots, outside = [], []
    for f in fields:
        is_out = f.number % 5 < 3
        spots.append(f.centre + (rng.normal(0, 160, 2) if is_out else f.along * 3))
        outside.append(is_out)
    lon, lat = TO_WGS84.transform(*np.array(spots).T)
    n = len(spots)
    geometry = shapely.points(lon, lat)
    geometry[-1] = None
    return StandInLayer(
        "accidents",
        geometry,
        {
            "id": objects([f"A{k + 1}" for k in range(n)]),
            "date": np.datetime64("2021-05-01") + (np.arange(n) * 9).astype("timedelta64[D]"),
            "killed": np.array([float(k % 3 == 0) for k in range(n)]),
            "injured": np.ones(n),
            "outside_records": np.array(outside),
            "sigma_m": np.full(n, 25.0),
        },
    )


def searched_layer(fields: list[Field]) -> StandInLayer:
    chosen = fields[::2]
    boxes = [to_wgs84(shapely.box(*(f.centre + f.shift - [130, 60]), *(f.centre + f.shift + [90, 70]))) for f in chosen]
    return StandInLayer(
        "searched",
        objects(boxes),
        {
            "id": objects([f"S{f.number}" for f in chosen]),
            "date": np.full(len(chosen), np.datetime64("2023-04-01")),
            "method": objects(["clearance"] * len(chosen)),
            "detection_probability": np.full(len(chosen), 0.95),
            "qa": objects(["passed"] * len(chosen)),
        },
    )


def area_layer(fields: list[Field]) -> StandInLayer:
    chosen = fields[1::3]
    status = ("CHA", "SHA", "cleared", "suspected")
    return StandInLayer(
        "areas",
        objects([to_wgs84(shapely.Point(f.centre + 140).buffer(170, quad_segs=3)) for f in chosen]),
        {
            "id": objects([f"HA{f.number}" for f in chosen]),
            "status": objects([status[k % 4] for k in range(len(chosen))]),
            "date": np.full(len(chosen), np.datetime64("2022-04-01")),
            "sheet": objects(["J-38-10-Б"] * len(chosen)),
        },
    )


def make_ledger(rng: np.random.Generator, fields: list[Field]) -> dict[str, Any]:
    by_record = []
    by_type = {m: np.zeros(7) for m in MODELS}
    for f in fields:
        total = np.zeros(6)
        for r in range(f.rows):
            shares = rng.dirichlet([1, 0.2, 0.5, 0.05, 0.5, 4]) * f.per_row
            shares[-1] = f.per_row - shares[:-1].sum()
            total += shares
            by_type[MODELS[r % 4]] += [f.per_row, *shares]
        by_record.append(
            {
                "record_id": f.record_id,
                "form_no": f"{f.number}/{80 + f.number % 15}",
                "recorded": f.rows * f.per_row,
                **dict(zip(FATES, total.tolist(), strict=True)),
            }
        )
    recorded = sum(r["recorded"] for r in by_record)
    six = {fate: float(sum(r[fate] for r in by_record)) for fate in FATES}
    return {
        "recorded": recorded,
        **six,
        "still_in_ground": {
            "median": round(0.74 * recorded),
            "interval": [round(0.55 * recorded), round(0.86 * recorded)],
            "level": 0.9,
        },
        "by_type": {m: dict(zip(("recorded", *FATES), v.tolist(), strict=True)) for m, v in by_type.items()},
        "by_record": by_record,
        "allocated": recorded - 40,
        "unallocated": 40,
    }


def make_measures(fields: list[Field]) -> list[dict[str, Any]]:
    n_finds = 38
    base = {"level": 0.9, "method": "beta-binomial posterior, clustered by record", "clusters": 7}

    def one(id_: str, name: str, value: Any, interval: Any, unit: str, definition: str, **more: Any) -> dict[str, Any]:
        return {
            "id": id_,
            "name": name,
            "scope": "all",
            "stage": "as_recorded",
            "value": value,
            "interval": interval,
            "unit": unit,
            "n": n_finds,
            "definition": definition,
            **base,
            **more,
        }

    return [
        one(
            "iso19157:3",
            "rate of excess items",
            0.31,
            [0.12, 0.55],
            "1",
            "1 - correctness: expected recorded devices on V that match no find / all expected on V",
        ),
        one(
            "iso19157:7",
            "rate of missing items",
            0.27,
            [0.16, 0.46],
            "1",
            "1 - completeness: finds on V that match no record / finds on V",
        ),
        one(
            "iso19157:7",
            "rate of missing items",
            0.23,
            [0.13, 0.41],
            "1",
            "1 - completeness: finds on V that match no record / finds on V",
            scope="series:A",
        ),
        one(
            "iso19157:4",
            "number of duplicate instances",
            1.0,
            [0.0, 1.0],
            "1",
            "records or symbols proposed as the same",
            method="count of proposals",
        ),
        one("iso19157:128", "bias of positions, east", 12.4, [7.0, 17.7], "m", "Mean east residual."),
        one("iso19157:128", "bias of positions, north", -8.1, [-13.9, -2.2], "m", "Mean north residual."),
        one("iso19157:47", "RMSE of planimetry", 24.6, [18.9, 33.0], "m", "the reference's own error removed"),
        one("iso19157:44", "CE90", 38.2, [29.0, 52.4], "m", "circular error, 90 %"),
        one("iso19157:45", "CE95", 44.9, [33.8, 62.0], "m", "circular error, 95 %"),
        one(
            "iso19157:49",
            "circular error 90 % of biased data",
            41.0,
            [31.2, 56.1],
            "m",
            "before re-anchoring",
        ),
        one(
            "iso19157:31",
            "rate of errors above 10 m",
            0.82,
            [0.66, 0.92],
            "1",
            "share of residuals above 10 m",
        ),
        one(
            "iso19157:31",
            "rate of errors above 50 m",
            0.06,
            [0.01, 0.17],
            "1",
            "share of residuals above 50 m",
        ),
        one(
            "iso19157:51",
            "confidence ellipse, semi-major axis",
            24.0,
            [17.1, 35.0],
            "m",
            "One-sigma ellipse.",
        ),
        one(
            "iso19157:51",
            "confidence ellipse, semi-minor axis",
            15.5,
            [11.0, 23.6],
            "m",
            "One-sigma ellipse.",
        ),
        one(
            "iso19157:51",
            "confidence ellipse, azimuth of the semi-major axis",
            None,
            None,
            "deg",
            "Azimuth.",
            reason="Not known: the errors show no direction, any azimuth is possible.",
        ),
        one(
            "iso19157:44",
            "CE90",
            None,
            None,
            "m",
            "circular error, 90 %",
            stage="re_anchored",
            n=0,
            reason="No record has been re-anchored in this version.",
        ),
    ]


def outside_entry(buffer: float, k: int, n: int, interval: list[float], known: int) -> dict[str, Any]:
    return {
        "buffer_m": buffer,
        "exposure_ratio": None,
        "value": k / n,
        "interval": interval,
        "level": 0.9,
        "numerator": k,
        "denominator": n,
        "n_not_located": 1,
        "n_without_footprint": 2,
        "stage": "as_recorded",
        "definition": "share of located events outside every footprint + buffer",
        "as_known_on_the_day": {
            "value": known / n,
            "interval": [min(known / n, i + 0.1) for i in interval[:1]] + [0.97],
            "numerator": known,
            "denominator": n,
        },
    }


def unknown_outside(reason: str, definition: str) -> dict[str, Any]:
    return {
        "buffer_m": 0.0,
        "exposure_ratio": None,
        "value": None,
        "interval": None,
        "level": 0.9,
        "numerator": None,
        "denominator": None,
        "n_not_located": 1,
        "n_without_footprint": 2,
        "stage": "as_recorded",
        "definition": definition,
        "reason": reason,
    }


def make_outside() -> dict[str, Any]:
    d1 = [
        outside_entry(0.0, 11, 15, [0.52, 0.88], 13),
        outside_entry(25.0, 10, 15, [0.45, 0.83], 12),
        outside_entry(100.0, 7, 15, [0.28, 0.67], 10),
        outside_entry(500.0, 0, 15, [0.0, 0.14], 3),
        outside_entry(1000.0, 0, 15, [0.0, 0.14], 1),
    ]
    d4 = {
        **outside_entry(0.0, 10, 38, [0.15, 0.44], 0),
        "definition": "share of devices found on V that match no record",
        "numerator": 10.3,
        "value": 10.3 / 38,
        "as_known_on_the_day": None,
    }
    return {
        "maps": "records",
        "D1": d1,
        "D2": [unknown_outside("Position error is not yet taken out in this version.", "D1 corrected")],
        "D3": [unknown_outside("The authority has not set an exposure band.", "D2 reweighted")],
        "D4": [d4],
    }


def make_claims() -> list[dict[str, Any]]:
    def reading(measure: str, value: float | None, interval: Any, verdict: str, reason: str) -> dict[str, Any]:
        return {
            "measure": measure,
            "value": value,
            "interval": interval,
            "verdict": verdict,
            "reason": reason,
        }

    return [
        {
            "claim_id": "c1",
            "speaker": "Party A, mine action agency",
            "date": "2022-09-20",
            "outlet": "press briefing",
            "text": "The maps that were handed over are 25 % accurate.",
            "subject": "records",
            "measure": "unspecified",
            "stated": {"value": 0.25, "bound": "about", "unit": "share"},
            "readings": [
                reading("correctness", 0.69, [0.45, 0.88], "not consistent", "25 % lies below the 90 % interval."),
                reading(
                    "share_of_forms_located",
                    0.31,
                    [0.14, 0.53],
                    "consistent",
                    "25 % lies inside the 90 % interval.",
                ),
                reading(
                    "share_within_25_m",
                    None,
                    None,
                    "cannot be tested",
                    "Devices of fewer than three records could be matched.",
                ),
            ],
        },
        {
            "claim_id": "c2",
            "speaker": "Party B, ministry",
            "date": "2023-11-02",
            "outlet": "statement",
            "text": "All known records have been handed over.",
            "subject": "records",
            "measure": "completeness",
            "stated": {"value": 1.0, "bound": "exactly", "unit": "share"},
            "readings": [
                reading(
                    "completeness",
                    0.73,
                    [0.54, 0.84],
                    "not consistent",
                    "100 % lies above the 90 % interval.",
                )
            ],
        },
        {
            "claim_id": "c3",
            "speaker": "Party A, mine action agency",
            "date": "2023-04-04",
            "outlet": "interview",
            "text": "More than 55 % of recent explosions were outside the maps.",
            "subject": "explosions",
            "measure": "D1",
            "stated": {"value": 0.55, "bound": "more_than", "unit": "share"},
            "readings": [
                reading("D1@0", 11 / 15, [0.52, 0.88], "consistent", "The interval reaches above 55 %."),
                reading("D1@500", 0.0, [0.0, 0.14], "not consistent", "The whole interval lies below 55 %."),
            ],
        },
    ]


def make_doubts(fields: list[Field]) -> list[dict[str, Any]]:
    doubts = [
        {
            "id": "SF-R012",
            "severity": "warning",
            "found": "Ам 15-40",
            "record_id": f.record_id,
            "where": {"file": "records/forms.yaml", "sheet": None, "row": None, "column": "legs[0].bearing"},
            "reason": "The form does not say whether the circle has 6000 or 6400 mils.",
            "advice": "Look for another leg on the form, or ask which aiming circle was used.",
        }
        for f in fields
        if f.number % 2
    ]
    doubts.append(
        {
            "id": "SF-R020",
            "severity": "error",
            "found": "<script>alert(1)</script>",
            "record_id": "rec-001",
            "where": {"file": "finds.csv", "sheet": None, "row": 7, "column": "sigma_m"},
            "reason": "The accuracy of the position is not stated.",
            "advice": "Write down how the position was taken.",
        }
    )
    return doubts


def make_document(rng: np.random.Generator, fields: list[Field], *, simulated: bool) -> dict[str, Any]:
    doubts = make_doubts(fields)
    return {
        "schema": "surefoot/assessment-1",
        "case": "Steppe district <pilot>",
        "simulated": simulated,
        "as_of": "2024-06-30",
        "version": "0.1.0",
        "seed": 0,
        "stage": "as_recorded",
        "crs": "EPSG:32638",
        "inputs": [
            {"path": "case.toml", "sha256": "a" * 64},
            {"path": "records/forms.yaml", "sha256": "b" * 64},
            {"path": "finds.csv", "sha256": "0123456789abcdef" * 4},
        ],
        "tables": [
            {
                "kind": "records",
                "file": "records/forms.yaml",
                "rows_in": len(fields),
                "accepted": len(fields) - 4,
                "accepted_with_doubts": 4,
                "set_aside": 0,
            },
            {
                "kind": "finds",
                "file": "finds.csv",
                "rows_in": 41,
                "accepted": 37,
                "accepted_with_doubts": 1,
                "set_aside": 3,
            },
            {
                "kind": "accidents",
                "file": "accidents.csv",
                "rows_in": 16,
                "accepted": 16,
                "accepted_with_doubts": 0,
                "set_aside": 0,
            },
        ],
        "measures": make_measures(fields),
        "outside": make_outside(),
        "records": [
            {
                "record_id": f.record_id,
                "series": "A" if f.number % 2 else "B",
                "finds": 3 if f.number % 2 else 0,
                "placements": [
                    {
                        "weight": 0.7,
                        "pivot": None,
                        "shift_east_m": 0.0,
                        "shift_north_m": 0.0,
                        "turn_deg": 0.0,
                        "scale": 1.0,
                        "cov": None,
                        "hypotheses": {"north": "magnetic"},
                    }
                ],
                "evidence_class": "direct" if f.number % 2 else "none",
                "reasons": [],
            }
            for f in fields
        ],
        "form_quality": [form_quality(f, doubts) for f in fields],
        "duplicates": [
            {
                "kind": "records",
                "a": "rec-003",
                "b": "rec-009",
                "distance_m": 4.2,
                "reason": "Same form number and overlapping ground.",
            }
        ],
        "ledger": make_ledger(rng, fields),
        "total": {
            "curve": [
                {"odds_ratio": o, "total": t, "interval": [t * 0.8, t * 1.3]}
                for o, t in ((0.5, 3400.0), (1.0, 2600.0), (2.0, 2250.0), (3.0, 2100.0))
            ],
            "integrated": {"total": 2600.0, "interval": [1900.0, 4100.0], "level": 0.9},
        },
        "claims": make_claims(),
        "priorities": [],
        "set_aside": [
            {
                "id": "SF-R031",
                "where": {"file": "finds.csv", "sheet": None, "row": row, "column": "position"},
                "found": "39-59",
                "reason": "The position cannot be read.",
                "advice": "Give longitude and latitude, or easting and northing with their grid.",
            }
            for row in (11, 12, 30)
        ],
        "doubts": doubts,
    }


def form_quality(f: Field, doubts: list[dict[str, Any]]) -> dict[str, Any]:
    known = f.number % 4
    return {
        "record_id": f.record_id,
        "form_no": f"{f.number}/{80 + f.number % 15}",
        "family": "formulyar" if f.number % 3 else "zapisnik",
        "series": "A" if f.number % 2 else "B",
        "laid": "1993-07-12" if known else None,
        "locatability": f.number % 3,
        "completeness_score": 0.5 + 0.1 * known,
        "completeness_items": {
            "two_reference_points": bool(known),
            "types": True,
            "numbers": f.number % 2 == 0,
            "booby_traps_singly": None,
        },
        "recorded": f.rows * f.per_row,
        "readings": 1 + f.number % 4,
        "sigma_m": f.sigma,
        "doubts": sum(d["record_id"] == f.record_id for d in doubts),
    }


def build(n_records: int = 16, *, simulated: bool = True) -> StandIn:
    rng = np.random.default_rng(7)
    fields = make_fields(rng, n_records)
    layers = make_layers(rng, fields)
    return StandIn(make_document(rng, fields, simulated=simulated), layers)


def build_empty() -> StandIn:
    """An assessment of a case in which almost nothing is known."""
    nothing = {"value": None, "interval": None, "reason": "No find on verified ground."}
    document = {
        "schema": "surefoot/assessment-1",
        "case": "Empty",
        "simulated": False,
        "as_of": None,
        "version": "0.1.0",
        "seed": 0,
        "stage": "as_recorded",
        "crs": "EPSG:32638",
        "inputs": [],
        "tables": [],
        "measures": [],
        "outside": {d: [{**unknown_outside(nothing["reason"], d)}] for d in ("D1", "D2", "D3", "D4")},
        "records": [],
        "form_quality": [],
        "duplicates": [],
        "ledger": {
            "recorded": 0,
            **dict.fromkeys(FATES, 0),
            "by_type": {},
            "by_record": [],
            "still_in_ground": {"median": None, "interval": None, "level": 0.9, "reason": "No records."},
            "allocated": 0,
            "unallocated": 0,
        },
        "total": {"curve": [], "integrated": None, "reason": "No find on verified ground."},
        "claims": [],
        "priorities": [],
        "set_aside": [],
        "doubts": [],
    }
    return StandIn(document, {})


@pytest.fixture(scope="session")
def assessment() -> StandIn:
    return build()


@pytest.fixture(scope="session")
def empty_assessment() -> StandIn:
    return build_empty()


@pytest.fixture(scope="session")
def build_standin() -> Callable[..., StandIn]:
    """Make a stand-in of another size, or one that is not simulated."""
    return build


@pytest.fixture(scope="session")
def with_document() -> Callable[..., StandIn]:
    """The same layers with some keys of the document changed."""

    def change(base: StandIn, **changes: Any) -> StandIn:
        return StandIn({**base.document, **changes}, base.layers)

    return change


@pytest.fixture(scope="session")
def with_layer() -> Callable[..., StandIn]:
    """The same document with one layer replaced."""

    def change(base: StandIn, name: str, geometry: Any, columns: Mapping[str, Any]) -> StandIn:
        return StandIn(base.document, {**base.layers, name: StandInLayer(name, geometry, columns)})

    return change
