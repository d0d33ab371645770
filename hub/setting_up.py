"""What every installation begins with: tables that are up to date and the seeds of all rooms. Can be repeated."""

from crm import catalog
from crm.db import db
from crm.migrations import migrate

# Each is called without arguments, puts in what is missing and leaves what an administrator changed.
SEEDS = (
    "crm.identity.seed:seed",
    "crm.engine.picklists:seed",
    "crm.modules.list_types:seed",
    "ecp.modules.plans:seed",
    "ecp.seeds:seed",
    "crm.modules.tickets.codes:seed",
    "crm.modules.tickets.templates:seed",
    "crm.modules.service_requests.seeding:seed",
)


def prepare_database() -> None:
    """Bring the current app's database up to date: tables first, then what each room needs in them. Commits."""
    migrate()
    for name in SEEDS:
        catalog.named(name)()
    db.session.commit()
