"""One history of the tables of all rooms. `migrate()` brings the database of the current app up to date."""

from importlib import import_module
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, select

from crm.db import Entity, db, reading
from crm.engine.refusals import Conflict
from crm.migrations.transaction import alone

ROOMS = ("crm", "web_tracking", "surveys", "ecp", "self_service_portal")
FOLDER = Path(__file__).parent


def settings(connection: Connection | None = None) -> Config:
    """Alembic's settings, without a file: the folder of the history and the connection that `env.py` works on."""
    made = Config()
    made.set_main_option("script_location", str(FOLDER))
    made.set_main_option("path_separator", "os")
    made.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    made.attributes["connection"] = connection
    return made


def load_tables() -> None:
    """Import every file of every room that declares a table, so that the metadata is whole, whichever app asks."""
    from crm import catalog

    catalog.load()
    top = FOLDER.parent.parent
    for room in ROOMS:
        for path in sorted((top / room).rglob("*.py")):
            if "__tablename__" in path.read_text():
                import_module(".".join(path.relative_to(top).with_suffix("").parts).removesuffix(".__init__"))


def settings_of_comparison() -> dict[str, Any]:
    """How models and database are compared: without what is made by statements of its own (the search index)."""

    def is_ours(name: str | None, kind: str, _parents: Any) -> bool:
        return not (kind == "table" and (name or "").startswith("text_index"))

    return {"include_name": is_ours, "compare_server_default": False, "render_as_batch": True}


def migrate(revision: str = "head") -> None:
    """Create or change the tables of the current app's database; one transaction, so it is done wholly or not at all."""
    load_tables()
    if ScriptDirectory.from_config(settings()).get_current_head() is None:
        db.create_all()
        return
    migrate_by_history(revision)


def migrate_by_history(revision: str = "head") -> None:
    """The same, when all tables are imported, strictly by the history."""
    load_tables()
    demand_known(present_revision())
    alone(lambda connection: command.upgrade(settings(connection), revision))


def pending(engine: Engine | None = None) -> str:
    """ "" when the database is up to date, else what is to be done. `engine`: default is that of the current app.

    Raises Conflict when a later release was here."""
    engine = engine or db.engine
    with reading(), engine.connect() as connection:
        if not inspect(connection).has_table("entities"):
            return "it is empty"
        present = MigrationContext.configure(connection).get_current_revision()
    demand_known(present)
    head = ScriptDirectory.from_config(settings()).get_current_head()
    return "" if present == head else f"it is at revision {present or 'none'} and has to go to {head}"


def demand_known(revision: str | None) -> None:
    """Raise Conflict when `revision` (None: an empty database) is none of this release, but of a later one."""
    known = {one.revision for one in ScriptDirectory.from_config(settings()).walk_revisions()}
    if revision and revision not in known:
        raise Conflict(f"The tables are of a later release (revision {revision}). Run that release, or a later one.")


def present_revision() -> str | None:
    """The revision that the database is at."""
    with reading(), db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def has_records() -> bool:
    """Whether somebody has worked with the database already."""
    if not inspect(db.engine).has_table("entities"):
        return False
    return db.session.scalar(select(Entity.id).limit(1)) is not None
