"""`field add`, `import`, `export`: what can be done with the records of any module."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import click

from crm.db import db
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity.viewer import SYSTEM
from hub.commands import house


@click.group()
def field() -> None:
    """Fields of one's own."""


@field.command()
@click.argument("module")
@click.argument("name")
@click.argument("kind")
@click.option("--label", help="What screens call it; default: made from the name.")
@click.option("--indexed", is_flag=True, help="Lists sort and filter by it quickly.")
@click.option("--picklist", help="The picklist of a field of the kind picklist or multi.")
@click.option("--max", "longest", type=int, help="Most characters of a text.")
def add(
    module: str, name: str, kind: str, label: str | None, indexed: bool, picklist: str | None, longest: int | None
) -> None:
    """Add a field of KIND to MODULE; NAME is what API and imports call it."""
    from crm.engine import custom_fields

    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
        raise click.UsageError("NAME is 1 to 40 small letters, digits and underscores, a letter first.")
    options: dict[str, Any] = {"picklist": picklist, "max": longest}
    with house():
        said = modules[module]
        if name in said.fields:
            raise Refused.because("not_unique", f"{said.plural} have a field “{name}” already.", "name")
        made = custom_fields.add(
            said, kind, label or name.replace("_", " ").capitalize(), indexed=indexed, name=name,
            **{key: value for key, value in options.items() if value is not None},
        )  # fmt: skip
        db.session.commit()
    click.echo(f"Field {made} of {module} added.")


@click.command("import")
@click.argument("module")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--map", "mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="JSON: column name → field."
)
@click.option(
    "--mode",
    type=click.Choice(["create", "update", "both"]),
    default="create",
    show_default=True,
    help="What rows may do.",
)
@click.option("--match", default="", help="Field by which rows find their records; needed to update.")
def import_(module: str, file: Path, mapping: Path | None, mode: str, match: str) -> None:
    """Import a CSV file. Refused rows go to FILE.refused.csv with line and reason, and the exit code is 1."""
    from crm.engine.imports import plans, reading, running

    with house():
        with file.open("rb") as stream:
            plan = plans.begin(SYSTEM, module, file.name, stream, most=None)
        chosen = None
        if mapping is not None:
            said = json.loads(mapping.read_text())
            names = reading.header(Path(plan.path), plan.how)
            unknown = sorted(set(said) - set(names))
            if unknown:
                raise click.ClickException(f"{file} has no column “{unknown[0]}”. Its columns: {', '.join(names)}.")
            chosen = {index: said.get(name, "") for index, name in enumerate(names)}
        plans.configure(SYSTEM, plan, mapping=chosen, mode=mode, match=match)
        db.session.commit()
        with click.progressbar(length=1, label=f"Importing {module}", show_pos=True) as bar:

            def step(done: int, total: int) -> None:
                bar.length = total
                bar.update(done - bar.pos)

            report = running.run(SYSTEM, plan, step=step)
        click.echo(
            f"{report.created} created, {report.updated} updated, {report.unchanged} unchanged, {report.refused} refused."
        )
        if not report.refused:
            return
        refused = file.with_name(f"{file.name}.refused.csv")
        with refused.open("w", newline="", encoding="utf-8-sig") as out:
            csv.writer(out).writerows(running.refused_rows(plan))
    raise click.ClickException(f"The refused rows and their reasons are in {refused}.")


@click.command()
@click.argument("module")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--filter", "where", metavar="JSON", help="A condition, as the API takes it.")
@click.option("--columns", default="", help="Fields, comma-separated; default: those of the list.")
def export(module: str, file: Path, where: str | None, columns: str) -> None:
    """Export records to FILE, CSV or (by its ending) XLSX."""
    from crm.engine import exports

    try:
        condition = json.loads(where) if where else None
    except ValueError as error:
        raise click.UsageError(f"--filter is no JSON: {error}") from None
    with house():
        names = [one.strip() for one in columns.split(",") if one.strip()]
        count = exports.to_file(SYSTEM, module, file, where=condition, columns=names or None)
    click.echo(f"{count} records written to {file}.")
