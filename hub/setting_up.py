"""What every installation begins with: tables that are up to date and the seeds of all rooms. Can be repeated."""

from crm.db import db
from crm.identity.seed import seed as seed_identity
from crm.migrations import migrate


def prepare_database() -> None:
    """Bring the current app's database up to date: tables first, then what each room needs in them. Commits."""
    migrate()
    seed_identity()
    db.session.commit()
