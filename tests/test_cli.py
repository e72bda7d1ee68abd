"""The commands as promised: help, strict JSON alone on stdout, seeds, languages, exit codes, no colour codes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pyogrio
import pytest
import shapely

from surefoot.__main__ import main

HERE = Path(__file__).parent
FORM = HERE / "readers" / "cases" / "01-polar-sk42.yaml"
COMMANDS = [["demo"], ["read"], ["assess"], ["reanchor"], ["simulate"], ["claims", "check"]]
ESCAPE = "\x1b["


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


def run(*arguments: object) -> Outcome:
    out, err, code = io.StringIO(), io.StringIO(), 0
    argv = ["surefoot", *(str(a) for a in arguments)]
    with mock.patch.object(sys, "argv", argv), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
    return Outcome(code, out.getvalue(), err.getvalue())


def strict(text: str) -> Any:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "case"
    outcome = run("simulate", "--preset", "easy", "--seed", "3", "--out", folder, "--json")
    assert outcome.code == 0, outcome.err
    told = strict(outcome.out)
    assert (told["schema"], told["preset"], told["seed"]) == ("surefoot/simulate-1", "easy", 3)
    assert told["records"] > 0
    return folder


@pytest.mark.parametrize("command", ["read", "assess", "demo", "simulate", "reanchor"])
@pytest.mark.parametrize("lang", ["en", "ru"])
def test_an_output_that_cannot_be_written_is_wrong_usage(case: Path, tmp_path: Path, command: str, lang: str) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    given = {
        "read": [FORM], "assess": [case], "demo": [], "simulate": ["--preset", "easy"],
        "reanchor": [case, "--record", "x"],
    }[command]  # fmt: skip
    bad = ["missing/x.json", "folder", "file/x.json"] if command in {"read", "reanchor"} else ["file", "file/below"]
    for name in bad:
        outcome = run(command, *given, "--out", tmp_path / name, "--lang", lang)
        assert outcome.code == 2
        assert outcome.err.startswith("SF-C069: ")
        assert str(tmp_path / name) in outcome.err
        assert len(outcome.err.splitlines()) == 2
        assert not outcome.out
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_a_disk_that_fails_while_writing_is_told(tmp_path: Path) -> None:
    with mock.patch.object(Path, "write_text", side_effect=OSError(28, "No space left on device", "out.json")):
        outcome = run("read", FORM, "--out", tmp_path / "out.json")
    assert outcome.code == 2
    assert outcome.err.startswith("SF-C069: ")
    assert "out.json" in outcome.err


# --- every command ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_names_the_promised_options(command: list[str]) -> None:
    outcome = run(*command, "--help")
    assert outcome.code == 0
    for option in ("--json", "--lang", "--seed", "--quiet"):
        assert option in outcome.out
    assert ESCAPE not in outcome.out


def test_without_a_command_there_is_help() -> None:
    outcome = run()
    assert "read" in outcome.out + outcome.err
    assert outcome.code in (0, 2)


def test_version() -> None:
    assert re.fullmatch(r"surefoot \d+\.\d+\.\d+\n", run("--version").out)


@pytest.mark.parametrize("command", [["sing"], ["read"], ["read", str(FORM), "--colour"], ["assess", "x"]])
def test_wrong_usage_is_two(command: list[str]) -> None:
    outcome = run(*command)
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err


@pytest.mark.parametrize("command", [["read", str(FORM)], ["simulate", "--preset", "easy", "--out", "x"]])
def test_an_unknown_language_is_wrong_usage(command: list[str], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = run(*command, "--lang", "xx")
    assert outcome.code == 2
    assert outcome.err.startswith("SF-C030")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_preset_is_wrong_usage(tmp_path: Path) -> None:
    outcome = run("simulate", "--preset", "nonsense", "--out", tmp_path / "case")
    assert outcome.code == 2
    assert outcome.err.startswith("SF-Y001")


# --- read ------------------------------------------------------------------------------------------------


def test_read_json_is_alone_and_as_promised() -> None:
    outcome = run("read", FORM, "--json", "--seed", "11")
    told = strict(outcome.out)
    assert (outcome.code, outcome.err) == (0, "")
    assert told["schema"] == "surefoot/read-1"
    assert told["seed"] == 11
    (record,) = told["records"]
    assert {
        "record_id", "form_no", "family", "series", "laid", "form_completeness", "locatability", "readings",
        "weight_cut", "items_by_type", "unallocated_by_type", "events", "doubts",
    } <= set(record)  # fmt: skip
    (reading,) = record["readings"]
    assert {"weight", "hypotheses", "operation", "pivot", "points", "legs", "rows", "area_wkt"} <= set(reading)
    for point in reading["points"].values():
        (ee, en), (ne, nn) = point["cov_m2"]
        assert en == pytest.approx(ne, rel=1e-9, abs=1e-9)
        assert ee * nn - en**2 >= 0


def test_read_writes_the_same_document_to_a_file(tmp_path: Path) -> None:
    told = run("read", FORM, "--json", "--out", tmp_path / "read.json").out
    assert (tmp_path / "read.json").read_text(encoding="utf-8") == told


def test_quiet_says_nothing() -> None:
    outcome = run("read", FORM, "--quiet")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


def test_russian_messages(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("form_no: '1'\nrows: [{no: 1, mines: {ПМН: '5'}}]\n", encoding="utf-8")
    english = strict(run("read", tmp_path / "bad.yaml", "--json").out)
    russian = strict(run("read", tmp_path / "bad.yaml", "--json", "--lang", "ru").out)
    told = [document["records"][0]["doubts"][0]["advice"] for document in (english, russian)]
    assert not re.search("[а-я]", told[0])
    assert re.search("[а-я]{4}", told[1])
    missing = run("read", tmp_path / "nowhere.yaml", "--lang", "ru")
    assert re.search("[а-я]{4}", missing.err)
    assert missing.code == 3


def test_languages_to_come_read_english(tmp_path: Path) -> None:
    assert run("read", FORM, "--json", "--lang", "hy").out == run("read", FORM, "--json").out


@pytest.mark.parametrize("variable", ["NO_COLOR", "TERM"])
def test_no_colour_codes_when_not_wanted(variable: str) -> None:
    environment = {**os.environ, "NO_COLOR": "1"} if variable == "NO_COLOR" else {**os.environ, "TERM": "dumb"}
    command = [sys.executable, "-m", "surefoot", "read", str(FORM)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert done.returncode == 0
    assert done.stdout
    assert ESCAPE not in done.stdout + done.stderr


# --- assess, claims, demo --------------------------------------------------------------------------------


def test_assess_json_is_alone_and_says_its_seed(case: Path, tmp_path: Path) -> None:
    outcome = run("assess", case, "--out", tmp_path / "out", "--json", "--seed", "7")
    assert outcome.code in (0, 1)
    told = strict(outcome.out)
    assert outcome.err == ""
    assert (told["schema"], told["seed"], told["simulated"]) == ("surefoot/assessment-1", 7, True)
    assert (tmp_path / "out" / "assessment.json").read_text(encoding="utf-8") == outcome.out
    assert {"assessment.gpkg", "ledger.xlsx", "report.html"} <= {p.name for p in (tmp_path / "out").iterdir()}


def test_assess_in_russian(case: Path, tmp_path: Path) -> None:
    outcome = run("assess", case, "--out", tmp_path / "out", "--lang", "ru", "--quiet")
    assert outcome.code in (0, 1)
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert 'lang="ru"' in report
    assert len(re.findall("[а-яё]{4,}", report)) > 200


def test_claims_check_compares_and_judges_nobody(case: Path) -> None:
    outcome = run("claims", "check", case, "--json")
    told = strict(outcome.out)
    assert told["schema"] == "surefoot/claims-1"
    assert {claim["claim_id"] for claim in told["claims"]} == {"SIM-C1", "SIM-C2", "SIM-C3"}
    verdicts = {reading["verdict"] for claim in told["claims"] for reading in claim["readings"]}
    assert verdicts <= {"consistent", "not consistent", "cannot be tested"}
    assert all(reading["reason"] for claim in told["claims"] for reading in claim["readings"])
    unspecified = next(claim for claim in told["claims"] if claim["measure"] == "unspecified")
    assert len(unspecified["readings"]) > 3
    text = run("claims", "check", case)
    assert "Party A" in text.out
    assert not re.search(r"\b(true|false|wrong|lie)\b", text.out.casefold())


@pytest.mark.slow
def test_demo_ends_with_the_path_of_its_report(tmp_path: Path) -> None:
    outcome = run("demo", "--out", tmp_path / "demo")
    assert outcome.code in (0, 1), outcome.err
    last = outcome.out.rstrip("\n").splitlines()[-1]
    assert Path(last).is_file()
    assert Path(last) == tmp_path / "demo" / "report.html"
    assert "simulated" in Path(last).read_text(encoding="utf-8").casefold()


@pytest.mark.slow
def test_demo_json_is_strict(tmp_path: Path) -> None:
    outcome = run("demo", "--out", tmp_path / "demo", "--json")
    assert strict(outcome.out)["simulated"] is True


def test_reanchor_tells_what_remains_possible(case: Path, tmp_path: Path) -> None:
    record = sorted(path.stem for path in (case / "records").iterdir())[0]
    written = tmp_path / "one.json"
    outcome = run("reanchor", case, "--record", record, "--json", "--out", written)
    assert outcome.code == 0, outcome.err
    told = strict(outcome.out)
    assert told == strict(written.read_text(encoding="utf-8"))
    assert told["schema"] == "surefoot/reanchor-1"
    assert told["simulated"] is True
    assert sum(p["weight"] for p in told["placements"]) + told["weight_not_listed"] == pytest.approx(1.0)
    assert {item["placement"] for item in told["items"]} == set(range(1, len(told["placements"]) + 1))
    assert all(0.0 <= item["p_present"] <= 1.0 for item in told["items"])
    assert len(told["devices"]) == sum(item["is_best"] for item in told["items"])
    assert all(d["cov_ee_m2"] > 0.0 and d["cov_nn_m2"] > 0.0 for d in told["devices"])


def test_reanchor_writes_where_the_devices_may_lie(case: Path, tmp_path: Path) -> None:
    record = sorted(path.stem for path in (case / "records").iterdir())[0]
    refused = run("reanchor", case, "--record", record, "--raster", tmp_path / "ground.tif")
    assert refused.code == 2
    assert "SF-C054" in refused.err
    outcome = run("reanchor", case, "--record", record, "--json", "--raster", tmp_path / "ground.asc")
    assert outcome.code == 0, outcome.err
    lines = (tmp_path / "ground.asc").read_text(encoding="ascii").splitlines()
    cells = sum(float(value) for line in lines[6:] for value in line.split())
    told = strict(outcome.out)
    best = sum(item["p_present"] for item in told["items"] if item["is_best"])
    assert cells == pytest.approx(best, rel=0.25)  # of the first patch; the heaviest placement stands in it
    if told["region"] is not None:
        inner, outer = (shapely.from_wkt(level["wkt"]) for level in told["region"]["levels"])
        assert outer.buffer(1e-7).covers(inner)


def test_reanchor_names_the_records_when_there_is_no_such_one(case: Path) -> None:
    outcome = run("reanchor", case, "--record", "no such record")
    assert outcome.code == 3
    assert "SF-C033" in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("scheduler", ["serial", pytest.param("processes", marks=pytest.mark.slow)])
def test_no_scheduler_changes_what_is_told(case: Path, scheduler: str) -> None:
    record = sorted(path.stem for path in (case / "records").iterdir())[0]
    threads, other = (
        run("reanchor", case, "--record", record, "--json", *chosen) for chosen in ([], ["--scheduler", scheduler])
    )
    assert other.code == 0, other.err
    assert other.out == threads.out


@pytest.mark.parametrize("lang", ["en", "ru"])
@pytest.mark.parametrize("command", ["assess", "reanchor"])
def test_an_unknown_scheduler_is_told_before_anything_is_read(tmp_path: Path, command: str, lang: str) -> None:
    rest = ["--out", tmp_path / "out"] if command == "assess" else ["--record", "1"]
    outcome = run(command, tmp_path / "no such case", *rest, "--lang", lang, "--scheduler", "slurm")
    assert outcome.code == 2
    assert "SF-C070" in outcome.err
    assert "slurm" in outcome.err
    assert "Traceback" not in outcome.err


def test_matrices_use_one_thread_whatever_the_machine_unless_the_user_says_otherwise() -> None:
    code = """
