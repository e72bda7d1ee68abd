"""Options of the test suite."""

from __future__ import annotations

import pytest
from hypothesis import settings

# The gate asks the same examples every time, so that it never fails by luck on a change that has nothing to do
# with it; `pytest --hypothesis-profile=search` looks further.
settings.register_profile("gate", derandomize=True)
settings.register_profile("search", derandomize=False, max_examples=500)
settings.load_profile("gate")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="write the expected files of the golden tests anew")
