"""Where a command writes: looked at before anything is computed, and told in plain words when it cannot be written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from surefoot.errors import UsageError


def check_file(path: Path) -> None:
    """Refuse a path to which no file can be written.

    Raises
    ------
    UsageError
        SF-C069 its folder does not exist or cannot be written to, or a folder has that name.
    """
    folder = path.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError("SF-C069", str(path), place=str(folder))
    if path.is_dir() or (path.exists() and not os.access(path, os.W_OK)):
        raise UsageError("SF-C069", str(path), place=str(path))


def check_folder(path: Path) -> None:
    """Refuse a path at which no folder can be made or filled; missing folders above it are made later.

    Raises
    ------
    UsageError
        SF-C069 a file stands in the way, or the folder cannot be written to.
    """
    there = next(one for one in (path, *path.absolute().parents) if os.path.lexists(one))
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise UsageError("SF-C069", str(path), place=str(there))


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Tell a failure of the disk while writing in plain words.

    Raises
    ------
    UsageError
        SF-C069 with the place where it failed.
    """
    try:
        yield
    except OSError as error:
        raise UsageError("SF-C069", str(path), place=str(error.filename or error.strerror or path)) from error
