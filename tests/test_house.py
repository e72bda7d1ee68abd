"""The house rules as tests: public names, imports, lengths, messages."""

from __future__ import annotations

import ast
import hashlib
import re
import string
import tomllib
from pathlib import Path

import pytest

import surefoot
from surefoot.analysis.kernels import registration
from surefoot.messages import catalogue

SOURCE = Path(surefoot.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
LONGEST_FUNCTION, LONGEST_FILE = 50, 500
MESSAGE_ID = re.compile(r"SF-[A-Z]\d{3}")
PUBLIC = """
    Accidents Assessment Case Claim DevicesFound HazardousAreas LocateContext Measure MinefieldRecord Placements
    Priors ReadResult Reading Readings ReanchorContext SearchedAreas Similarity SurefootError Transform
    __version__ assess beta_binomial_interval default_priors describe fit_transform locate read read_case_folder
    reanchor simulate write_case
"""


def name_of(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_public_names_are_these() -> None:
    """A name may be added here with a line in the changelog; none goes without a decision record."""
    assert sorted(surefoot.__all__) == sorted(PUBLIC.split())
    for name in surefoot.__all__:
        assert getattr(surefoot, name) is not None
    with pytest.raises(AttributeError):
        _ = surefoot.no_such_name


def test_machine_code_on_disk_is_that_of_all_kernels() -> None:
    """Numba looks at the file of the calling kernel only: it must change when a kernel compiled into it does."""
    kernels = SOURCE / "analysis" / "kernels"
    callees = b"".join((kernels / name).read_bytes() for name in ("__init__.py", "assignments.py", "rows.py"))
    assert hashlib.sha256(callees).hexdigest()[:16] == registration.COMPILED_WITH, (
        "put the left value into registration.py"
    )


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_project_import_hides_in_a_function(path: Path) -> None:
    if path in (SOURCE / "cli.py", SOURCE / "__init__.py"):
        return
    hidden = [
        f"line {node.lineno}"
        for function in functions(path)
        for node in ast.walk(function)
        if (isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] == "surefoot"))
        or (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "surefoot" for alias in node.names))
    ]
    assert hidden == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_functions_and_files_are_short(path: Path) -> None:
    long = {}
    for function in functions(path):
        assert function.end_lineno is not None
        length = function.end_lineno - function.lineno + 1 - docstring_lines(function)
        if length > LONGEST_FUNCTION:
            long[function.name] = length
    assert long == {}
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


def docstring_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the docstring: describing every parameter with its unit is no reason to split a function."""
    first = function.body[0]
    if ast.get_docstring(function) is None or first.end_lineno is None:
        return 0
    return first.end_lineno - first.lineno + 1


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_broad_except(path: Path) -> None:
    broad = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ExceptHandler):
            caught = [] if node.type is None else node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {ast.unparse(kind) for kind in caught}
            if not names or names & {"Exception", "BaseException"}:
                broad.append(node.lineno)
    assert broad == []


def used_ids() -> dict[str, set[str]]:
    used: dict[str, set[str]] = {}
    for path in FILES:
        for id_ in MESSAGE_ID.findall(path.read_text(encoding="utf-8")):
            used.setdefault(id_, set()).add(name_of(path))
    for template in SOURCE.rglob("*.html"):
        for id_ in MESSAGE_ID.findall(template.read_text(encoding="utf-8")):
            used.setdefault(id_, set()).add(template.name)
    return used


def rooms(lang: str) -> dict[str, str]:
    """Message id -> the file it stands in; an id in two files would hide one of them."""
    found: dict[str, str] = {}
    for path in sorted((SOURCE / "locale" / lang).glob("*.toml")):
        for id_ in tomllib.loads(path.read_text(encoding="utf-8")):
            if MESSAGE_ID.fullmatch(id_):
                assert id_ not in found, f"{id_} stands in {found[id_]} and in {path.name}"
                found[id_] = path.name
    return found


def test_every_message_that_is_used_exists() -> None:
    missing = {id_: sorted(where) for id_, where in used_ids().items() if id_ not in rooms("en")}
    missing.pop("SF-X001", None)
    assert missing == {}


def test_every_message_exists_in_russian() -> None:
    assert sorted(set(rooms("en")) ^ set(rooms("ru"))) == []


def fields_of(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_translations_have_the_same_placeholders_and_other_words() -> None:
    english, russian = catalogue("en"), catalogue("ru")
    for id_ in sorted(set(rooms("en")) & set(rooms("ru"))):
        assert set(english[id_]) >= {"reason", "advice"}, id_
        both = [
            {name for key in ("reason", "advice") for name in fields_of(entry[id_][key])}
            for entry in (english, russian)
        ]
        assert both[0] == both[1], id_
        assert re.search("[а-яё]", russian[id_]["reason"] + russian[id_]["advice"]), id_


def test_nothing_ever_calls_land_safe() -> None:
    for lang in ("en", "ru"):
        for path in (SOURCE / "locale" / lang).glob("*.toml"):
            for line in path.read_text(encoding="utf-8").splitlines():
                if re.search(r"\b(is|are) (safe(?! to)|mine.?free)\b|(?<!не)безопасн[аоы]\b", line):
                    assert re.search(r"\b(no|not|never|nothing|не|нет)\b", line, re.IGNORECASE), (path.name, line)
