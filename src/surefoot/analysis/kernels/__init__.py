"""The hot loops, in Numba. Each has a slow twin in the tests that says the same in plain NumPy.

Sums run in a fixed order, so the same input gives the same bits on any number of threads.
"""

from __future__ import annotations

from typing import Any

from numba import njit


def compiled(function: Any) -> Any:
    """Compile a loop once and keep it on disk; divisions follow IEEE 754, without a check of each."""
    return njit(cache=True, nogil=True, error_model="numpy")(function)


def inlined(function: Any) -> Any:
    """Compile a part of a loop into its caller: handing arrays to what runs often and briefly takes longest."""
    return njit(inline="always", error_model="numpy")(function)
