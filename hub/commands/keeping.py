"""`backup`, `restore`: the whole house in one file."""

from pathlib import Path

import click

from crm import config as settings
from hub.commands import house


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write database, uploads and keys to FILE (compressed when it ends in .gz). Keep it as safe as the house itself."""
    from hub import backup as backups

    with house():
        size = backups.write(settings.load(), file.resolve())
    click.echo(f"{file}: {size / 1_000_000:.1f} MB")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Bring a backup back into an empty data folder and database. Every running sendout comes up paused."""
    from crm.migrations import has_records, migrate
    from hub import backup as backups
    from hub.setting_up import prepare_database

    config = settings.load()
    try:
        said = backups.restore_files(config, file)
    except backups.CannotRestore as reason:
        raise click.ClickException(str(reason)) from None
    with house():
        if not config.is_sqlite:
            if has_records():
                raise click.ClickException("The database is not empty. Restore into a new one.")
            migrate(said["revision"] or "head")
            backups.restore_tables(file, said["tables"])
        prepare_database()
        paused = backups.stand_still()
    click.echo(f"Restored. {paused} sendouts are paused; look at each before you let it go on.")
