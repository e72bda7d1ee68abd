"""Coordinates as forms write them: plane, geographic, MGRS, grid square or local metres."""

from __future__ import annotations

import re
from dataclasses import replace

from surefoot.errors import InputError
from surefoot.positions.abbreviated import expand_abbreviated
from surefoot.positions.angles import parse_geographic
from surefoot.positions.glyphs import latin_twins, plain
from surefoot.positions.mgrs import mgrs_to_utm, utm_to_mgrs
from surefoot.positions.statements import CoordinateStatement
from surefoot.positions.zones import plausible_plane, swap_by_range

__all__ = ["expand_abbreviated", "parse_coordinate", "parse_local", "swap_by_range"]

_NUMBER = (
    r"[-+]?\d{1,3}(?:\.\d{3}){2}(?:,\d+)?|[-+]?\d{1,3}(?:,\d{3}){2}(?:\.\d+)?|[-+]?\d{1,3}(?: \d{3})+(?:[.,]\d+)?"
    r"|[-+]?\d+(?:[.,]\d+)?"
)
_METRES = r"(?: ?(?P<{0}>км|km|м|m)\b\.?)?"
_NORTH = r"x|n(?:orthing)?|север\w*|сев\.?"
_EAST = r"y|e(?:asting)?|восток\w*|вост\.?"
_HEIGHT = re.compile(r"[ ,;]+(?:h|z|n?adm|выс\w*|alt\w*|height|elev\w*) ?[=:.]? ?-?\d+(?:[.,]\d+)? ?(?:м|m)?\.?$")
_BEFORE = re.compile(
    rf"(?P<la>{_NORTH}|{_EAST}) ?[=:.]{{0,2}} ?(?P<a>{_NUMBER}){_METRES.format('ua')}"
    rf"[ ,;/]*(?P<lb>{_NORTH}|{_EAST}) ?[=:.]{{0,2}} ?(?P<b>{_NUMBER}){_METRES.format('ub')}"
)
_AFTER = re.compile(r"(?P<a>\d{5,8}(?:[.,]\d+)?) ?m?(?P<la>n|e)[ ,;/]+(?P<b>\d{5,8}(?:[.,]\d+)?) ?m?(?P<lb>n|e)")
_BARE = re.compile(
    r"(?P<a>\d{1,2}(?:\.\d{3}){2}|\d{1,2} \d{3} \d{3}|\d{3} \d{3}|\d{4,8}(?:\.\d+)?|\d{4,8},\d{1,3}(?!\d))"
    r"(?: ?[;/] ?|, ?| )"
    r"(?P<b>\d{1,2}(?:\.\d{3}){2}|\d{1,2} \d{3} \d{3}|\d{3} \d{3}|\d{4,8}(?:[.,]\d+)?) ?(?:м|m)?\.?"
)
_SQUARE_WORD = re.compile(
    r"(?:кв(?:адрат\w*|\.)?|sq(?:uare|\.)?|kv(?:adrat\w*|\.)?|grid(?: square)?|քառակուս\w*)[ .:№]*"
    r"(\d{2})[ \-]?(\d{2})(?!\d)(.*)"
)
_SQUARE_BARE = re.compile(r"(\d{2})(\d{2})((?:[ ]?[\-/][ ]?[1-9абвг]| ?[абвг])?)")
_SQUARE_PART = re.compile(
    r"[ \-/,.]*(?:ул(?:итк\w*|\.)?|по улитке|snail|клетк\w*|поле|field|ч(?:асть|\.)?)?[ \-/.:№]*([1-9абвг])?"
)
_LOCAL = re.compile(
    r"\( ?([-+]?\d+(?:[.,]\d+)?) ?(?:м|m)? ?[,;] ?([-+]?\d+(?:[.,]\d+)?) ?(?:м|m)? ?\)(?: ?(?:м|m)\.?)?"
)
_INTRODUCTION = re.compile(r"^(?:координат\w*|coord\w*|koordinat\w*|կոորդինատ\w*|position|позиция) ?[:=.\-]* ?")
_SIDE = rf"(?:(?P<l{{0}}>{_NORTH}|{_EAST}) ?[=:.]{{{{0,2}}}} ?)?(?P<{{0}}>[-+]?\d+(?:[.,]\d+)?) ?(?:м|m)?\.?"
_LOCAL_PAIR = re.compile(rf"\(? ?{_SIDE.format('a')}(?: ?[,;/] ?| ){_SIDE.format('b')} ?\)?")
_UTM_BAND = re.compile(
    r"(?:utm ?:? ?)?(?P<zone>\d{1,2}) ?(?P<band>[c-hj-np-x])[ ,;:]+"
    r"(?:e ?[=:]? ?)?(?P<east>\d{6}(?:\.\d+)?) ?(?:m?e)?[ ,;/]+"
    r"(?:n ?[=:]? ?)?(?P<north>\d{6,7}(?:\.\d+)?) ?(?:m?n)?"
)
_MGRS = re.compile(r"(?:mgrs ?:? ?)?(\d{1,2} ?[c-hj-np-x] ?[a-hj-np-z]{2}(?:[ \-]?\d[\d ]*)?)")


