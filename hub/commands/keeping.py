"""`backup`, `restore`: the whole house in one file; `erasures`: who was erased since, so that a restore erases again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from crm import config as settings
from hub.backup.archive import BadBackup, Told
from hub.commands import house

Existing = click.Path(exists=True, dir_okay=False, path_type=Path)


@contextmanager
def bar(words: str, total: int) -> Iterator[Told]:
    """A bar in the terminal for about `total` octets; only the words where there is no terminal."""
    with click.progressbar(length=max(1, total), label=words) as shown:
        yield shown.update
        shown.update(max(0, (shown.length or 0) - shown.pos))


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write database, uploads and keys to FILE (compressed when it ends in .gz). Keep it as safe as the house itself."""
    from hub.backup import making

    with house():
        try:
            with click.progressbar(length=1, label="Backup") as shown:

                def begun(total: int) -> Told:
                    shown.length = max(1, total)
                    return shown.update

                made = making.write(settings.load(), file.resolve(), begun)
                shown.update(max(0, (shown.length or 0) - shown.pos))
        except BadBackup as reason:
            raise click.ClickException(str(reason)) from None
    rows = sum(made.tables.values())
    click.echo(
        f"{file}: {made.size / 1_000_000:.1f} MB, {rows} rows of {len(made.tables)} tables, {made.files} files; read again and found right"
    )


@click.command()
@click.argument("file", type=Existing)
@click.option(
    "--erasures",
    "listed",
    type=Existing,
    help="The list of erased persons of the living house: erasures.jsonl of its data folder, or of `customerhub erasures`.",
)
@click.option(
    "--sent",
    "logs",
    type=Existing,
    multiple=True,
    help="A log of the mail server (may be repeated): mails whose Message-ID is in it were sent after the backup.",
)
def restore(file: Path, listed: Path | None, logs: tuple[Path, ...]) -> None:
    """Bring a backup back into an empty data folder and database. Every running sendout comes up paused."""
    from crm.migrations import load_tables, migrate
    from crm.modules.privacy import erasing
    from crm.modules.privacy import erasures as lists
    from hub.backup import archive, restoring, standing_still
    from hub.setting_up import prepare_database

    config = settings.load()
    size = file.stat().st_size
    try:
        wanted = lists.read_list(listed) if listed else []
        with bar("Checking", size) as told:
            said = archive.checked(file, told)
        restoring.demand_fitting(config, said)
        restoring.mark_begun(config)
        with bar("Files", size) as told:
            restoring.put_files(config, file, told)
        if config.is_sqlite:
            restoring.check_sqlite(config, said["tables"])
        with house():
            load_tables()
            if not config.is_sqlite:
                migrate(said["revision"] or "head")
                with bar("Tables", size) as told:
                    restoring.fill_tables(file, said["tables"], told)
            prepare_database()
            restoring.skip_ids(config)
            paused = standing_still.stand_still(said["at"], has_log=bool(logs))
            noted = standing_still.note_sent(logs)
            erased = erasing.erase_again(wanted)
        restoring.mark_ended(config)
    except (BadBackup, ValueError) as reason:
        raise click.ClickException(str(reason)) from None
    if listed:
        click.echo(f"{erased} persons who had been erased were erased again.")
    else:
        click.echo("Persons who were erased after this backup are back. Erase them again: restore with --erasures.")
    if logs:
        click.echo(f"{noted} mails were sent after this backup and are noted as sent.")
    elif paused:
        click.echo(
            "Who got a mail after this backup is not known. The log of the mail server tells: restore with --sent."
        )
    rows = sum(said["tables"].values())
    click.echo(
        f"Restored: {rows} rows of {len(said['tables'])} tables, as many as were written. "
        + (
            "1 sendout is paused; look at it before you let it go on."
            if paused == 1
            else f"{paused} sendouts are paused; look at each before you let it go on."
        )
    )


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def erasures(file: Path) -> None:
    """Write the list of erased persons to FILE: numbers and hashes, for `restore --erasures`."""
    from crm.modules.privacy import erasures as lists

    with house():
        lists.write_list(file.resolve())
    click.echo(f"{file}: {len(file.read_text('utf-8').splitlines())} erasures")
