"""Believable demo data, the same each time it is made (seeded): a company that furnishes quiet rooms for workplaces."""

import random
from collections.abc import Callable

from sqlalchemy import select

SEED = 20261121


def make_demo(tell: Callable[[str], None]) -> None:
    """Fill an empty database; does nothing where there are accounts already. `tell` is given lines for the terminal. Commits."""
    from crm.db import db
    from crm.engine.registry import modules
    from hub.demo import (
        automatic,
        customers,
        events,
        feedback,
        mailings,
        portal,
        requests,
        scoring,
        staff,
        support,
        visitors,
        web_forms,
    )

    if db.session.execute(select(modules["accounts"].table.c.id).limit(1)).first() is not None:
        tell("There are accounts already; no demo data was added.")
        return
    dice = random.Random(SEED)
    tell("Making demo users, accounts and contacts …")
    logins = staff.make()
    made = customers.make(dice, [one.id for one in logins[1:4]])
    tell(f"{len(made.accounts)} accounts, {len(made.contacts):,} contacts, {len(made.leads)} leads.")
    customers_in = portal.make(made, logins[2].id)
    support.make(dice, [one.id for one in logins[2:4]], tell)
    mailings.make(dice, logins[1].id, tell)
    automatic.make(random.Random(SEED + 1), logins[1].id, made.contacts, tell)  # other demo data stays as it is
    events.make(dice, logins[2].id, made.contacts, tell)
    feedback.make(dice, logins[1].id, made.contacts, tell)
    visitors.make(dice, made.contacts, tell)
    web_forms.make(random.Random(SEED + 2), logins[1].id, tell)
    requests.make(dice, [one.id for one in logins[2:4]], tell)
    scoring.make(logins[1].id, tell)
    logins += customers_in
    staff.keep(logins)
    tell("Demo log-ins (kept in demo-logins.txt of the data folder):")
    for one in logins:
        tell(f"  {one.email}  {one.password}  — {one.purpose}")
