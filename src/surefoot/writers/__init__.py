"""The products of an assessment, one file per product.

The writers know an assessment only by the two things they need, so that a stand-in, a stored result or the
real one are written alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

SIMULATED = "SIMULATED"  # the mark; the same word in every file, layer and page


class LayerLike(Protocol):
    """One map layer as columns: ``geometry`` holds Shapely objects in WGS 84 longitude, latitude, or None."""

    @property
    def name(self) -> str:
        """Name of the layer, such as ``records``."""

    @property
    def geometry(self) -> npt.NDArray[np.object_]:
        """Shapely geometries in EPSG:4326, None where there is no position; shape (n,)."""

    @property
    def columns(self) -> Mapping[str, npt.NDArray[Any]]:
        """Column name -> values, each of shape (n,)."""


class Assessment(Protocol):
    """What every writer reads: the document of ``assessment.json`` (interfaces.md 5) and the map layers."""

    @property
    def document(self) -> Mapping[str, Any]:
        """The content of ``assessment.json``; a value that is not known is None with a ``reason``."""

    @property
    def layers(self) -> Mapping[str, LayerLike]:
        """Layer name -> layer."""
