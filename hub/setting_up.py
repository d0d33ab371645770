"""What every installation begins with: tables that are up to date and the seeds of all rooms. Can be repeated."""

from crm.migrations import migrate


def prepare_database() -> None:
    """Bring the current app's database up to date: tables first, then what each room needs in them. Commits."""
    migrate()
