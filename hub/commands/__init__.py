"""The commands, a file a subject. Each opens the CRM app and uses the doors that the screens use."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Flask
from sqlalchemy.exc import OperationalError, ProgrammingError

from crm import config as settings
from crm.engine.conditions import BadCondition
from crm.engine.refusals import Conflict, Forbidden, Missing, Refused, Stale, UnknownName


@contextmanager
def house(level: str = "warning") -> Iterator[Flask]:
    """The CRM app with its context pushed. What a door refuses becomes the command's error (exit 1)."""
    from crm import create_app
    from hub import logs

    logs.begin(level)
    app = create_app(settings.load())
    with app.app_context():
        try:
            yield app
        except Refused as refused:
            lines = [
                f"{name or 'the whole'}: {fault.message}" for name, found in refused.faults.items() for fault in found
            ]
            raise click.ClickException("\n".join(lines)) from None
        except Missing as reason:
            raise click.ClickException(str(reason) or "There is no such record.") from None
        except (BadCondition, Conflict, Forbidden, Stale, UnknownName) as reason:
            raise click.ClickException(str(reason)) from None
        except (OperationalError, ProgrammingError) as error:
            if _is_without_tables(error):
                raise click.ClickException(
                    "The tables of this version are not in the database. Run `customerhub init` first."
                ) from None
            if isinstance(error, ProgrammingError):
                raise
            raise click.ClickException(f"the database does not do that: {error.orig}") from None


def _is_without_tables(error: OperationalError | ProgrammingError) -> bool:
    """By what PostgreSQL (undefined table, undefined column) and SQLite say of it."""
    return getattr(error.orig, "sqlstate", "") in {"42P01", "42703"} or "no such table" in str(error.orig)
