"""Made-up regions with a known truth, for tests, benchmarks and teaching (methods.md section 7).

Invented places over open sea, marked simulated everywhere. Only what a reader of records needs is modelled:
what a form says, how far it is off, what is found when one looks.
"""

from surefoot.analysis.synthetic.presets import PRESETS, Preset
from surefoot.analysis.synthetic.region import SimulatedRegion, simulate
from surefoot.analysis.synthetic.truth import Truth

__all__ = ["PRESETS", "Preset", "SimulatedRegion", "Truth", "simulate"]
