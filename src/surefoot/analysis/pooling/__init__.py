"""What the records of one series say about each other: a forecast for a form nobody has checked, learned sigmas."""

from surefoot.analysis.pooling.forecast import FORECAST_LEVEL, Forecast, forecast_confirmed, forecast_displacement
from surefoot.analysis.pooling.learned import LearnedErrors, RecordErrors, learn, record_errors

__all__ = [
    "FORECAST_LEVEL",
    "Forecast",
    "LearnedErrors",
    "RecordErrors",
    "forecast_confirmed",
    "forecast_displacement",
    "learn",
    "record_errors",
]
