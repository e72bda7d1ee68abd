"""One set of colours for every map, on screen, on paper and in QGIS.

No green anywhere: green reads as "safe", and no map of ours says that. Colours are from the colour-blind-safe
set of Okabe and Ito (2008) and the field's own two (CHA red, SHA amber); meaning never hangs on colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from surefoot.terms import AreaStatus, Fate


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour ``#RRGGBB`` with its opacity, 0-1."""

    hex: str
    opacity: float = 1.0

    @property
    def rgba(self) -> str:
        """As QGIS writes it: ``r,g,b,a``, each 0-255."""
        red, green, blue = (int(self.hex[i : i + 2], 16) for i in (1, 3, 5))
        return f"{red},{green},{blue},{round(self.opacity * 255)}"


INK = Colour("#1A2530")
PAPER = Colour("#FFFFFF")
RECORD = Colour("#5B2A86")
ROW = Colour("#2B0F4A")
CORRECTED = Colour("#B8002E")
ELLIPSE = Colour("#B5478F")
FIND_RECORDED = Colour("#0072B2")
FIND_UNRECORDED = Colour("#000000")
FIND_UNTESTED = Colour("#6B7280")
ACCIDENT_OUTSIDE = Colour("#D55E00")
ACCIDENT_INSIDE = Colour("#FFFFFF")
ACCIDENT_UNKNOWN = Colour("#B0B7C0")
SEARCHED = Colour("#DCE6F0")
SEARCHED_LINE = Colour("#3D5A80")
PRIORITY = Colour("#004C6D")
OTHER = Colour("#8A8F98")

AREA: Mapping[AreaStatus, Colour] = MappingProxyType(
    {
        AreaStatus.CHA: Colour("#FF0000", 0.5),
        AreaStatus.SHA: Colour("#F4A718", 0.5),
        AreaStatus.SUSPECTED: Colour("#F4A718", 0.3),
        AreaStatus.CLEARED: Colour("#9AA3AE", 0.35),
        AreaStatus.REDUCED: Colour("#9AA3AE", 0.35),
        AreaStatus.CANCELLED: Colour("#9AA3AE", 0.35),
        AreaStatus.LIFTED: Colour("#9AA3AE", 0.35),
    }
)

FATE: Mapping[Fate, Colour] = MappingProxyType(
    {
        Fate.FOUND: Colour("#0072B2"),
        Fate.DETONATED: Colour("#000000"),
        Fate.LIFTED: Colour("#56B4E9"),
        Fate.LOST: Colour("#8A6D3B"),
        Fate.SEARCHED_NOT_FOUND: Colour("#E69F00"),
        Fate.NOT_SEARCHED: Colour("#D55E00"),
    }
)
