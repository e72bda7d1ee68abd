"""The door for the terminal. Thin: every command reads, calls one function and writes.

Project imports stand inside the commands: ``surefoot --help`` must answer at once.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from surefoot import __version__

if TYPE_CHECKING:
    from surefoot.analysis.assess import Assessment
    from surefoot.analysis.reanchor import Placements, ReanchorContext
    from surefoot.jobs import Runner
    from surefoot.model import Case
    from surefoot.readers import ReadResult

EXIT_OK, EXIT_WITH_DOUBTS, EXIT_USAGE, EXIT_REFUSED = 0, 1, 2, 3
MOST_STRIPS = 50  # of one proposal
LANGUAGES = ("en", "az", "hy", "ru", "uk")
DEFAULT_SCHEDULER = "threads"

app = typer.Typer(
    name="surefoot",
    help="Reads minefield records in order to clear mines. It proposes; the national authority decides. "
    "It never says that land is safe.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich costs 0.2 s before the first word of help
    pretty_exceptions_enable=False,
)
claims_app = typer.Typer(help="Public figures: listed, attributed, compared with the data.", no_args_is_help=True)
app.add_typer(claims_app, name="claims")

Json = Annotated[bool, typer.Option("--json", help="Strict JSON on stdout and nothing else there.")]
Lang = Annotated[str, typer.Option("--lang", help="Language of messages and reports: en, ru; az, hy, uk read English.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of every random draw; written into the output.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No tables and no progress.")]
Reanchor = Annotated[
    bool | None,
    typer.Option(
        "--reanchor/--as-recorded",
        help="Correct the records from the finds, or leave them as they stand; default: up to 300 records.",
        show_default=False,
    ),
]
Scheduler = Annotated[
    str,
    typer.Option(
        "--scheduler",
        help="Where records are corrected: serial, threads (one a core), processes, or tcp://HOST:PORT of a Dask "
        "cluster. The result is the same.",
    ),
]
CaseFolder = Annotated[Path, typer.Argument(metavar="CASE", help="A case folder.")]

_spoken = {"lang": "en"}


def spoken_language() -> str:
    """Language the running command was asked to speak."""
    return _spoken["lang"]


def _speak(lang: str) -> str:
    from surefoot.errors import UsageError

    if lang not in LANGUAGES:
        raise UsageError("SF-C030", lang, known=", ".join(LANGUAGES))
    _spoken["lang"] = lang
    return lang


def _version(shown: bool) -> None:
    if shown:
        typer.echo(f"surefoot {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Surefoot."""


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder to write into.")] = Path("surefoot-demo"),
    as_json: Json = False,
    lang: Lang = "en",
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Run the main job on the built-in simulated example; ends with the path of the report."""
    _speak(lang)
    _writable(folder=out / "case")
    _clear_old_demo(out / "case")
    _simulate("nominal", seed, out / "case")
    _assess(out / "case", out, as_json=as_json, lang=lang, seed=seed, quiet=quiet)


@app.command()
def read(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files or case folders.")],
    bbox: Annotated[str, typer.Option("--bbox", help="W,S,E,N in degrees: what lies far outside is set aside.")] = "",
    as_json: Json = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write the JSON document to this file.")] = None,
    lang: Lang = "en",
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Show what is in these files: facts, weighted readings, doubts, rows set aside with reasons."""
    from surefoot import readers
    from surefoot.writers.assessment_json import dumps
    from surefoot.writers.outputs import writing
    from surefoot.writers.read_json import read_document

    _speak(lang)
    _writable(file=out)
    result = readers.read(paths, region=_region(bbox))
    document = read_document(result.records, result.tables, result.set_aside, result.doubts, lang=lang, seed=seed)
    if out is not None:
        with writing(out):
            out.write_text(dumps(document), encoding="utf-8")
    if as_json:
        _print_json(document)
    elif not quiet:
        _show_reading(document, lang)
    raise typer.Exit(_code_of_reading(result))


