"""Correct a record from its first finds."""
