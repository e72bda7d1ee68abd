"""What the forms themselves say about how far off they may be, for measures the finds alone cannot settle.

Where devices stand closer together than their record is off, a find does not tell which of them it is: the residuals
then repeat the stated uncertainty. And a record that is far off is matched to no find at all: the pairs show the good
records only. An interval from the pairs alone would be far too sure of itself. Such records enter it with draws from
everything their form allows: another reading, another landmark, another bearing, a known gross mistake.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

DRAWS = 500
STATED_WORDS = (
    "Records that few or no finds match, or whose finds do not tell which device they are, enter the interval with "
    "all errors that their form's readings, its stated uncertainty and the known gross mistakes allow; a record far "
    "off meets no find, so the value alone tends to be too small. "
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
    gross : (records, h)
        Whether that way assumes a gross mistake of reading or writing.
    devices : (records,)
        Devices in scope whose own place is recorded: what the record counts. Records of weight zero throughout stand
        for none, the others for all.
    """

    weight: Floats
    offset: Floats
    cov: Floats
    gross: npt.NDArray[np.bool_]
    devices: Floats

    @property
    def without_gross(self) -> StatedErrors:
        """The errors if no record holds a gross mistake."""
        return replace(self, weight=np.where(self.gross, 0.0, self.weight))

    @property
    def known(self) -> npt.NDArray[np.int64]:
        """Records in scope with errors to draw from."""
        return np.flatnonzero((self.devices > 0.0) & (self.weight.sum(axis=1) > 0.0))

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
        return StatedErrors(
            self.weight[records], self.offset[records], self.cov[records], self.gross[records], self.devices[records]
        )
