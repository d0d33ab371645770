"""`init`: a database that is up to date, with what every installation begins with. Can be repeated."""

import click

from crm import config as settings
from hub.commands import house
from hub.commands.running import make_data_folder


@click.command()
@click.option("--demo", is_flag=True, help="Add demo data and demo log-ins to an empty database.")
@click.option("--admin", metavar="EMAIL", help="Make this administrator, unless there is one of that address.")
@click.option("--password", metavar="PW", help="The administrator's password, at least 12 characters.")
def init(demo: bool, admin: str | None, password: str | None) -> None:
    """Create the database, or bring it up to date."""
    from hub.setting_up import prepare_database

    if bool(admin) != bool(password):
        raise click.UsageError("--admin and --password go together.")
    make_data_folder(settings.load())
    with house():
        prepare_database()
        if admin and password:
            from hub.commands.people import add_user

            made = add_user(admin, password, crm_admin=True, ecp_access=True, ecp_admin=True, if_missing=True)
            click.echo(f"Administrator {admin} made." if made else f"{admin} is a user already; nothing changed.")
        if demo:
            from hub.demo import make_demo

            make_demo(click.echo)
    click.echo("The database is up to date.")
