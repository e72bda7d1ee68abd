"""Write docs/reference/messages.md: every message id of the English catalogue, with its reason and its advice.

``python scripts/write_messages_page.py`` writes the page; a test fails when it is not current.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from surefoot.messages import catalogue

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "messages.md"
MESSAGE_ID = re.compile(r"SF-[A-Z]\d{3}")
ROOMS = {
    "P": "Positions (SF-P)",
    "R": "Reading files and forms (SF-R)",
    "A": "The sums (SF-A)",
    "C": "Claims, cases and the command line (SF-C)",
    "W": "Writing results (SF-W)",
    "Y": "The simulation (SF-Y)",
}
HEAD = """# Messages

Every doubt, every row set aside and every error carries one of these ids. The words in braces are filled in
when the message is shown. This page is written by `scripts/write_messages_page.py` from the English catalogue;
`--lang ru` shows the Russian one.
"""


def message_ids() -> list[str]:
    """Every message id of the English catalogue, sorted."""
    return sorted(id_ for id_ in catalogue("en") if MESSAGE_ID.fullmatch(id_))


def page() -> str:
    """The page as it should be."""
    entries = catalogue("en")
    parts = [HEAD]
    for letter, title in _rooms(message_ids()):
        parts.append(f"\n## {title}\n\n| id | what is the matter | what to do |\n|---|---|---|\n")
        parts += [_line(id_, entries[id_]) for id_ in message_ids() if id_[3] == letter]
    return "".join(parts)


def _rooms(ids: Iterable[str]) -> list[tuple[str, str]]:
    present = {id_[3] for id_ in ids}
    known = [(letter, title) for letter, title in ROOMS.items() if letter in present]
    return known + [(letter, f"SF-{letter}") for letter in sorted(present - set(ROOMS))]


def _line(id_: str, entry: Mapping[str, str]) -> str:
    return f"| {id_} | {_cell(entry['reason'])} | {_cell(entry['advice'])} |\n"


def _cell(text: str) -> str:
    for sign in "|*_<[":
        text = text.replace(sign, "\\" + sign if sign != "<" else "&lt;")
    return " ".join(text.split())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