def parse_coordinate(text: str) -> CoordinateStatement:
    """Read a coordinate as written, without deciding the coordinate system.

    Returns
    -------
    CoordinateStatement
        ``plane``: X is north, Y is east, as on Soviet and Yugoslav forms. Labelled numbers are kept as
        labelled, even if only the exchange can be a place: the exchange is then the first alternative.
        Numbers without labels are put in the order that their ranges allow, X first where both do.
        ``geographic``: latitude first unless letters or ranges say otherwise; "39.5924 / 46.5548" is decimal,
        with degrees-minutes-seconds as alternative. ``mgrs``, ``square`` (with snail field; a quarter letter
        stays behind the number) and ``local`` "(east, north)".

    Raises
    ------
    InputError
        SF-P010 no coordinate; SF-P011 letters of an MGRS reference that do not belong together.
    """
    low = _HEIGHT.sub("", plain(text).casefold()).strip(" .;,")
    low = _INTRODUCTION.sub("", low)
    for reader in (_square, _local, _mgrs, _utm_band, parse_geographic, _plane_labelled, _plane_bare):
        statement = reader(text, low)
        if statement is not None:
            return statement
    raise InputError("SF-P010", text)


def parse_local(text: str) -> CoordinateStatement:
    """Read a coordinate of a form whose system is metres from a point of its own: "(0, 0)", "E 228.99 N 3.42".

    Without labels east comes first; X is north, Y is east.

    Raises
    ------
    InputError
        SF-P010 no such pair.
    """
    low = re.sub(r"(?<![а-яё])[ху](?![а-яё])", lambda m: "xy"["ху".index(m[0])], plain(text).casefold())
    match = _LOCAL_PAIR.fullmatch(low.strip(" .;"))
    if match is None or (match["la"] is None) != (match["lb"] is None):
        raise InputError("SF-P010", text)
    a, b = _float(match["a"]), _float(match["b"])
    norths = [match[key] is not None and re.fullmatch(_NORTH, match[key]) is not None for key in ("la", "lb")]
    if match["la"] is not None and norths[0] == norths[1]:
        raise InputError("SF-P010", text)
    east, north = (b, a) if norths[0] else (a, b)
    return CoordinateStatement(
        text, "local", easting=east, northing=north, labelled=match["la"] is not None,
        quantum_m=_step(match["a"], match["b"]), notation="local",
    )  # fmt: skip


def _square(raw: str, low: str) -> CoordinateStatement | None:
    if re.match(r"[^\d(]*\(? ?\d\d[ \-]?\d\d ?\)?(?: ?\([1-9абвг]\))?$", low):  # "квадрат (3064)", "кв. 3064 (5)"
        low = re.sub(r" +", " ", re.sub(r"[()]", " ", low)).strip()
    match = _SQUARE_WORD.fullmatch(low) or _SQUARE_BARE.fullmatch(low)
    if match is None:
        return None
    part = _SQUARE_PART.fullmatch(match[3].strip().translate(str.maketrans("ab", "ав")))
    if part is None:
        return None
    field = part[1] or ""
    ninth = int(field) if field.isdigit() else None
    size = 1000.0 / 3.0 if ninth else (500.0 if field else 1000.0)
    square = match[1] + match[2] + ("" if ninth else field.upper())
    return CoordinateStatement(raw, "square", square=square, ninth=ninth, quantum_m=size, notation="square")


def _local(raw: str, low: str) -> CoordinateStatement | None:
    match = _LOCAL.fullmatch(low)
    if match is None:
        return None
    east, north = _float(match[1]), _float(match[2])
    here = CoordinateStatement(
        raw, "local", easting=east, northing=north, quantum_m=_step(match[1], match[2]), notation="local"
    )
    if min(_decimals(match[1]), _decimals(match[2])) >= 4:
        degrees = parse_geographic(raw, low.strip("()"))
        return None if degrees is None else replace(degrees, alternatives=(*degrees.alternatives, here))
    return None if plausible_plane(east, north) or plausible_plane(north, east) else here


def _mgrs(raw: str, low: str) -> CoordinateStatement | None:
    match = _MGRS.fullmatch(latin_twins(low))
    if match is None:
        return None
    quantum = mgrs_to_utm(match[1])[4]
    return CoordinateStatement(raw, "mgrs", mgrs=match[1].upper(), labelled=True, quantum_m=quantum, notation="mgrs")


