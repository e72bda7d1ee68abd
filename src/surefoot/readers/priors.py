"""The default priors that ship with the program."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from surefoot.analysis.locate import Priors


@cache
def default_priors() -> Priors:
    """Return the table ``priors.toml`` of the package."""
    return Priors(tomllib.loads(files("surefoot").joinpath("data", "priors.toml").read_text(encoding="utf-8")))
