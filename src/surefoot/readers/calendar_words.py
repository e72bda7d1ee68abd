"""Names of months and seasons in the languages of the forms, by their stems so that every case ending is met.

English, Russian, Ukrainian, Serbo-Croatian (both scripts, both sets of names), Azerbaijani and Armenian.
"""

from __future__ import annotations

_MONTHS: tuple[tuple[str, ...], ...] = (
    ("jan", "yan", "янв", "јан", "січ", "siječ", "sijec", "հունվ"),
    ("feb", "fev", "фев", "феб", "лют", "veljač", "veljac", "փետր"),
    ("mar", "мар", "берез", "ožuj", "ozuj", "մարտ"),
    ("apr", "апр", "квіт", "travnj", "travanj", "ապր"),
    ("may", "maj", "май", "мая", "мае", "мај", "трав", "svib", "մայ"),
    ("jun", "iyun", "июн", "јун", "черв", "lipnj", "lipanj", "հունիս"),
    ("jul", "iyul", "июл", "јул", "лип", "srpnj", "srpanj", "հուլիս"),
    ("aug", "avg", "avq", "авг", "серп", "kolovoz", "օգոստ"),
    ("sep", "sent", "сен", "сеп", "верес", "rujn", "rujan", "սեպտ"),
    ("oct", "okt", "окт", "жовт", "listopad", "հոկտ"),
    ("nov", "noy", "ноя", "нов", "листоп", "studen", "նոյ"),
    ("dec", "dek", "дек", "дец", "груд", "prosin", "դեկ"),
)
_SEASONS: tuple[tuple[tuple[str, ...], tuple[int, int]], ...] = (
    (("зим", "winter", "zim", "qış", "ձմ"), (12, 2)),
    (("вес", "spring", "proljeć", "proleć", "пролећ", "yaz", "գարն", "գարու"), (3, 5)),
    (("лет", "літ", "summer", "ljet", "лјет", "љет", "yay", "ամառ", "ամռ"), (6, 8)),
    (("осен", "осін", "осінь", "autumn", "fall", "jesen", "јесен", "payız", "աշ"), (9, 11)),
)


def month_of(word: str) -> int | None:
    """Return the number of the month a word names, None for other words."""
    low = word.casefold()
    if low.startswith("травањ"):  # Croatian April in Cyrillic, not the Ukrainian May
        return 4
    return next((number for number, stems in enumerate(_MONTHS, start=1) if low.startswith(stems)), None)


def season_of(word: str) -> tuple[int, int] | None:
    """Return the first and last month of the season a word names; a winter begins in December."""
    low = word.casefold()
    return next((months for stems, months in _SEASONS if low.startswith(stems)), None)
