"""`cpu-codegen models list|show|pull|verify|rm|path|add`: the registry, and the files of it that are on this machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cpu_codegen.cli.options import Format, Json, ModelsFile, Offline, OutputFormat
from cpu_codegen.errors import IntegrityError, UsageError

if TYPE_CHECKING:
    from cpu_codegen.models.spec import ModelSpec

app = typer.Typer(
    help="List, show, pull, verify, remove, find and add models.", no_args_is_help=True, rich_markup_mode=None
)

Names = Annotated[
    list[str], typer.Argument(metavar="MODEL…", help="Alias, alias@quant, hf:user/repo:quant, or a .gguf path.")
]
Name = Annotated[str, typer.Argument(metavar="MODEL", help="Alias, alias@quant, hf:user/repo:quant, or a .gguf path.")]


@app.command("list")
def list_(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[WORD…]", help="Only models whose name, family or kind has them.")
    ] = None,
    here: Annotated[bool, typer.Option("--here", help="Only models that are on this machine.")] = False,
    starter: Annotated[
        str | None,
        typer.Option(metavar="RAM", help="Only models to begin with in so much free RAM: 1G, 2G, 4G, 8G, 16G, 32G."),
    ] = None,
    models_file: ModelsFile = None,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Every file of the registry: size, parameters, licence, and whether it is here."""
    from cpu_codegen.cli.models_list import write_list

    wanted = Format.JSON if json else output
    write_list(words or [], here=here, starter=starter, models_file=models_file, output=wanted)


app.command("ls", hidden=True)(list_)


