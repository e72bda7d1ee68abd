"""The commands shown in the documentation, run for real.

A page is read from top to bottom in one empty folder. A comment ``<!-- file: NAME -->`` before a fenced block
writes the block to that file. In a block marked ``console`` every line ``$ command`` is run by a shell, and the
lines under it are what it printed. ``DATA=path/to/data`` stands for data that are not shipped.

``python scripts/docs_console.py PAGE...`` writes the output anew; a test holds pages and program together.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
DATA = Path(os.environ.get("SUREFOOT_DATA", ROOT.parent / "shared" / "data"))
BLOCK = re.compile(
    r"(?:<!-- file: (?P<file>\S+) -->\n+)?^```(?P<kind>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)
# make prints the command it runs; setting up .venv is no part of what is shown
STANDS_FOR = {"make demo": "echo .venv/bin/surefoot demo --out demo; surefoot demo --out demo"}
DATA_LINE = "DATA=path/to/data"


@dataclass(frozen=True)
class Shown:
    """One command of a page with the output shown under it."""

    command: str
    output: str


def commands_in(body: str) -> list[Shown]:
    """Split a console block into its commands."""
    parts = re.split(r"^\$ ", body, flags=re.MULTILINE)
    if parts[0].strip():
        raise ValueError(f"a console block starts with output: {parts[0][:60]!r}")
    split = [part.partition("\n") for part in parts[1:]]
    return [Shown(command, output) for command, _, output in split]


def blocks_in(text: str) -> Iterator[re.Match[str]]:
    """The blocks of a page that do something: files to write and consoles."""
    for block in BLOCK.finditer(text):
        if block["file"] or block["kind"] == "console":
            yield block


def needs_data(text: str) -> bool:
    """Whether a page works on data that are not shipped."""
    return f"$ {DATA_LINE}" in text


def run(command: str, folder: Path) -> str:
    """What a command prints in that folder, both streams, on a terminal of 80 columns that shows no colours."""
    if command == DATA_LINE:
        return ""
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "DATA": str(DATA),
        "COLUMNS": "80",
        "NO_COLOR": "1",
        "PYTHONWARNINGS": "ignore",
    }
    done = subprocess.run(
        ["bash", "-c", STANDS_FOR.get(command, command)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        timeout=600,
        check=False,
    )
    return done.stdout.decode("utf-8")


def write_file(block: re.Match[str], folder: Path) -> None:
    """Write a file that a page shows."""
    path = folder / block["file"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block["body"], encoding="utf-8")


def without_trailing_space(text: str) -> str:
    """Tables are padded to the width of the terminal; a page keeps what can be seen."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def refreshed(text: str, folder: Path) -> str:
    """Return the page with the output of every command as it is now."""

    def replaced(block: re.Match[str]) -> str:
        if block["file"]:
            write_file(block, folder)
        if block["kind"] != "console":
            return block[0]
        lines = []
        for shown in commands_in(block["body"]):
            output = without_trailing_space(run(shown.command, folder))
            lines += [f"$ {shown.command}", *([output] if output else [])]
        return "```console\n" + "\n".join(lines) + "\n```"

    return BLOCK.sub(replaced, text)


def main(pages: list[str]) -> None:
    """Write the output in these pages anew."""
    for name in pages:
        page = Path(name)
        with tempfile.TemporaryDirectory() as folder:
            page.write_text(refreshed(page.read_text(encoding="utf-8"), Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
