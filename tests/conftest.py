"""Options of the test suite."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# The gate asks the same examples every time, so that it never fails by luck on a change that has nothing to do
# with it; `pytest --hypothesis-profile=search` looks further. A busy machine fails no test: nothing is timed.
UNTIMED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("gate", derandomize=True, **UNTIMED)
settings.register_profile("search", derandomize=False, max_examples=500, **UNTIMED)
settings.load_profile("gate")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="write the expected files of the golden tests anew")


SLOW_MODULES = {
    "test_assess", "test_bad_input", "test_bosnia_input", "test_case", "test_claim_checks", "test_cli",
    "test_corrected", "test_docs", "test_limits", "test_missed", "test_nextstrip", "test_products", "test_reanchor",
    "test_region", "test_runners", "test_synthetic", "test_twenty_cases", "test_vector",
}  # fmt: skip
"""They run whole assessments or start many programs; `make test-fast` leaves them out."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.stem in SLOW_MODULES:
            item.add_marker(pytest.mark.slow)
