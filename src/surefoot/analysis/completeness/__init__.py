"""How many devices there are in all, recorded or not, and what published figures about it imply.

`analysis.accuracy` says how complete the records are on verified ground (ISO 19157 measures); here the number of
all devices follows from it, or from several lists, or from a survey drawn at random.
"""

from surefoot.analysis.completeness.implied import (
    FindsNeeded,
    Implication,
    Part,
    ReadAs,
    TotalTested,
    finds_needed,
    implications,
    implied_total,
    needed_completeness,
    totals_tested,
)
from surefoot.analysis.completeness.latent_class import LatentClassModel, LatentClassTotal, latent_class_total
from surefoot.analysis.completeness.log_linear import Histories, LogLinearModel, LogLinearTotal, log_linear_total
from surefoot.analysis.completeness.survey import Stratum, SurveyTotal, survey_total
from surefoot.analysis.completeness.two_lists import (
    BAND,
    FEWEST_MATCHED,
    LOG_ODDS_SD,
    ODDS_RATIOS,
    ChanceAbove,
    IntegratedTotal,
    TotalAt,
    TwoLists,
    TwoListTotal,
    between,
    chance_above,
    two_list_total,
)

__all__ = [
    "BAND",
    "FEWEST_MATCHED",
    "LOG_ODDS_SD",
    "ODDS_RATIOS",
    "ChanceAbove",
    "FindsNeeded",
    "Histories",
    "Implication",
    "IntegratedTotal",
    "LatentClassModel",
    "LatentClassTotal",
    "LogLinearModel",
    "LogLinearTotal",
    "Part",
    "ReadAs",
    "Stratum",
    "SurveyTotal",
    "TotalAt",
    "TotalTested",
    "TwoListTotal",
    "TwoLists",
    "between",
    "chance_above",
    "finds_needed",
    "implications",
    "implied_total",
    "latent_class_total",
    "log_linear_total",
    "needed_completeness",
    "survey_total",
    "totals_tested",
    "two_list_total",
]