def _code_of_reading(result: ReadResult) -> int:
    from surefoot.terms import Severity

    usable = sum(table.accepted + table.accepted_with_doubts for table in result.tables)
    if usable == 0:
        return EXIT_REFUSED
    return EXIT_WITH_DOUBTS if result.set_aside or result.worst is Severity.ERROR else EXIT_OK


@app.command()
def assess(
    case: CaseFolder,
    out: Annotated[Path, typer.Option("--out", help="Folder to write into.")],
    as_json: Json = False,
    lang: Lang = "en",
    seed: Seed = 0,
    quiet: Quiet = False,
    reanchoring: Reanchor = None,
    scheduler: Scheduler = DEFAULT_SCHEDULER,
) -> None:
    """Run all steps on a case folder; prints a summary table."""
    _speak(lang)
    _writable(folder=out)
    _assess(
        case, out, as_json=as_json, lang=lang, seed=seed, quiet=quiet, reanchoring=reanchoring, scheduler=scheduler
    )  # fmt: skip


@app.command()
def simulate(
    preset: Annotated[str, typer.Option("--preset", help="easy, nominal or null.")],
    out: Annotated[Path, typer.Option("--out", help="Case folder to write.")],
    as_json: Json = False,
    lang: Lang = "en",
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Write a made-up region with known truth, as a case folder with truth/."""
    _speak(lang)
    _writable(folder=out)
    written = _simulate(preset, seed, out)
    if as_json:
        _print_json({"schema": "surefoot/simulate-1", "preset": preset, "seed": seed, **written})
    elif not quiet:
        typer.echo(f"{written['records']} simulated records, {written['finds']} finds: {out}")


@app.command()
def reanchor(
    case: CaseFolder,
    record: Annotated[str, typer.Option("--record", help="Id of the record.")],
    strips: Annotated[int, typer.Option("--next", help="Propose this many lanes and boxes to search next.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write the JSON document to this file; NAME.gpkg: the proposed ground for QGIS."),
    ] = None,
    raster: Annotated[
        Path | None,
        typer.Option(
            "--raster",
            help="Write where the devices not found yet may lie, expected number a cell: an ESRI ASCII grid, NAME.asc.",
        ),
    ] = None,
    as_json: Json = False,
    lang: Lang = "en",
    seed: Seed = 0,
    quiet: Quiet = False,
    scheduler: Scheduler = DEFAULT_SCHEDULER,
) -> None:
    """Hold one record against its finds: the placements that remain possible, and where to search next."""
    from surefoot.errors import UsageError
    from surefoot.jobs import running

    _speak(lang)
    if not 0 <= strips <= MOST_STRIPS:
        raise UsageError("SF-C036", str(strips), most=MOST_STRIPS)
    if out is not None and out.suffix == ".gpkg" and strips == 0:
        raise UsageError("SF-C037", out.name)
    if raster is not None and raster.suffix != ".asc":
        raise UsageError("SF-C054", raster.name)
    _writable(file=out)
    _writable(file=raster)
    with running(scheduler) as runner:
        document = _reanchored(case, record, seed, strips, runner, raster, lang)
    if out is not None:
        _write_reanchored(document, out)
    if as_json:
        _print_json(document)
    elif not quiet:
        from surefoot.writers.terminal import show_reanchored

        show_reanchored(document, lang)
    unset = strips > 0 and document["next_search"]["limits"] is None
    serious = document["set_aside"] or any(doubt["severity"] == "error" for doubt in document["doubts"])
    raise typer.Exit(EXIT_WITH_DOUBTS if unset or serious else EXIT_OK)


@claims_app.command("check")
def claims_check(
    case: CaseFolder, as_json: Json = False, lang: Lang = "en", seed: Seed = 0, quiet: Quiet = False,
    reanchoring: Reanchor = None,
) -> None:  # fmt: skip
    """Compare each confirmed claim of a case with every measure it could mean."""
    _speak(lang)
    assessment = _assessment(case, seed, quiet or as_json, reanchoring)
    described = _describe(assessment, lang)
    document = {key: described.document[key] for key in ("case", "simulated", "as_of", "version", "seed", "claims")}
    if as_json:
        _print_json({"schema": "surefoot/claims-1", **document})
    elif not quiet:
        _show_claims(document, lang)
    raise typer.Exit(_code_of_assessment(assessment))


# --- what the commands share -----------------------------------------------------------------------------


def _writable(*, file: Path | None = None, folder: Path | None = None) -> None:
    """Refuse an output before anything is computed for it."""
    from surefoot.writers.outputs import check_file, check_folder

    if file is not None:
        check_file(file)
    if folder is not None:
        check_folder(folder)


def _simulate(preset: str, seed: int, folder: Path) -> Mapping[str, int]:
    import numpy as np

    from surefoot.analysis.synthetic import simulate as make_region
    from surefoot.writers.case_folder import write_case
    from surefoot.writers.outputs import writing

    region = make_region(preset, rng=np.random.default_rng(seed))
    with writing(folder):
        write_case(region, folder)
    return {"records": len(region.forms), "finds": len(region.finds.id)}


def _clear_old_demo(folder: Path) -> None:
    """Remove the case of an earlier demo; any other folder of that name is refused when it is written."""
    settings = folder / "case.toml"
    if settings.is_file() and "simulated = true" in settings.read_text(encoding="utf-8"):
        shutil.rmtree(folder)


def _reanchored(
    folder: Path, record_id: str, seed: int, strips: int, runner: Runner, raster: Path | None, lang: str
) -> Mapping[str, Any]:
    import numpy as np

    from surefoot import readers
    from surefoot.analysis.assess.ground import grid_of
    from surefoot.analysis.locate import LocateContext, Priors
    from surefoot.analysis.reanchor import ReanchorContext
    from surefoot.analysis.reanchor import reanchor as correct
    from surefoot.errors import RefusedError
    from surefoot.writers.reanchor_json import reanchor_document

    case = readers.read_case_folder(folder)
    known = [one.record_id for one in case.records]
    if record_id not in known:
        raise RefusedError("SF-C033", record_id, known=", ".join(known[:20]) + (" ..." if len(known) > 20 else ""))
    settings = case.settings
    region = settings.region if settings.region_stated else None
    context = ReanchorContext(grid_of(case), LocateContext(Priors(settings.priors), region, series=settings.series))
    results = correct(
        case.records, case.finds, case.searched, context=context, rng=np.random.default_rng(seed),
        accidents=case.accidents, wanted=record_id, runner=runner,
    )  # fmt: skip
    if record_id not in results:
        raise RefusedError("SF-C034", record_id)
    document = reanchor_document(case, context.grid, results[record_id], version=__version__, seed=seed, lang=lang)
    if strips:
        document["next_search"] = _next_search(folder, case, context, results[record_id], seed, strips)
    if raster is not None:
        _write_raster(results[record_id], context.grid.crs, raster)
    return document


def _write_raster(result: Placements, crs: str, path: Path) -> None:
    from surefoot.analysis.reanchor.region import region_of
    from surefoot.writers.ascii_grid import write_ascii_grid
    from surefoot.writers.outputs import writing

    with writing(path):
        write_ascii_grid(region_of(result.placements), crs, path)


def _next_search(
    folder: Path, case: Case, context: ReanchorContext, result: Placements, seed: int, strips: int
) -> dict[str, Any]:
    from surefoot.analysis.nextstrip import next_search
    from surefoot.readers.lane_rules import read_lane_rules
    from surefoot.writers.next_search import next_search_document, nothing_proposed

    stated = case.settings.policy.lane_rules
    if stated is None:
        return nothing_proposed("SF-C035", strips)
    rules = read_lane_rules(folder, stated, case.settings.region)
    proposals, search = next_search(result, case.searched, rules, context=context, count=strips, seed=seed)
    return next_search_document(proposals, rules, search, context.grid, asked=strips)


def _write_reanchored(document: Mapping[str, Any], out: Path) -> None:
    from surefoot.writers.assessment_json import dumps
    from surefoot.writers.next_search import write_next_search
    from surefoot.writers.outputs import writing

    with writing(out):
        if out.suffix == ".gpkg":
            write_next_search(document, out)
        else:
            out.write_text(dumps(document), encoding="utf-8")


def _assessment(
    folder: Path, seed: int, quiet: bool, reanchoring: bool | None, scheduler: str = DEFAULT_SCHEDULER
) -> Assessment:
    from surefoot import readers
    from surefoot.analysis.assess import assess as assess_case
    from surefoot.errors import RefusedError
    from surefoot.jobs import running

    with running(scheduler) as runner:
        case = readers.read_case_folder(folder)
        if not any(t.accepted + t.accepted_with_doubts for t in case.tables if t.kind != "claims"):
            raise RefusedError("SF-C031", str(folder))
        with _progress(quiet) as tell:
            return assess_case(case, seed=seed, runner=runner, progress=tell, reanchoring=reanchoring)


def _describe(assessment: Assessment, lang: str) -> Any:
    from surefoot.writers.describe import describe

    return describe(assessment, version=__version__, lang=lang)


def _assess(
    folder: Path, out: Path, *, as_json: bool, lang: str, seed: int, quiet: bool, reanchoring: bool | None = None,
    scheduler: str = DEFAULT_SCHEDULER,
) -> None:  # fmt: skip
    from surefoot.writers.outputs import writing
    from surefoot.writers.products import write_products

    assessment = _assessment(folder, seed, quiet or as_json, reanchoring, scheduler)
    described = _describe(assessment, lang)
    with writing(out):
        write_products(described, out, lang=lang)
    if as_json:
        _print_json(described.document)
    elif not quiet:
        _show_assessment(described.document, lang)
    if not as_json:
        typer.echo(str(out / "report.html"))
    raise typer.Exit(_code_of_assessment(assessment))


def _code_of_assessment(assessment: Assessment) -> int:
    from surefoot.terms import Severity

    doubts = [*assessment.case.doubts, *assessment.ledger.doubts]
    doubts += [doubt for record in assessment.case.records for doubt in record.doubts]
    doubts += [doubt for readings in assessment.located for doubt in readings.doubts]
    serious = any(doubt.severity is Severity.ERROR for doubt in doubts)
    return EXIT_WITH_DOUBTS if serious or assessment.case.set_aside else EXIT_OK


def _region(bbox: str) -> Any:
    from shapely.geometry import box

    from surefoot.errors import UsageError

    if not bbox:
        return None
    try:
        west, south, east, north = (float(part) for part in bbox.split(","))
    except ValueError as error:
        raise UsageError("SF-C032", bbox) from error
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise UsageError("SF-C032", bbox)
    return box(west, south, east, north)


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str, float], None]]:
    """A progress bar on a terminal, silence elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield lambda step, share: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def tell(step: str, share: float) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=1.0)
            bar.update(tasks[step], completed=share)

        yield tell


def _print_json(document: Mapping[str, Any]) -> None:
    from surefoot.writers.assessment_json import dumps

    typer.echo(dumps(document), nl=False)


def _show_reading(document: Mapping[str, Any], lang: str) -> None:
    from surefoot.writers.terminal import show_reading

    show_reading(document, lang)


def _show_assessment(document: Mapping[str, Any], lang: str) -> None:
    from surefoot.writers.terminal import show_assessment

    show_assessment(document, lang)


def _show_claims(document: Mapping[str, Any], lang: str) -> None:
    from surefoot.writers.terminal import show_claims

    show_claims(document, lang)
