"""The documentation against the program: commands print what is shown, everything is documented, links resolve."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import typer

import surefoot
from surefoot.cli import LANGUAGES, app

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
console: dict[str, Any] = runpy.run_path(str(ROOT / "scripts" / "docs_console.py"))
messages_page: dict[str, Any] = runpy.run_path(str(ROOT / "scripts" / "write_messages_page.py"))

PAGES = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted(
    DOCS.rglob("*.md")
)
SHOWING = [page for page in PAGES if "```console" in page.read_text(encoding="utf-8")]
QUICK = {"commands.md", "exit-codes.md"}
LINK = re.compile(r"(?<!\!)\[[^\]]+\]\(([^)\s]+)\)|\!\[[^\]]*\]\(([^)\s]+)\)")
REQUEST = re.compile(r"<(?:link|script|img|iframe)[^>]*(?:href|src)=[\"']?(?:https?:)?//", re.IGNORECASE)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def comparable(text: str) -> list[str]:
    """The words of an output: tables as wide as they like, paths with either slash."""
    lines = (re.sub(r"[━┃│─┏┓┗┛┡┩┳╇┴┬┼└┘├┤┌┐╭╮╰╯]+", " ", line) for line in text.splitlines())
    return [" ".join(line.replace("\\", "/").split()) for line in lines if line.strip()]


# --- the commands ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, id=name_of(page), marks=[] if page.name in QUICK else [pytest.mark.slow]) for page in SHOWING],
)
def test_commands_print_what_is_shown(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    if console["needs_data"](text) and not console["DATA"].is_dir():
        pytest.skip(f"{page.name} needs data that are not shipped (SUREFOOT_DATA names their folder)")
    for block in console["blocks_in"](text):
        if block["file"]:
            console["write_file"](block, tmp_path)
        if block["kind"] == "console":
            for shown in console["commands_in"](block["body"]):
                printed = console["run"](shown.command, tmp_path)
                assert comparable(printed) == comparable(shown.output), f"$ {shown.command}"


def test_the_comparison_can_fail() -> None:
    assert comparable("│ D1 │ 68 % │\n") == comparable("┃ D1  ┃  68 %   ┃")
    assert comparable("D1 68 %") != comparable("D1 67 %")
    assert comparable("one\ntwo\n") != comparable("one\n")


def test_blocks_and_commands_are_found() -> None:
    page = "<!-- file: a/b.txt -->\n```yaml\nx: 1\n```\n\n```console\n$ one\nout\n$ two\n```\n\n```python\n$ no\n```\n"
    file, shell = console["blocks_in"](page)
    assert (file["file"], file["body"]) == ("a/b.txt", "x: 1\n")
    assert [(s.command, s.output) for s in console["commands_in"](shell["body"])] == [
        ("one", "out\n"),
        ("two", ""),
    ]


# --- everything is documented ----------------------------------------------------------------------------


def commands() -> list[tuple[str, click.Command]]:
    """Every command of the program by its full name."""
    found: list[tuple[str, click.Command]] = []

    def walk(name: str, command: click.Command) -> None:
        found.append((name, command))
        for below, child in getattr(command, "commands", {}).items():
            walk(f"{name} {below}", child)

    walk("surefoot", typer.main.get_command(app))
    return found


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_every_command_is_in_the_reference(name: str) -> None:
    page = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    assert f"$ {name} --help\nUsage: {name} " in page


def test_the_commands_that_work_on_a_case_share_their_options() -> None:
    for name, command in commands():
        if hasattr(command, "commands"):
            continue
        options = {option for parameter in command.params for option in parameter.opts}
        assert {"--json", "--lang", "--seed", "--quiet"} <= options, name


def test_the_messages_page_is_current() -> None:
    page = (DOCS / "reference" / "messages.md").read_text(encoding="utf-8")
    assert page == messages_page["page"](), "run scripts/write_messages_page.py"


def test_every_message_id_of_the_catalogue_is_on_the_messages_page() -> None:
    page = (DOCS / "reference" / "messages.md").read_text(encoding="utf-8")
    written = (ROOT / "src" / "surefoot" / "locale" / "en").glob("*.toml")
    ids = {i for room in written for i in re.findall(r"^\[(SF-[A-Z]\d{3})\]", room.read_text("utf-8"), re.M)}
    assert len(ids) > 100
    assert {i for i in ids if f"| {i} |" not in page} == set()


def test_the_priors_page_shows_the_table_that_ships() -> None:
    table = (ROOT / "src" / "surefoot" / "data" / "priors.toml").read_text(encoding="utf-8").strip()
    assert f"```toml\n{table}\n```" in (DOCS / "reference" / "priors.md").read_text(encoding="utf-8")


def test_every_field_of_the_form_is_in_the_reference() -> None:
    schema = ROOT / "src" / "surefoot" / "data" / "record.schema.json"
    page = (DOCS / "reference" / "record-form.md").read_text(encoding="utf-8")
    fields = json.loads(schema.read_text(encoding="utf-8"))["properties"]
    assert {field for field in fields if f"`{field}`" not in page} == set()


def test_every_public_name_is_on_the_python_page() -> None:
    page = (DOCS / "reference" / "python.md").read_text(encoding="utf-8")
    assert [name for name in surefoot.__all__ if not re.search(rf"`{name}[`(]", page)] == []


def test_every_language_option_is_named_on_the_commands_page() -> None:
    page = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    assert all(lang in page for lang in LANGUAGES)


# --- links and wording -----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_resolve(page: Path) -> None:
    broken = []
    for match in LINK.finditer(page.read_text(encoding="utf-8")):
        target = (match[1] or match[2]).partition("#")[0]
        if target and not re.match(r"https?://", target) and not (page.parent / target).is_file():
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_path_of_a_machine_is_shown(page: Path) -> None:
    found = re.search(r"(?<![\w./])/(?:work|tmp|home|root|Users)/\S*", page.read_text(encoding="utf-8"))
    assert found is None, found


def test_every_decision_is_in_the_index() -> None:
    index = (DOCS / "decisions" / "index.md").read_text(encoding="utf-8")
    for decision in sorted((DOCS / "decisions").glob("0*.md")):
        assert decision.name in index
        text = decision.read_text(encoding="utf-8")
        for part in ("Context", "Decision", "Measurement", "Consequences"):
            assert f"**{part}.**" in text, (decision.name, part)


def test_the_picture_is_small() -> None:
    assert 10_000 < (DOCS / "images" / "report.png").stat().st_size < 300_000


# --- the site --------------------------------------------------------------------------------------------


def test_the_site_builds_without_a_warning_and_asks_nobody(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    pages = sorted(tmp_path.rglob("*.html"))
    assert len(pages) >= len(list(DOCS.rglob("*.md")))
    for page in pages:
        assert REQUEST.search(page.read_text(encoding="utf-8")) is None, page.name
