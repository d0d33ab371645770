"""What PostgreSQL knows of its tables. It counts them itself, about once a minute; a batch that makes a table many times as
large would until then be planned as if the table were empty, and every look-up would read the whole of it.
"""

from sqlalchemy import Connection

MANY = 1_000  # rows in one batch
TIMES = 10  # as large as when it was counted last
BEHIND = ("entities", "change_log", "text_index")  # where every record has rows, too

STALE = """
SELECT relname FROM pg_class WHERE oid = ANY (CAST(%(names)s AS text[])::regclass[]) AND (
  pg_relation_size(oid) > %(times)s * relpages::bigint * current_setting('block_size')::bigint
  OR NOT EXISTS (SELECT FROM pg_stats WHERE schemaname = relnamespace::regnamespace::name AND tablename = relname))
"""


def keep(connection: Connection, table: str, count: int) -> None:
    """Count `table` and those behind it anew where `count` records just written, in this transaction, outdated what is known.

    Leaves out what another transaction counts at the moment, so that none waits for another. Does nothing on SQLite, whose
    plans are made without statistics.
    """
    if count < MANY or connection.dialect.name != "postgresql":
        return
    quote = connection.dialect.identifier_preparer.quote
    names = [quote(name) for name in (table, *BEHIND)]
    stale = [quote(name) for (name,) in connection.exec_driver_sql(STALE, {"names": names, "times": TIMES})]
    if stale:
        connection.exec_driver_sql(f"ANALYZE (SKIP_LOCKED) {', '.join(stale)}")
