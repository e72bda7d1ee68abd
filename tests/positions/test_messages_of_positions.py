"""Every error of this room has its words, in both languages, with the placeholders that are given."""

from __future__ import annotations

import re
import string
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

import surefoot.positions
from surefoot.messages import LANGUAGES, render

ROOM = Path(surefoot.positions.__file__).parent
RAISED = sorted({id_ for path in ROOM.glob("*.py") for id_ in re.findall(r"\"(SF-P\d{3})\"", path.read_text("utf-8"))})
VALUES = dict.fromkeys(
    [
        "longitude",
        "latitude",
        "first",
        "second",
        "last",
        "code",
        "value",
        "circle",
        "datum",
        "width_deg",
        "scale",
    ],
    1,
)


def words(lang: str) -> dict[str, dict[str, str]]:
    return tomllib.loads(files("surefoot").joinpath("locale", lang, "positions.toml").read_text("utf-8"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_catalogue_is_complete_and_has_nothing_else(lang: str) -> None:
    assert sorted(words(lang)) == RAISED


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("id_", RAISED)
def test_rendered(id_: str, lang: str) -> None:
    message = render(id_, VALUES, found="what stood there", lang=lang)
    assert message.reason.endswith(".")
    assert message.advice.endswith(".")
    assert "{" not in message.reason + message.advice


@pytest.mark.parametrize("id_", RAISED)
def test_both_languages_use_the_same_values(id_: str) -> None:
    fields = [
        {name for text in words(lang)[id_].values() for _, name, _, _ in string.Formatter().parse(text) if name}
        for lang in LANGUAGES
    ]
    assert fields[0] == fields[1]
