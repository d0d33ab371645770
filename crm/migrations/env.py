"""What Alembic runs: our metadata against the connection that `crm.migrations` gives."""

from alembic import context

from crm.db import Base
from crm.migrations import settings_of_comparison

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    process_revision_directives=context.config.attributes.get("directives"),
    **settings_of_comparison(),
)
with context.begin_transaction():
    context.run_migrations()
