"""What this room needs in a new database: the keys of links and Message-IDs. Can be repeated."""

from crm.identity import keys


def seed() -> None:
    """Make the keys that are missing, so that sending processes only ever read them. The caller commits."""
    keys.of("links", 64)
    keys.of("message_id")
