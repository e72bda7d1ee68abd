"""Files that ``case.toml`` names: they lie inside the case folder, and are opened in the limited child."""

from __future__ import annotations

from pathlib import Path

from surefoot.errors import InputError
from surefoot.readers.limits import run_jobs
from surefoot.readers.raw import RawTable
from surefoot.readers.read_tables import load_job


def path_inside(folder: Path, name: str) -> Path:
    """Return the path of a named file.

    Raises
    ------
    InputError
        SF-R105 where it lies outside the folder.
    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise InputError("SF-R105", name)
    return path


def load_shapes(folder: Path, name: str) -> tuple[RawTable, ...]:
    """Load a file of shapes, one table a layer; InputError where it cannot be read."""
    loaded = run_jobs([load_job(path_inside(folder, name), name, "region")])[0]
    if isinstance(loaded, InputError):
        raise loaded
    return loaded if isinstance(loaded, tuple) else (loaded,)