import os, sys, surefoot.__main__ as program
assert "numpy" not in sys.modules
program._one_thread_of_algebra()
print(os.environ["OPENBLAS_NUM_THREADS"], os.environ["MKL_NUM_THREADS"])
"""
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")} | {"MKL_NUM_THREADS": "3"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "3"]


def with_rules(case: Path, folder: Path, rules: str | None) -> tuple[Path, str]:
    """A copy of the case with other limits of work (None: none set at all), and the id of a record with finds."""
    copy = folder / "case"
    shutil.copytree(case, copy)
    toml = (copy / "case.toml").read_text(encoding="utf-8")
    head, _, rest = toml.partition("[policy.lane_rules]\n")
    kept = rest[rest.index("\n\n") :]
    table = "" if rules is None else f"[policy.lane_rules]\n{rules}"
    (copy / "case.toml").write_text(f"{head}{table}{kept}", encoding="utf-8")
    return copy, sorted(path.stem for path in (case / "records").iterdir())[0]


@pytest.fixture(scope="module")
def proposed(case: Path) -> Any:
    record = sorted(path.stem for path in (case / "records").iterdir())[0]
    outcome = run("reanchor", case, "--record", record, "--next", "3", "--json")
    assert outcome.code == 0, outcome.err
    return strict(outcome.out)


def test_next_proposes_ground_with_what_it_promises_and_what_it_does_not_say(proposed: Any) -> None:
    part = proposed["next_search"]
    assert "order of work and the safety distances are the operator's" in part["note"]
    assert "not declared safe" in part["note"]
    assert [one["rank"] for one in part["proposals"]] == list(range(1, len(part["proposals"]) + 1))
    assert part["proposals"]
    assert part["detection_probability"] == {"value": 0.98, "stated": True}
    for one in part["proposals"]:
        low, high = one["finds_interval"]
        assert 0.0 <= low <= high
        assert one["expected_finds"] >= one["background_finds"] >= 0.0
        assert one["information_gain"] >= 0.0
        assert one["start"] is None  # no limit says from which side
        assert one["bearing_deg"] < 180.0
        assert shapely.from_wkt(one["wkt"]).is_valid


def test_next_is_shown_in_both_languages(case: Path, proposed: Any) -> None:
    record = proposed["record_id"]
    for lang, sentence in (("en", "is not declared safe"), ("ru", "не объявляется безопасной")):
        shown = run("reanchor", case, "--record", record, "--next", "2", "--lang", lang)
        assert shown.code == 0, shown.err
        assert sentence in " ".join(shown.out.split())


def test_without_limits_of_work_nothing_is_proposed(case: Path, tmp_path: Path) -> None:
    copy, record = with_rules(case, tmp_path, None)
    outcome = run("reanchor", copy, "--record", record, "--next", "3", "--json")
    assert outcome.code == 1
    part = strict(outcome.out)["next_search"]
    assert part["proposals"] == []
    assert part["limits"] is None
    assert part["reason"]["id"] == "SF-C035"
    assert "SF-C035" in run("reanchor", copy, "--record", record, "--next", "3").out


@pytest.mark.parametrize(
    ("rules", "id_"),
    [
        ('forbiden = "no.geojson"\n', "SF-R191"),  # a misspelt limit is no limit
        ('forbidden = "no.geojson"\n', "SF-R192"),  # no such file
        ('forbidden = "../no.geojson"\n', "SF-R192"),
        ('forbidden = "finds.csv"\n', "SF-R192"),  # points are no ground
        ("forbidden = 3\n", "SF-R162"),
        ("keep_off_m = -1\n", "SF-R162"),
        ("directions_deg = [400]\n", "SF-R162"),
        ("detection_probability = 1.0\n", "SF-R162"),
    ],
)
def test_a_limit_that_cannot_be_used_stops_the_proposal(case: Path, tmp_path: Path, rules: str, id_: str) -> None:
    copy, record = with_rules(case, tmp_path, rules)
    outcome = run("reanchor", copy, "--record", record, "--next", "3")
    assert outcome.code == 2
    assert id_ in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("mistake", ["axes swapped", "outline crosses itself"])
def test_a_limit_that_lies_elsewhere_or_is_no_area_stops_the_proposal(
    case: Path, proposed: Any, tmp_path: Path, mistake: str
) -> None:
    west, south, east, north = shapely.from_wkt(proposed["next_search"]["proposals"][0]["wkt"]).bounds
    ring = [(west, south), (east, south), (east, north), (west, north)]
    ring = [(y, x) for x, y in ring] if mistake == "axes swapped" else [ring[n] for n in (0, 2, 1, 3)]
    copy, record = with_rules(case, tmp_path, 'forbidden = "no.geojson"\n')
    geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    feature = {"type": "Feature", "properties": {}, "geometry": geometry}
    (copy / "no.geojson").write_text(json.dumps(feature), encoding="utf-8")
    outcome = run("reanchor", copy, "--record", record, "--next", "3")
    assert outcome.code == 2
    assert "SF-R192" in outcome.err
    assert ("SF-R125" if mistake == "axes swapped" else "SF-R133") in outcome.err


def test_limits_from_files_are_kept_and_the_map_layer_is_styled(case: Path, proposed: Any, tmp_path: Path) -> None:
    best = shapely.from_wkt(proposed["next_search"]["proposals"][0]["wkt"])
    rules = 'forbidden = "no.geojson"\nkeep_off_m = 2.0\ndirections_deg = [0]\ndirection_tolerance_deg = 5\n'
    copy, record = with_rules(case, tmp_path, rules)
    (copy / "no.geojson").write_text(
        json.dumps({"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(best)}), encoding="utf-8"
    )
    told = strict(run("read", copy, "--json").out)
    assert not any(doubt["id"] == "SF-R189" for doubt in told["doubts"])  # it belongs to no table and yet is read
    written = tmp_path / "next.gpkg"
    outcome = run("reanchor", copy, "--record", record, "--next", "3", "--json", "--out", written)
    assert outcome.code == 0, outcome.err
    part = strict(outcome.out)["next_search"]
    assert part["limits"]["forbidden"]
    assert not part["limits"]["access"]
    assert not part["detection_probability"]["stated"]
    for one in part["proposals"]:
        assert not shapely.from_wkt(one["wkt"]).intersects(best)
        assert min(one["bearing_deg"], 360.0 - one["bearing_deg"]) <= 5.01
        assert one["start"] is not None
    layer = pyogrio.read_dataframe(written, layer="next_search")
    assert list(layer["rank"]) == [one["rank"] for one in part["proposals"]]
    assert layer["note"].str.contains("not declared safe").all()
    assert layer["simulated"].all()
    assert {name for name, _ in pyogrio.list_layers(written)} == {"next_search", "layer_styles"}


def test_a_geopackage_without_next_is_refused(case: Path, proposed: Any, tmp_path: Path) -> None:
    for arguments in (["--out", tmp_path / "a.gpkg"], ["--next", "-1"], ["--next", "51"]):
        outcome = run("reanchor", case, "--record", proposed["record_id"], *arguments)
        assert outcome.code == 2
        assert outcome.err.startswith("SF-C03")


@pytest.mark.slow
def test_reanchor_tells_what_was_set_aside(case: Path, tmp_path: Path) -> None:
    copy = tmp_path / "with a broken row"
    shutil.copytree(case, copy)
    with (copy / "finds.csv").open("a", encoding="utf-8") as table:
        table.write("NOWHERE" + "," * 5 + "\n")
    record = json.loads(run("read", copy, "--json").out)["records"][0]["record_id"]
    outcome = run("reanchor", copy, "--record", record, "--json")
    assert outcome.code == 1
    assert len(json.loads(outcome.out)["set_aside"]) == 1
    assert "finds.csv" in run("reanchor", copy, "--record", record).out