@app.command()
def show(
    name: Name,
    models_file: ModelsFile = None,
    offline: Offline = False,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """All that is known of one model, with where each fact comes from; its other files; scores that others published."""
    from cpu_codegen.models.catalogue import load_catalogue
    from cpu_codegen.models.listing import facts
    from cpu_codegen.registry import is_local, resolve

    spec = resolve(name, models_file=models_file, offline=offline)
    local = is_local(spec)
    output = Format.JSON if json else output
    if output in (Format.JSON, Format.JSONL):
        from cpu_codegen.cli.told import tell_json

        tell_json(facts(spec, local=local), indent=None if output is Format.JSONL else 1)
        return
    from cpu_codegen.models.card import card
    from cpu_codegen.registry import local_paths
    from cpu_codegen.report.tables import write_table

    others = list(load_catalogue(models_file).models.get(spec.alias, {}).values())
    path = str(local_paths(spec)[0]) if local else None
    write_table(card(spec, others=others, path=path), output, sys.stdout)


@app.command()
def pull(
    names: Names,
    again: Annotated[
        bool, typer.Option("--again", help="Distrust what is here; accept a file that changed on the hub.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would come and whether the disk holds it.")] = (
        False
    ),
    models_file: ModelsFile = None,
    offline: Offline = False,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Download models, resumably, and check length and sha256. The last line of each is its path."""
    from cpu_codegen.cli.told import tell
    from cpu_codegen.cli.transfers import Transfers
    from cpu_codegen.download import pull as fetch
    from cpu_codegen.registry import resolve

    found: list[dict[str, Any]] = []
    lines: list[str] = []
    specs = [resolve(name, models_file=models_file, offline=offline) for name in names]
    try:
        for spec in specs:
            if dry_run:
                record, line = _outlook(spec)
            else:
                with Transfers() as watcher:
                    _terms(spec, watcher)
                    model = fetch(spec, offline=offline, again=again, watcher=watcher).model
                record, line = {"model": spec.name, "path": model.path, "sha256": model.sha256}, model.path
            found.append(record)
            lines.append(line)
    finally:  # what came before one that failed is here, and said
        tell(found, lines, output=output, json=json)


def _terms(spec: ModelSpec, watcher: Any) -> None:
    """The licence, before anything comes; unknown facts are said, too."""
    from cpu_codegen.models.listing import licence_text

    licence = licence_text(spec)
    watcher.say(f"{spec.name}: licence {licence or 'unknown, see the publisher'}")
    if spec.commercial_use == "forbidden":
        watcher.say(f"{spec.name}: not for commercial use. {spec.licence_note}".rstrip())


def _outlook(spec: ModelSpec) -> tuple[dict[str, Any], str]:
    """What pulling it would bring: as a record and as a line."""
    from cpu_codegen.download import describe, disk_plan
    from cpu_codegen.registry import is_local
    from cpu_codegen.sizes import format_bytes

    if not spec.repo or is_local(spec):
        return {"model": spec.name, "is_here": True}, f"{spec.name}: is here"
    plan = disk_plan(describe(spec))
    resumed = f", goes on at {format_bytes(plan.resumable_bytes)}" if plan.resumable_bytes else ""
    room = "fits" if plan.fits else "does not fit"
    line = (
        f"{spec.name}: {format_bytes(plan.needed_bytes)} to come{resumed};"
        f" {format_bytes(plan.disk_free_bytes)} free on disk: {room}"
    )
    facts = ("needed_bytes", "resumable_bytes", "disk_free_bytes", "fits")
    return {"model": spec.name, "is_here": False, **{name: getattr(plan, name) for name in facts}}, line


@app.command()
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[MODEL…]", help="[default: every model that is here]")
    ] = None,
    models_file: ModelsFile = None,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Read files again and compare length and sha256 with what is known. Exit 6 when one differs."""
    from cpu_codegen.cli.told import tell
    from cpu_codegen.models.catalogue import load_catalogue
    from cpu_codegen.registry import is_local, resolve

    if names:
        specs = [resolve(name, models_file=models_file, offline=True) for name in names]
    else:
        specs = [spec for spec in load_catalogue(models_file).specs() if is_local(spec)]
    checked = [_checked(spec) for spec in specs]
    tell(checked, [_checked_line(record) for record in checked], output=output, json=json)
    damaged = [record["model"] for record in checked if not record["right"]]
    if not specs:
        print("no model of the registry is here", file=sys.stderr)
    if damaged:
        raise IntegrityError(
            f"{len(damaged)} of {len(specs)} models are not what they should be: {', '.join(damaged)}",
            remedy=f"cpu-codegen models pull {damaged[0]} --again",
        )


def _checked(spec: ModelSpec) -> dict[str, Any]:
    """Is its file right, what was it compared with, what is its digest."""
    from cpu_codegen.cli.bars import Bars
    from cpu_codegen.models.obtain import Hashing
    from cpu_codegen.models.verify import verify_local

    shown = Hashing(Bars())
    try:
        found = verify_local(spec, progress=shown)
    except IntegrityError as error:
        return {"model": spec.name, "right": False, "basis": str(error), "sha256": None}
    finally:
        shown.end()
    return {"model": spec.name, "right": True, "basis": found.basis, "sha256": found.sha256}


def _checked_line(record: dict[str, Any]) -> str:
    if record["right"]:
        return f"{record['model']}: {record['basis']}  {record['sha256']}"
    return f"{record['model']}: WRONG  {record['basis']}"


@app.command()
def rm(
    names: Names,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    models_file: ModelsFile = None,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Delete models that cpu-codegen itself downloaded; files of other tools, and your own, stay."""
    from cpu_codegen.cli.told import tell
    from cpu_codegen.models.removal import remove
    from cpu_codegen.registry import resolve
    from cpu_codegen.sizes import format_bytes

    word = "would free" if dry_run else "freed"
    found: list[dict[str, Any]] = []
    for spec in [resolve(name, models_file=models_file, offline=True) for name in names]:
        found.append({"model": spec.name, "freed_bytes": remove(spec, dry_run=dry_run), "dry_run": dry_run})
    lines = [f"{record['model']}: {word} {format_bytes(record['freed_bytes'])}" for record in found]
    tell(found, lines, output=output, json=json)


@app.command()
def path(name: Name, models_file: ModelsFile = None, output: OutputFormat = Format.TABLE, json: Json = False) -> None:
    """Print where a model's file lies. Exit 4 when it is not here."""
    from cpu_codegen.cli.told import tell
    from cpu_codegen.registry import local_paths, resolve

    found = [str(path) for path in local_paths(resolve(name, models_file=models_file, offline=True))]
    if output is Format.TABLE and not json:
        print(found[0])  # as it is: "$(cpu-codegen models path NAME)" opens it
    else:
        tell([{"model": name, "path": path} for path in found], [], output=output, json=json)


@app.command()
def add(
    alias: Annotated[
        str, typer.Argument(metavar="ALIAS", help="The name to give it: lower case, digits, dots and dashes.")
    ],
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="hf:user/repo:quant, or a .gguf path.")],
    licence: Annotated[str | None, typer.Option(help="The publisher's licence tag.")] = None,
    offline: Offline = False,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Give a model of the hub or a file here a name of its own, in your models.yaml."""
    from cpu_codegen.cli.told import tell
    from cpu_codegen.models.additions import add_entry
    from cpu_codegen.registry import resolve

    try:
        spec = resolve(source, offline=offline)
    except UsageError as error:
        raise UsageError(f"SOURCE: {error}", remedy=error.remedy) from error
    name, file = add_entry(alias, spec, licence=licence)
    print(f"added {name} to {file}", file=sys.stderr)
    tell([{"model": name, "file": str(file)}], [name], output=output, json=json)
