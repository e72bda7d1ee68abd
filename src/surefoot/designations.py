"""Names of device types, compared as people mean them: "TM-62", "ТМ-62" and "тм 62" are one type.

Only the designation is looked at, to match like with like; what was written is kept beside it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from surefoot.positions.glyphs import REMEMBERED, plain
from surefoot.terms import DeviceCategory

_CYRILLIC_TWINS = str.maketrans("ABEKMHOPCTXYIJS", "АВЕКМНОРСТХУІЈЅ")
_TO_LATIN = str.maketrans(
    dict(zip("АБВГДЕЗИІЈКЛМНОПРСТУФЅХЙЁЦЫЭЄЇҐЋ", "ABVGDEZIIJKLMNOPRSTUFSHJECYEEIGC", strict=True))
    | dict(zip("ԱԴԶԹԿՄՆՈՊՌՐՏՕՖՎՍԼԲԳ", "ADZTKMNOPRRTOFVSLBG", strict=True))
    | {"Ж": "ZH", "Ч": "CH", "Ш": "SH", "Щ": "SH", "Ю": "YU", "Я": "YA", "Ь": "", "Ъ": "", "Љ": "LJ", "Њ": "NJ"}
)
_SLIPS = (  # a digit typed for the letter it looks like, inside the names in which that happens
    (re.compile(r"^POM3(?=\D|2|$)"), "POMZ"),
    (re.compile(r"^[O0][Z3]M"), "OZM"),
    (re.compile(r"^M[O0][NH](?=\d|$)"), "MON"),
    (re.compile(r"^PR0M"), "PROM"),
)
_VARIANT = re.compile(r"[A-Z]{1,2}\d?")
_LEADING = re.compile(r"^(?:(?:МИН[АЫУ]?|MIN[AE]S?|MINE)[ .:]+|ТИПА? +|TYPE +)+")
_KIND_WORDS: tuple[tuple[str, DeviceCategory], ...] = (
    (r"ПРОТИВО?ПЕХ\w*|ПРОТИПІХ\w*|ПП(?:М|МИ)?|ANTI-?PERSON\w*|AP(?:M|ERS)?|PROTUP[JE]*Š\w*|PROTIVP[JE]*Š\w*"
     r"|П(?:РОТИ)?ВП?[ЈЕ]*ШАД\w*|PP", DeviceCategory.AP),
    (r"ПРОТИВО?ТАНК\w*|ПТМ?|ANTI-?(?:TANK|VEHICLE)\w*|A[TV](?:M)?|PROTUOKLOP\w*|PROTIVTENK\w*|ПРОТИВТЕНК\w*|PT",
     DeviceCategory.AV),
)  # fmt: skip
_AP = "PMN PMD POMZ OZM MON PFM PMA PMR PROM MRUD M14 M16 M18 M18A1 M2 VALMARA APERS AP PP PPM"
_AV = "TM TMD TMN TMM TMA TMRP M15 M19 M21 PTM ATM AT AV PT TMK M6 M7"
_CATEGORIES: dict[str, DeviceCategory] = dict.fromkeys(_AP.split(), DeviceCategory.AP) | dict.fromkeys(
    _AV.split(), DeviceCategory.AV
)


@lru_cache(maxsize=REMEMBERED)
def type_key(name: str) -> str:
    """Return what two names of one device type have in common; "" for no name.

    Case, spaces, hyphens, quotation marks and the word "mine" do not matter; Latin and Cyrillic letters that
    look alike, and the transliterations of known models, are one. "ТМ-62" and "ТМ-62М" stay two types, see
    `is_variant`. A general word ("противопехотные") gives its category.
    """
    kind = kind_word(name)
    if kind is not None:
        return kind.value
    bare = re.sub(r"[\s\-._\"'()/]+", "", _LEADING.sub("", plain(name).upper().strip(" .,:;-")))
    if re.search(r"[Ѐ-ӿ]", bare):  # Latin letters among Cyrillic ones were typed for their twins
        readings = [_latin(bare.translate(_CYRILLIC_TWINS))]
    else:  # "MOH-50" in Latin letters only is МОН-50 if the name as it stands is none
        readings = [_latin(bare), _latin(bare.translate(_CYRILLIC_TWINS))]
    return next((reading for reading in readings if _category(reading) is not None), readings[0])


def is_variant(key: str, other: str) -> bool:
    """Return whether one of two type keys is the other with the mark of a variant: ТМ-62 and ТМ-62М, M18 and M18A1.

    A mark begins with a letter behind a number; ПМН and ПМН-2, M1 and M14 are types of their own.
    """
    base, longer = sorted((key, other), key=len)
    return base[-1:].isdigit() and longer.startswith(base) and _VARIANT.fullmatch(longer[len(base) :]) is not None


def _latin(bare: str) -> str:
    latin = bare.translate(_TO_LATIN)
    for pattern, mended in _SLIPS:
        latin = pattern.sub(mended, latin)
    return latin


def _category(key: str) -> DeviceCategory | None:
    family = re.match(r"[^\W\d]*", key)
    return _CATEGORIES.get(key) or _CATEGORIES.get(family[0] if family else "")


@lru_cache(maxsize=REMEMBERED)
def kind_word(name: str) -> DeviceCategory | None:
    """Return the category that a general word names ("ПТМ", "противопехотные", "AP"); None for a model."""
    word = re.sub(r"\b(?:МИН\w*|MINES?)\b", "", plain(name).upper()).strip(" .,:;-")
    return next((kind for pattern, kind in _KIND_WORDS if re.fullmatch(pattern, word)), None)


@lru_cache(maxsize=REMEMBERED)
def category_of_model(model: str) -> DeviceCategory:
    """Return the category of a well-known device model or general word, UNKNOWN for every other word."""
    return kind_word(model) or _category(type_key(model)) or DeviceCategory.UNKNOWN
