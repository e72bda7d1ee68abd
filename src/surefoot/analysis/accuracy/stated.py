"""What the forms themselves say about how far off they may be, for measures the finds alone cannot settle.

Where devices stand closer together than their record is off, a find does not tell which of them it is: the residuals
then repeat the stated uncertainty, and an interval from them alone would be far too sure of itself. For such records
the interval is widened by draws from all readings of the form: another reading, another landmark, another bearing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

DRAWS = 500
STATED_WORDS = (
    "Where finds do not tell which of a record's devices they are, the interval reaches to what the forms' own "
    "readings and stated uncertainty allow. "
)


@dataclass(frozen=True, eq=False)
class StatedErrors:
    """Errors that each record's readings allow, at k of its devices.

    Attributes
    ----------
    weight : (records, h)
        Weight of each reading; rows sum to one, 0 where there is none.
    offset : (records, h, k, 2)
        Place by that reading minus place by the heaviest one, metres east and north.
    cov : (records, h, k, 3)
        Covariance ee, en, nn of the place by that reading, m2; taken as shared by the whole record.
    """

    weight: Floats
    offset: Floats
    cov: Floats

    def draw(self, draws: int, rng: np.random.Generator) -> Floats:
        """Draw errors, (draws, records, k, 2) metres: one reading and one standard normal pair per record."""
        records = self.weight.shape[0]
        below = np.cumsum(self.weight, axis=1)
        picked = (rng.random((draws, records, 1)) * below[:, -1:] > below).sum(axis=2)
        row = np.arange(records)
        chosen = np.minimum(picked, self.weight.shape[1] - 1)
        ee, en, nn = np.moveaxis(self.cov[row, chosen], -1, 0)
        unit = rng.standard_normal((draws, records, 1, 2))
        lower_ee = np.sqrt(np.maximum(ee, 0.0))
        lower_en = np.divide(en, lower_ee, out=np.zeros_like(en), where=lower_ee > 0)
        lower_nn = np.sqrt(np.maximum(nn - lower_en**2, 0.0))
        noise = np.stack([unit[..., 0] * lower_ee, unit[..., 0] * lower_en + unit[..., 1] * lower_nn], axis=-1)
        return np.asarray(self.offset[row, chosen] + noise, dtype=np.float64)

    def take(self, records: npt.NDArray[np.integer]) -> StatedErrors:
        """Return the errors of some of the records, in that order."""
        return StatedErrors(self.weight[records], self.offset[records], self.cov[records])
