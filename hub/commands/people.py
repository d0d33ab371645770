"""`user add`, `apikey add`: who may come in."""

import click
from sqlalchemy import select

from crm.db import db, fold, fold_text
from crm.engine.channels import Channel
from crm.identity import api_keys
from crm.identity.tables import Role, User
from crm.identity.viewer import SYSTEM
from crm.modules.users.writing import create_user
from hub.commands import house


@click.group()
def user() -> None:
    """People who may log in."""


def find_user(email: str) -> int | None:
    """The id of the user with that address."""
    found: int | None = db.session.scalar(
        select(User.id).where(fold(User.email) == fold_text(email), User.deleted_at.is_(None))
    )
    return found


def add_user(
    email: str,
    password: str,
    *,
    crm_admin: bool = False,
    ecp_access: bool = False,
    ecp_admin: bool = False,
    if_missing: bool = False,
) -> bool:
    """Make a user; False when `if_missing` and there is one. Raises Refused. Commits."""
    if if_missing and find_user(email):
        return False
    role = "administrator" if crm_admin else "marketer" if ecp_access or ecp_admin else "sales"
    values = {
        "email": email,
        "last_name": email.partition("@")[0],
        "role_id": db.session.scalars(select(Role.id).where(Role.key == role)).one(),
        "crm_access": True,
        "crm_admin": crm_admin,
        "ecp_access": ecp_access or ecp_admin,
        "ecp_admin": ecp_admin,
    }
    create_user(SYSTEM, values, password, must_change=False, channel=Channel.SYSTEM)
    db.session.commit()
    return True


@user.command()
@click.argument("email")
@click.option("--password", required=True, metavar="PW", help="At least 12 characters.")
@click.option("--admin", is_flag=True, help="Administrator of the CRM.")
@click.option("--ecp", is_flag=True, help="May use the Email Contact Portal.")
@click.option("--ecp-admin", is_flag=True, help="Administrator of the Email Contact Portal.")
def add(email: str, password: str, admin: bool, ecp: bool, ecp_admin: bool) -> None:
    """Make a user who may log in at once."""
    with house():
        add_user(email, password, crm_admin=admin, ecp_access=ecp, ecp_admin=ecp_admin)
    click.echo(f"User {email} made.")


@click.group()
def apikey() -> None:
    """Keys for the API."""


@apikey.command("add")
@click.argument("name")
@click.option("--user", "email", required=True, metavar="EMAIL", help="Whose rights the key has.")
def add_key(name: str, email: str) -> None:
    """Make an API key; it is printed this once."""
    with house():
        user_id = find_user(email)
        if user_id is None:
            raise click.ClickException(f"There is no user {email}.")
        try:
            _id, text = api_keys.add(name, user_id)
        except api_keys.BadKey as bad:
            raise click.ClickException(str(bad)) from None
        db.session.commit()
    click.echo(text)
