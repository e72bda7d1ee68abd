"""What a file really is, by its content; the name is only what somebody called it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from surefoot.errors import InputError

MAX_FILE_BYTES = 4_000_000_000
MAX_UNPACKED_BYTES = 2_000_000_000
MAX_UNPACK_RATIO = 200  # a bomb of a small archive; real workbooks stay below 50
SCANS = frozenset({"png", "jpg", "pdf", "tif"})
VECTORS = frozenset({"geojson", "gpkg", "fgb", "shp", "shpzip", "kml", "kmz", "gpx", "dxf"})
WORKBOOKS = frozenset({"xlsx", "xls", "ods"})
_SUFFIXES = {
    "csv": {".csv", ".tsv", ".txt", ".tab"},
    "xlsx": {".xlsx", ".xlsm", ".xlsb"},
    "geojson": {".geojson", ".json"},
    "shpzip": {".zip", ".shz"},
    "jpg": {".jpg", ".jpeg"},
    "tif": {".tif", ".tiff"},
    "yaml": {".yaml", ".yml"},
}
_MAGIC = (
    (b"SQLite format 3\0", "gpkg"),
    (b"fgb\x03fgb", "fgb"),
    (b"\x00\x00\x27\x0a", "shp"),
    (b"\xd0\xcf\x11\xe0", "xls"),
    (b"%PDF", "pdf"),
    (b"\x89PNG", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"II*\0", "tif"),
    (b"MM\0*", "tif"),
)


def sniff(path: Path) -> str:
    """Return the format of a file: csv, yaml, one of `WORKBOOKS`, `VECTORS` or `SCANS`.

    Raises
    ------
    InputError
        SF-R100 empty, SF-R104 damaged archive, SF-R105 no known format, SF-R107 archive that unpacks too big.
    """
    if not path.is_file():
        raise InputError("SF-R105", path.name)
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise InputError("SF-R107", path.name, megabytes=size // 1_000_000)
    with path.open("rb") as stream:
        head = stream.read(65536)
    if not head.strip():
        raise InputError("SF-R100", path.name)
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    return _zipped(path) if head.startswith(b"PK\x03\x04") else _textual(path, head)


def suffix_fits(path: Path, form: str) -> bool:
    """Return whether the file's name says what its content is."""
    return path.suffix.lower() in _SUFFIXES.get(form, {f".{form}"})


def _zipped(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise InputError("SF-R104", path.name, detail=str(error)) from error
    _refuse_bomb(path, members)
    names = [m.filename.lower() for m in members]
    if any(n.startswith("xl/") for n in names):
        return "xlsx"
    if "content.xml" in names:
        return "ods"
    if any(n.endswith(".shp") for n in names):
        return "shpzip"
    if any(n.endswith(".kml") for n in names):
        return "kmz"
    raise InputError("SF-R105", path.name)


def _refuse_bomb(path: Path, members: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(m.file_size for m in members)
    ratio = unpacked / max(path.stat().st_size, 1)
    if unpacked > MAX_UNPACKED_BYTES or (ratio > MAX_UNPACK_RATIO and unpacked > 20_000_000):
        raise InputError("SF-R107", path.name, megabytes=unpacked // 1_000_000)


def _textual(path: Path, head: bytes) -> str:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    lowered = start.lower()
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "csv"
    if start.startswith(b"<"):
        for mark, name in ((b"<kml", "kml"), (b"<gpx", "gpx")):
            if mark in lowered or path.suffix.lower() == f".{name}":
                return name
        raise InputError("SF-R105", path.name)
    if path.suffix.lower() in _SUFFIXES["yaml"]:
        return "yaml"
    if start.startswith(b"{") and b'"type"' in start:
        return "geojson"
    if b"\0" in start:
        raise InputError("SF-R105", path.name)
    lines = io.BytesIO(start[:200]).readlines()
    if len(lines) > 1 and lines[0].strip() in (b"0", b"999") and path.suffix.lower() == ".dxf":
        return "dxf"
    return "csv"
