"""Small jobs for the runners. They stand alone: a process that works on them has little to import."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from surefoot.errors import InputError, InRecord


@dataclass(frozen=True)
class Piece:
    """A job that takes a while and gives its number."""

    number: int
    seconds: float = 0.0

    @property
    def record_id(self) -> str:
        return f"R-{self.number}"


def number_of(piece: Piece) -> int:
    time.sleep(piece.seconds)
    return piece.number


def third_fails(piece: Piece) -> int:
    with InRecord(piece.record_id):
        if piece.number == 2:
            raise ZeroDivisionError("no area")
        return piece.number


def third_is_refused(piece: Piece) -> int:
    with InRecord(piece.record_id):
        if piece.number == 2:
            raise InputError("SF-R001", "what stood there", line=7)
        return piece.number


def third_dies(piece: Piece) -> int:
    if piece.number == 2:
        os._exit(9)
    return piece.number
