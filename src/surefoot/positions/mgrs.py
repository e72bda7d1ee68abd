"""The Military Grid Reference System on WGS 84, between 80 south and 84 north.

Letters by NGA.STND.0037 (universal grids): columns repeat every three zones, rows every 2,000 km.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pyproj import Transformer

from surefoot.errors import InputError
from surefoot.positions.glyphs import latin_twins, plain
from surefoot.positions.zones import utm_crs, utm_zone_of

_BANDS = "CDEFGHJKLMNPQRSTUVWX"
_COLUMNS = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")
_ROWS = "ABCDEFGHJKLMNPQRSTUV"
_LETTER = "A-HJ-NP-Z"
_PATTERN = re.compile(rf"(\d{{1,2}})([C-HJ-NP-X])([{_LETTER}])([{_LETTER}])(\d*)")
# A square of 100 km may reach over the edge of its band: 1.6 degrees of latitude and a little.
_BAND_SLACK_DEG = 1.7


def mgrs_to_utm(text: str) -> tuple[int, bool, float, float, float]:
    """Return (zone, north, easting, northing, quantum) of the CENTRE of the cell that is written, metres.

    "38S PK 647 284" is a cell of 100 m: its centre and ``quantum_m`` = 100.

    Raises
    ------
    InputError
        SF-P011 no MGRS reference, or letters that do not belong together.
    """
    compact = re.sub(r"[ \-.:,/]", "", latin_twins(plain(text))).upper()
    match = _PATTERN.fullmatch(compact)
    if match is None or len(match[5]) % 2 or len(match[5]) > 10:
        raise InputError("SF-P011", text)
    zone, band, digits = int(match[1]), match[2], match[5]
    columns = _COLUMNS[zone % 3]
    if not 1 <= zone <= 60 or match[3] not in columns or match[4] not in _ROWS:
        raise InputError("SF-P011", text)
    half = len(digits) // 2
    quantum = 100_000.0 / 10**half
    east = int(digits[:half] or 0) * quantum + quantum / 2
    up = int(digits[half:] or 0) * quantum + quantum / 2
    easting = 100_000.0 * (columns.index(match[3]) + 1) + east
    row = (_ROWS.index(match[4]) - (0 if zone % 2 else 5)) % 20
    northing = _northing_in_band(text, zone, band, easting, 100_000.0 * row + up)
    return zone, band >= "N", easting, northing, quantum


def _northing_in_band(text: str, zone: int, band: str, easting: float, within: float) -> float:
    """Return the northing that lies in the latitude band, among those 2,000 km apart."""
    south = -80.0 + 8.0 * _BANDS.index(band)
    north = 84.0 if band == "X" else south + 8.0
    for northing in (within + 2_000_000.0 * k for k in range(5)):
        _, latitude = _from_utm(zone, band >= "N").transform(easting, northing)
        if south - _BAND_SLACK_DEG <= latitude <= north + _BAND_SLACK_DEG:
            return northing
    raise InputError("SF-P011", text)


def utm_to_mgrs(text: str, zone: int, band: str, easting: float, northing: float) -> str:
    """Return the reference, to one metre, of a place given by UTM zone, latitude band, easting and northing.

    An N that cannot be the band (0 to 8 degrees north) is the northern half of the globe.

    Raises
    ------
    InputError
        SF-P011 no such zone, or the northing is not in the band.
    """
    if not 1 <= zone <= 60 or not 100_000.0 <= easting < 900_000.0 or not 0.0 <= northing < 10_000_000.0:
        raise InputError("SF-P011", text)
    column = _COLUMNS[zone % 3][int(easting) // 100_000 - 1]
    row = _ROWS[(int(northing) // 100_000 + (0 if zone % 2 else 5)) % 20]
    square = f"{column}{row} {int(easting) % 100_000:05d} {int(northing) % 100_000:05d}"
    for letter in _BANDS[_BANDS.index("N") :] if band == "N" else band:
        try:
            found = mgrs_to_utm(f"{zone}{letter} {square}")[3]
        except InputError:  # the northing is never in this band
            continue
        if abs(found - northing) <= 1.0:
            return f"{zone}{letter} {square}"
    raise InputError("SF-P011", text)


def lonlat_to_mgrs(longitude: float, latitude: float, digits: int = 5) -> str:
    """Return the reference of a WGS 84 place, "38S PK 64770 28430"; `digits` per axis, 0 to 5.

    Digits are cut off, not rounded: a reference names the cell the place lies in.

    Raises
    ------
    InputError
        SF-P011 outside 80 south to 84 north, or another number of digits.
    """
    if not (-80.0 <= latitude <= 84.0 and -180.0 <= longitude <= 180.0 and 0 <= digits <= 5):
        raise InputError("SF-P011", f"{latitude}, {longitude}")
    zone, is_north = utm_zone_of(longitude, latitude)
    easting, northing = _from_utm(zone, is_north).transform(longitude, latitude, direction="INVERSE")
    # 1e-6 m: a cell's corner that came back from a projection still belongs to its cell.
    east, up = int(easting + 1e-6), int(northing + 1e-6)
    column = _COLUMNS[zone % 3][east // 100_000 - 1]
    row = _ROWS[(up // 100_000 + (0 if zone % 2 else 5)) % 20]
    band = _BANDS[min(int((latitude + 80.0) // 8.0), 19)]
    numbers = f" {east % 100_000:05d}"[: digits + 1] + f" {up % 100_000:05d}"[: digits + 1]
    return f"{zone}{band} {column}{row}{numbers if digits else ''}"


@lru_cache(maxsize=128)
def _from_utm(zone: int, is_north: bool) -> Transformer:
    return Transformer.from_crs(utm_crs(zone, is_north), "EPSG:4326", always_xy=True)
