"""Grid zones: as the forms name them, their CRS codes, the turn of their north, the ranges of coordinates."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from pyproj import CRS, Proj
from pyproj.exceptions import CRSError

from surefoot.errors import InputError, PositionError
from surefoot.positions.glyphs import latin_twins, plain
from surefoot.positions.statements import CrsStatement

Floats = npt.NDArray[np.float64]

# Half width of a zone as far as its coordinates are used, overlap included: 3.5 degrees at the equator.
_EASTING_REACH_M = 390_000.0
_FALSE_EASTING_M = 500_000.0
_GEOGRAPHIC_CRS = {
    "SK-42": "EPSG:4284",
    "SK-95": "EPSG:4200",
    "CS63": "EPSG:4284",
    "WGS84": "EPSG:4326",
    "ED50": "EPSG:4230",
    "MGI1901": "EPSG:3906",
    "MGI": "EPSG:4312",
}
CS63_ZONES = (
    {f"A{n}": 2934 + n for n in (1, 2, 3, 4)}
    | {f"K{n}": 2937 + n for n in (2, 3, 4)}
    | {f"C{n}": 3350 + n for n in (0, 1, 2)}
    | {f"X{n}": 7824 + n for n in (1, 2, 3, 4, 5, 6, 7)}
)

_DATUMS: tuple[tuple[str, str], ...] = (
    ("WGS72", r"w\.?g\.?s[ -]?(?:19)?72"),
    ("PZ-90", r"(?<!\w)(?:пз|pz|рz)[ -]?(?:19)?90"),
    ("GSK-2011", r"(?<!\w)(?:гск|gsk)[ -]?2011"),
    ("NAD83", r"\bnad[ -]?(?:19)?83"),
    ("NAD27", r"\bnad[ -]?(?:19)?27"),
    ("Indian", r"\bindian(?: datum)?\b"),
    ("Clarke 1880", r"\bclarke\b|кларк|\barc[ -]?19\d\d"),
    ("Everest", r"\beverest\b|эверест"),
    ("CS63", r"(?<!\w)[сc][кks][ -]?(?:19)?63(?!\d)|(?<!\w)sk[ -]?(?:19)?63|63[ -]?(?:го|й) год"),
    ("SK-95", r"(?<!\w)(?:ск|sk|ck|сk)[ -]?(?:19)?95(?!\d)|pulkovo 1995|пулково[ -]*(?:19)?95"),
    (
        "SK-42",
        r"(?<!\w)(?:ск|sk|ck|сk|cк|s|с|система|system)[ -]?(?:19)?42(?!\d)"
        r"|пулков|pulkovo|красовск|krassow?sk|1942 ?г",
    ),
    ("WGS84", r"w\.?g\.?s[ -]?(?:19)?84|вгс[ -]?(?:19)?84|wgs\b|\bgps\b|мгс"),
    ("ED50", r"\bed[ -]?(?:19)?50|european datum(?: 19)?50"),
    (
        "MGI1901",
        r"mgi[ /-]*1901|hermannskogel|херманскогел|\bd[ -]?48\b|\bjna\b|\bјна\b|\bjugosl\w*"
        r"|\bдкс\b|drž\w* koord|balkan",
    ),
    ("MSK", r"(?<!\w)мск(?:[ -]?\d+)?(?!\w)"),
    ("MGI", r"\bmgi\b|\bbessel\b|бессел"),
)
_THREE = re.compile(
    r"(?<!\d)3 ?[-°]? ?(?:градус\w*|град\.?|deg\w*|х|x|ех|°|stepen\w*|ти\b)"
    r"|трехградус|трёхградус|three[- ]degree"
)
_GAUSS = re.compile(r"гаус|gau(?:ss|ß|s)|(?<!\w)гк(?!\w)|(?<!\w)gk(?!\w)|kr(?:ü|ue|u|i)ger|крюгер|кригер")
_ZONE_FIRST = re.compile(r"(?:зон[аыеу]|zon[eaiu]|(?<!\w)[zз]|(?<!\w)гк|(?<!\w)gk)[ .:№#\-=]*(\d{1,2})(?!\d)")
_ZONE_LAST = re.compile(r"(?<!\d)(\d{1,2})[ .\-]*(?:я|ая|й|th)?[ .\-]*(?:зон[аыеу]|zon[ea])")
_CS63 = re.compile(r"(?<!\w)([ackx])[ -]?(\d)(?!\d)")
_MERIDIAN = re.compile(
    r"(?:осев\w* меридиан\w*|центр\w* меридиан\w*|(?<!\w)[цо]\.? ?м\.?|central meridian|\bcm\b)"
    r"[ =:]*(\d{1,3})(?!\d)"
)
_UTM = re.compile(r"(?:utm|утм)[ .:\-]*(?:зон[аы]|zon[ea]|z\b)?[ .:№#\-]*(\d{1,2})? ?([c-hj-np-x](?![a-zа-я]))?")
_GEOGRAPHIC_WORDS = re.compile(r"географ|geograph|geograf|широт|долгот|lat\w*[ /,]*lon|градус|degrees|dms")
_OWN_ZERO = re.compile(
    r"\blocal (?:metres|meters|grid|system)|^local$|местн\w*|условн\w*|lokaln\w*|локалн\w*|arbitrary"
)
_SOUTH = re.compile(r"\bsouth|южн|\bjug\b|полушарие юж")


def gauss_kruger_crs(zone: int, *, width_deg: int = 6, prefixed: bool = True, datum: str = "SK-42") -> str:
    """Return the EPSG code of a Gauss-Krueger zone (axes are always used as easting, northing).

    Parameters
    ----------
    zone
        Number of the zone; for CS63 that of the zones A1-A4 of the South Caucasus.
    width_deg
        6 or 3 degrees (SK-42 only; MGI 1901 and CS63 have 3-degree zones only).
    prefixed
        Whether eastings carry the zone number (8,500,000) or not (500,000).
    datum
        "SK-42", "SK-95", "CS63" or "MGI1901".

    Raises
    ------
    PositionError
        SF-P050 the EPSG database has no such zone.
    """
    number = _zone_code(zone, width_deg, prefixed, datum)
    if number is None:
        raise PositionError("SF-P050", str(zone), datum=datum, width_deg=width_deg)
    return f"EPSG:{number}"


def _zone_code(zone: int, width_deg: int, prefixed: bool, datum: str) -> int | None:
    if datum == "MGI1901":
        return 3902 + zone if 5 <= zone <= 8 and prefixed else None
    if datum == "CS63":
        return CS63_ZONES.get(f"A{zone}") if prefixed else None
    if datum == "SK-95" and width_deg == 6:
        return (20000 if prefixed else 20060) + zone if 4 <= zone <= 32 else None
    if datum != "SK-42":
        return None
    if width_deg == 6:
        return (28400 if prefixed else 28460) + zone if 2 <= zone <= 32 else None
    if width_deg == 3 and 7 <= zone <= 64:
        return _three_degree_code(zone, prefixed)
    return None


def _three_degree_code(zone: int, prefixed: bool) -> int:
    if prefixed:
        if zone == 60:
            return 3389
        return (2516 if zone <= 33 else 2517) + zone
    return (2575 if zone <= 24 else 2576) + zone


def geographic_crs(datum: str) -> str | None:
    """Return the geographic CRS of a datum as named in `CrsStatement`, None for a datum not known here."""
    return _GEOGRAPHIC_CRS.get(datum)


def utm_crs(zone: int, north: bool = True) -> str:
    """Return the EPSG code of a WGS 84 UTM zone.

    Raises
    ------
    PositionError
        SF-P050 no such zone.
    """
    if not 1 <= zone <= 60:
        raise PositionError("SF-P050", str(zone), datum="WGS84", width_deg=6)
    return f"EPSG:{(32600 if north else 32700) + zone}"


def utm_zone_of(longitude: float, latitude: float) -> tuple[int, bool]:
    """Return (zone, whether in the north) of a place, without the exceptions of Norway and Svalbard."""
    wrapped = (longitude + 180.0) % 360.0
    return min(int(wrapped // 6.0) + 1, 60), latitude >= 0.0


def gauss_kruger_zone_of(longitude: float) -> int:
    """Return the 6-degree Gauss-Krueger zone of a longitude (zone 1 begins at Greenwich)."""
    return min(int((longitude % 360.0) // 6.0) + 1, 60)


def zones_meeting(west: float, east: float, *, width_deg: int = 6, datum: str = "SK-42") -> set[int]:
    """Return the Gauss-Krueger zones of a datum that reach between two longitudes, by the zones' own edges.

    Empty for CS63, whose zones are not counted from Greenwich. The zones of MGI 1901 are 3 degrees wide.
    """
    width = 3 if datum == "MGI1901" else width_deg
    middle = 0.0 if width == 3 else 3.0
    return {
        zone
        for zone in range(1, 65)
        if west < zone * width - middle + width / 2 and east > zone * width - middle - width / 2
        and datum != "CS63" and _zone_code(zone, width_deg, True, datum) is not None
    }  # fmt: skip


def convergence_deg(crs: str, longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> Floats:
    """Return the grid convergence, degrees: how far grid north is turned clockwise from true north.

    ``grid bearing = true bearing - convergence``. Zero for a geographic CRS.

    Parameters
    ----------
    crs
        A projected CRS, such as "EPSG:28408".
    longitude, latitude
        Degrees, arrays that broadcast, on the CRS's datum or a close one: a hundred metres change the
        convergence by less than 0.001 degree.

    Raises
    ------
    PositionError
        SF-P002 unknown CRS, SF-P006 a projection that PROJ cannot compute.
    """
    lon, lat = np.broadcast_arrays(np.asarray(longitude, dtype=np.float64), np.asarray(latitude, dtype=np.float64))
    projection = _projection(crs)
    if projection is None:
        return np.zeros(lon.shape)
    factors = projection.get_factors(lon, lat)
    turn = np.asarray(factors.meridian_convergence, dtype=np.float64).reshape(lon.shape)
    if not np.isfinite(turn[np.isfinite(lon) & np.isfinite(lat)]).all():
        raise PositionError("SF-P003", crs, first=float(lon.flat[0]), second=float(lat.flat[0]))
    return turn


@lru_cache(maxsize=256)
def _projection(crs: str) -> Proj | None:
    try:
        definition = CRS.from_user_input(crs)
        return None if definition.is_geographic else Proj(definition)
    except CRSError as error:
        raise PositionError("SF-P002", crs) from error


def utm_swap_by_range(northing: float, easting: float) -> tuple[float, float, bool] | None:
    """Return UTM (northing, easting, swapped): exchanged where only the exchange can be a place; None where neither."""
    for north, east, swapped in ((northing, easting, False), (easting, northing, True)):
        if 0.0 <= north <= 10_000_000.0 and abs(east - _FALSE_EASTING_M) <= _EASTING_REACH_M:
            return north, east, swapped
    return None


def zone_from_easting(easting: float) -> int | None:
    """Return the zone in front of a seven- or eight-digit Gauss-Krueger easting, None if it has none."""
    zone, within = divmod(easting, 1_000_000.0)
    if 1.0 <= zone <= 64.0 and abs(within - _FALSE_EASTING_M) <= _EASTING_REACH_M:
        return int(zone)
    return None


def plausible_plane(northing: float, easting: float) -> bool:
    """Whether the two numbers can be northing and easting of a Gauss-Krueger or UTM place.

    A prefixed easting belongs to a zone; Gauss-Krueger grids were used between 10 and 72 degrees north, and
    beyond 60 degrees north only from zone 6 eastwards.
    """
    if not 0.0 <= northing <= 10_000_000.0:
        return False
    if easting < 1_000_000.0:
        return abs(easting - _FALSE_EASTING_M) <= _EASTING_REACH_M
    zone = zone_from_easting(easting)
    if zone is None or not 1_100_000.0 <= northing <= 8_000_000.0:
        return False
    return northing <= 6_700_000.0 or zone >= 6


def swap_by_range(northing: float, easting: float) -> tuple[float, float, bool]:
    """Return (northing, easting, swapped): exchanged where only the exchange can be a place.

    Shortened numbers, and pairs that are a place either way, are returned as they are.
    """
    if not plausible_plane(northing, easting) and plausible_plane(easting, northing):
        return easting, northing, True
    return northing, easting, False


def parse_crs(text: str) -> CrsStatement:
    """Read a coordinate system as written: "СК-42 зона 8", "UTM 38 WGS84", "Gauss-Krüger zona 6".

    Returns
    -------
    CrsStatement
        `epsg` only where the words decide it. "UTM 38S" does not: the letter may be the southern half or the
        MGRS band of 32-40 degrees north, so `epsg` stays None there. "Gauss-Krüger zona 5-8" without a datum
        is the Yugoslav grid (MGI 1901). Words that say nothing give an empty statement.

    Raises
    ------
    InputError
        SF-P002 an EPSG code that does not exist.
    """
    low = plain(text).casefold()
    code = re.search(r"epsg\D{0,4}(\d{4,6})", low) or re.fullmatch(r"(\d{4,5})", low)
    if code:
        return _by_code(text, f"EPSG:{code[1]}")
    if _OWN_ZERO.search(low):
        return CrsStatement(text, "", "local", None)
    datum = next((name for name, pattern in _DATUMS if re.search(pattern, low)), "")
    utm = _UTM.search(low)
    if utm:
        return _utm(text, low, datum, utm)
    if re.search(r"mgrs|мгрс", low):
        return CrsStatement(text, datum or "WGS84", "mgrs", None)
    if datum == "CS63":
        return _cs63(text, low)
    gauss = _gauss_kruger(text, low, datum)
    if gauss is not None:
        return gauss
    if _GEOGRAPHIC_WORDS.search(low):
        return CrsStatement(text, datum, "geographic", None, epsg=geographic_crs(datum))
    return CrsStatement(text, datum, "", None)


@lru_cache(maxsize=256)
def _by_code(raw: str, code: str) -> CrsStatement:
    try:
        crs = CRS.from_user_input(code)
    except CRSError as error:
        raise InputError("SF-P002", raw) from error
    base = ":".join((crs.geodetic_crs and crs.geodetic_crs.to_authority()) or ("", ""))
    datum = next((d for d in ("SK-42", "SK-95", "WGS84", "ED50", "MGI1901", "MGI") if geographic_crs(d) == base), "")
    if crs.is_geographic:
        return CrsStatement(raw, datum, "geographic", None, epsg=code)
    projection = "utm" if crs.utm_zone else _gauss_word(crs.name)
    zone = re.search(r"(?:zone |Kruger |UTM zone )(\d{1,2})", crs.name)
    south = (crs.utm_zone or "").endswith("S")
    return CrsStatement(raw, datum, projection, int(zone[1]) if zone else None, not south, code)


def _gauss_word(name: str) -> str:
    if "3-degree" in name or "CS63" in name:
        return "gauss_kruger_3"
    return "gauss_kruger" if "Gauss-Kruger" in name or "Balkans" in name else ""


def _utm(text: str, low: str, datum: str, match: re.Match[str]) -> CrsStatement:
    zone = int(match[1]) if match[1] else None
    if zone is None:
        zone = _zone(low, three=False)
    if zone is not None and not 1 <= zone <= 60:
        return CrsStatement(text, datum, "utm", None)
    letter = match[2] or ""
    south = bool(_SOUTH.search(low)) or (bool(letter) and letter < "n") or letter == "s"
    undecided = letter == "s" and not _SOUTH.search(low)
    epsg = None
    if zone is not None and not undecided:
        epsg = _utm_code(zone, datum, not south)
    return CrsStatement(text, datum, "utm", zone, None if undecided else not south, epsg)


def _utm_code(zone: int, datum: str, north: bool) -> str | None:
    if datum == "WGS84":
        return utm_crs(zone, north)
    if datum == "ED50" and north and 28 <= zone <= 38:
        return f"EPSG:{23000 + zone}"
    return None


def _cs63(text: str, low: str) -> CrsStatement:
    match = _CS63.search(latin_twins(low))
    if match:
        name = f"{match[1].upper()}{match[2]}"
        code = CS63_ZONES.get(name)
        return CrsStatement(text, "CS63", "gauss_kruger_3", int(match[2]), epsg=f"EPSG:{code}" if code else None)
    zone = _zone(low, three=True)
    # "zone 3" alone may be A3, K3 or X3.
    return CrsStatement(text, "CS63", "gauss_kruger_3", zone)


def _gauss_kruger(text: str, low: str, datum: str) -> CrsStatement | None:
    three = bool(_THREE.search(low))
    zone = _zone(low, three)
    if zone is None and not three and not _GAUSS.search(low):
        return None
    if datum == "WGS84":
        return CrsStatement(text, datum, "gauss_kruger" if _GAUSS.search(low) else "utm", zone)
    if datum in ("", "MGI") and _yugoslav(low, zone):
        datum = "MGI1901"
    projection = "gauss_kruger_3" if three else "gauss_kruger"
    epsg = None
    if zone is not None and datum:
        try:
            epsg = gauss_kruger_crs(zone, width_deg=3 if three else 6, datum=datum)
        except PositionError:
            epsg = None
    return CrsStatement(text, datum, projection, zone, epsg=epsg)


def _zone(low: str, three: bool) -> int | None:
    match = _ZONE_FIRST.search(low) or _ZONE_LAST.search(low)
    if match:
        zone = int(match[1])
        return zone if 1 <= zone <= 64 else None
    meridian = _MERIDIAN.search(low)
    if meridian and int(meridian[1]) % 3 == 0:
        degrees = int(meridian[1])
        if three or degrees % 6 == 0:
            return degrees // 3
        return (degrees + 3) // 6
    return None


def _yugoslav(low: str, zone: int | None) -> bool:
    """Whether the words are those of a Yugoslav map: zones 5-8, "zona", "Krüger" or "Кригер"."""
    if zone is None or not 5 <= zone <= 8 or not (_GAUSS.search(low) or re.search(r"\bmgi\b|bessel|бессел", low)):
        return False
    south_slavic = re.search(r"\bzon[aiu]\b|кригер|\bmgi\b", low) is not None
    # English "zone 8" is Armenia and Azerbaijan; 5, 6 and 7 in Latin letters are Yugoslavia.
    return south_slavic or (re.search(r"\bzone\b", low) is not None and zone <= 7)
