"""Subset the report's fonts to what the report can print, and put them beside the package's data.

Not part of the program: run by hand when a script (alphabet) is added, then commit the result.

    apt-get download fonts-noto-core && dpkg-deb -x fonts-noto-core_*.deb noto
    uv sync --group fonts --inexact
    python scripts/bundle_fonts.py noto/usr/share/fonts/truetype/noto

The fonts are Noto Sans and Noto Sans Armenian, SIL Open Font License 1.1, without reserved font names.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

TARGET = Path(__file__).resolve().parent.parent / "src" / "surefoot" / "data" / "fonts"
LIMIT_BYTES = 300_000

LATIN_CYRILLIC = [
    *range(0x0020, 0x007F),
    *range(0x00A0, 0x0180),  # Latin-1 and Latin Extended-A: az, tr, bs, hr, es, pt
    *(0x018F, 0x0259, 0x0192, 0x0218, 0x0219, 0x021A, 0x021B),  # schwa; Romanian comma below
    *(0x02B9, 0x02BA, 0x02BC, 0x02C6, 0x02C7, 0x02DA, 0x02DC, 0x0301, 0x0304, 0x0306, 0x0308),
    *(0x0394, 0x03B1, 0x03B2, 0x03BA, 0x03BB, 0x03BC, 0x03BD, 0x03C0, 0x03C3, 0x03C7, 0x03C8),
    *range(0x0400, 0x0530),  # Cyrillic and its supplement
    *range(0x2010, 0x2028),
    *(0x202F, 0x2030, 0x2032, 0x2033, 0x2039, 0x203A, 0x2044, 0x20AC, 0x2116, 0x2122),
    0xFFFD,
]
ARMENIAN = [*range(0x0531, 0x0590), *range(0xFB13, 0xFB18)]

FACES = {
    "NotoSans-Regular": LATIN_CYRILLIC,
    "NotoSans-Bold": LATIN_CYRILLIC,
    "NotoSansArmenian-Regular": ARMENIAN,
    "NotoSansArmenian-Bold": ARMENIAN,
}


def subset_face(source: Path, target: Path, unicodes: list[int]) -> int:
    """Write one face as WOFF2 with only `unicodes`; returns its size in bytes."""
    options = subset.Options()
    options.flavor = "woff2"
    options.layout_features = ["kern", "mark", "mkmk", "ccmp", "locl"]
    options.hinting = False
    options.notdef_outline = True
    options.name_IDs = [0, 1, 2, 13, 14]
    font = TTFont(source, recalcTimestamp=False)
    worker = subset.Subsetter(options)
    worker.populate(unicodes=unicodes)
    worker.subset(font)
    subset.save_font(font, str(target), options)
    return target.stat().st_size


def main() -> None:
    """Subset the four faces; refuse a bundle that has grown too large."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="folder with the full TTF files")
    folder = parser.parse_args().source
    TARGET.mkdir(parents=True, exist_ok=True)
    sizes = {
        face: subset_face(folder / f"{face}.ttf", TARGET / f"{face}.woff2", unicodes)
        for face, unicodes in FACES.items()
    }
    for face, size in sizes.items():
        print(f"{face:28} {size:8,} bytes")
    if sum(sizes.values()) > LIMIT_BYTES:
        raise SystemExit(f"{sum(sizes.values()):,} bytes together; the limit is {LIMIT_BYTES:,}")


if __name__ == "__main__":
    main()