def _utm_band(raw: str, low: str) -> CoordinateStatement | None:
    """Read "38S 664773 4428430": zone, latitude band, easting and northing of UTM on WGS 84; kept as kind ``mgrs``."""
    match = _UTM_BAND.fullmatch(latin_twins(low))
    if match is None:
        return None
    east, north = float(match["east"]), float(match["north"])
    reference = utm_to_mgrs(raw, int(match["zone"]), match["band"].upper(), east, north)
    return CoordinateStatement(
        raw, "mgrs", easting=east, northing=north, mgrs=reference, labelled=True,
        quantum_m=_step(match["east"], match["north"]), notation="utm",
    )  # fmt: skip


def _plane_labelled(raw: str, low: str) -> CoordinateStatement | None:
    # Cyrillic Х and У are typed for X and Y more often than not; the words север, восток stay Cyrillic.
    twinned = re.sub(r"(?<![а-яё])[ху](?![а-яё])", lambda m: "xy"["ху".index(m[0])], low)
    twinned = re.sub(r"(?<![a-zа-я])([xy]) ?- ?(?=\d{5})", r"\1=", twinned)  # "Х-4430293": a dash, no minus
    match = _BEFORE.fullmatch(twinned) or _AFTER.fullmatch(twinned)
    if match is None:
        return None
    groups = match.groupdict()
    factor = 1000.0 if {groups.get("ua"), groups.get("ub")} & {"км", "km"} else 1.0
    a, b = _float(groups["a"]) * factor, _float(groups["b"]) * factor
    if factor == 1.0 and _in_kilometres(groups["a"], groups["b"]):
        factor, a, b = 1000.0, a * 1000.0, b * 1000.0
    a_north, b_north = (re.fullmatch(_NORTH, groups[key]) is not None for key in ("la", "lb"))
    if a_north == b_north or max(abs(a), abs(b)) <= 180.0:
        return None
    north, east = (a, b) if a_north else (b, a)
    return _plane(raw, north, east, factor * _step(groups["a"], groups["b"]), labelled=True)


def _in_kilometres(*numbers: str) -> bool:
    """Whether "4430.293" and "8664.944" are a place in kilometres and none in metres."""
    a, b = (_float(n) for n in numbers)
    if max(a, b) >= 100_000.0 or min(map(_decimals, numbers)) < 2:
        return False
    return plausible_plane(a * 1000.0, b * 1000.0) or plausible_plane(b * 1000.0, a * 1000.0)


def _plane_bare(raw: str, low: str) -> CoordinateStatement | None:
    match = _BARE.fullmatch(low.strip("()"))
    if match is None:
        return None
    first, second = _float(match["a"]), _float(match["b"])
    if max(first, second) <= 9999.0:
        return None
    quantum = _step(match["a"], match["b"])
    if plausible_plane(second, first) and not plausible_plane(first, second):
        return _plane(raw, second, first, quantum, labelled=False)
    return _plane(raw, first, second, quantum, labelled=False)


def _plane(raw: str, north: float, east: float, quantum: float, *, labelled: bool) -> CoordinateStatement:
    if min(north, east) < 0.0 and max(abs(north), abs(east)) < 100_000.0:
        return CoordinateStatement(
            raw, "local", easting=east, northing=north, labelled=labelled, quantum_m=quantum, notation="local"
        )
    notation = "abbreviated" if 0.0 <= min(north, east) < 100_000.0 else "metres"
    here = CoordinateStatement(
        raw, "plane", easting=east, northing=north, labelled=labelled, quantum_m=quantum, notation=notation
    )
    exchanged = replace(here, easting=north, northing=east)
    only_exchanged = swap_by_range(north, east)[2]
    either_way = not labelled and (notation == "abbreviated" or plausible_plane(east, north))
    return replace(here, alternatives=(exchanged,)) if only_exchanged or either_way else here


def _float(digits: str) -> float:
    compact = digits.replace(" ", "")
    if compact.count(".") > 1:  # "6.508.000,5": points between thousands
        return float(compact.replace(".", "").replace(",", "."))
    if compact.count(",") > 1 or ("," in compact and "." in compact):
        compact = compact.replace(",", "")
    return float(compact.replace(",", "."))


def _decimals(digits: str) -> int:
    if digits.count(".") > 1:
        return len(digits.partition(",")[2])
    return len(digits.replace(",", ".").partition(".")[2]) if digits.count(",") < 2 else 0


def _step(*numbers: str) -> float:
    """Return the rounding step of the coarser number, in units of what is written."""
    return 10.0 ** -min(_decimals(n) for n in numbers)
