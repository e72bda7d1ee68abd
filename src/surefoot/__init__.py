"""Surefoot reads minefield records in order to clear mines.

The public names are loaded when they are first used, so that the program itself starts at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Accidents": "surefoot.model",
    "Assessment": "surefoot.analysis.assess",
    "Case": "surefoot.model",
    "Claim": "surefoot.model",
    "DevicesFound": "surefoot.model",
    "HazardousAreas": "surefoot.model",
    "LocateContext": "surefoot.analysis.locate",
    "Measure": "surefoot.analysis.accuracy",
    "MinefieldRecord": "surefoot.model",
    "Placements": "surefoot.analysis.reanchor",
    "Priors": "surefoot.analysis.locate",
    "ReadResult": "surefoot.readers",
    "Reading": "surefoot.analysis.locate",
    "Readings": "surefoot.analysis.locate",
    "ReanchorContext": "surefoot.analysis.reanchor",
    "SearchedAreas": "surefoot.model",
    "Similarity": "surefoot.analysis.transforms",
    "SurefootError": "surefoot.errors",
    "Transform": "surefoot.analysis.transforms",
    "assess": "surefoot.analysis.assess",
    "beta_binomial_interval": "surefoot.analysis.accuracy",
    "default_priors": "surefoot.readers",
    "describe": "surefoot.writers.describe",
    "fit_transform": "surefoot.analysis.transforms",
    "locate": "surefoot.analysis.locate",
    "read": "surefoot.readers",
    "read_case_folder": "surefoot.readers",
    "reanchor": "surefoot.analysis.reanchor",
    "simulate": "surefoot.analysis.synthetic",
    "write_case": "surefoot.writers.case_folder",
}

__all__ = sorted([*_HOME, "__version__"])

if TYPE_CHECKING:
    from surefoot.analysis.accuracy import Measure, beta_binomial_interval
    from surefoot.analysis.assess import Assessment, assess
    from surefoot.analysis.locate import LocateContext, Priors, Reading, Readings, locate
    from surefoot.analysis.reanchor import Placements, ReanchorContext, reanchor
    from surefoot.analysis.synthetic import simulate
    from surefoot.analysis.transforms import Similarity, Transform, fit_transform
    from surefoot.errors import SurefootError
    from surefoot.model import (
        Accidents,
        Case,
        Claim,
        DevicesFound,
        HazardousAreas,
        MinefieldRecord,
        SearchedAreas,
    )
    from surefoot.readers import ReadResult, default_priors, read, read_case_folder
    from surefoot.writers.case_folder import write_case
    from surefoot.writers.describe import describe


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'surefoot' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
