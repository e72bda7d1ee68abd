"""Signs that look alike, made one: spaces, dashes, degree signs, primes."""

from __future__ import annotations

import re

_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t\r\n"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u00ad"
_DEGREES = "\u00ba\u02da\u2070\u1d52\u25e6\u2218\u00b0"
_PRIMES = "\u2018\u2019\u201a\u201b\u2032\u0060\u00b4\u02b9\u02bc\u02b0\uff07"
_DOUBLE_PRIMES = "\u201c\u201d\u201e\u201f\u2033\u02ba\uff02\u00ab\u00bb"
_NOTHING = "\u200b\u200c\u200d\u200e\u200f\ufeff"

_TABLE = str.maketrans(
    dict.fromkeys(_SPACES, " ")
    | dict.fromkeys(_DASHES, "-")
    | dict.fromkeys(_DEGREES, "°")
    | dict.fromkeys(_PRIMES, "'")
    | dict.fromkeys(_DOUBLE_PRIMES, '"')
    | dict.fromkeys(_NOTHING, "")
)

REMEMBERED = 16_384
"""Texts whose reading is remembered: the same distances and bearings stand on form after form."""

_LATIN_TWINS = str.maketrans("АВЕКМНОРСТУХІЈЅавекмнорстухіјѕ", "ABEKMHOPCTYXIJSabekmhopctyxijs")


def plain(text: str) -> str:
    """Return the text with one kind of space, dash, degree sign and prime, and single spaces.

    Non-breaking spaces, en dashes, the ordinal sign º, typographic primes and zero-width signs come with
    every second form that went through a word processor.
    """
    out = text.translate(_TABLE).replace("''", '"')
    return re.sub(r" +", " ", out).strip()


def latin_twins(text: str) -> str:
    """Return the text with each Cyrillic letter that looks Latin replaced by its twin (Х to X, У to Y)."""
    return text.translate(_LATIN_TWINS)
