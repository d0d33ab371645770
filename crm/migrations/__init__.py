"""One history of the tables of all rooms. `migrate()` brings the database of the current app up to date."""

from crm.db import db


def migrate() -> None:
    """Create or change the tables of the current app's database. Commits."""
    db.create_all()
