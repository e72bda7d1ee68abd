"""Surefoot reads minefield records in order to clear mines."""

__version__ = "0.1.0"
