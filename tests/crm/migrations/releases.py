"""Small houses as releases left them: a backup of each database, and what the migrations of that release were.

`scripts/keep-release VERSION` puts one more beside this file, below `released/`, when a version is released; from then on its migrations
do not change any more, and every later version has to bring its tables up to date.
"""

import hashlib
import json
from pathlib import Path

from sqlalchemy import insert

from crm import clock, config
from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from crm.mail.sending.deliveries import Delivery
from crm.migrations import FOLDER
from hub.backup import making

KEPT = Path(__file__).parent / "released"
LISTED = "migrations.json"


def versions(kept: Path = KEPT) -> list[Path]:
    """The folders of the releases that are kept, oldest first."""
    return sorted((one.parent for one in kept.glob(f"*/{LISTED}")), key=lambda one: _numbers(one.name))


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


def migrations(folder: Path = FOLDER) -> dict[str, str]:
    """SHA-256 of each migration by its file."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / "versions").glob("[0-9]*.py"))
    }


def changed_since(release: Path, folder: Path = FOLDER) -> list[str]:
    """The migrations of a release that are not as they were."""
    said: dict[str, str] = json.loads((release / LISTED).read_text())
    now = migrations(folder)
    return [name for name, was in said.items() if now.get(name) != was]


def fill() -> None:
    """Some records of several modules, a mail that was sent, a custom value: the data of a small house. Commits."""
    account = records.create(SYSTEM, "accounts", {"name": "Virta Oy", "billing_city": "Åbo"}, Channel.SYSTEM)
    people = [
        {"first_name": f"N{n}", "last_name": "Äijälä", "email": f"n{n}@example.com", "account_id": account}
        for n in range(5)
    ]
    contacts = records.create_many(SYSTEM, "contacts", people, Channel.SYSTEM).ids
    records.create(SYSTEM, "potentials", {"name": "Sale", "amount": "1234.56", "account_id": account}, Channel.SYSTEM)
    records.create(
        SYSTEM, "leads", {"company": "Lead Oy", "last_name": "Lead", "email": "lead@example.com"}, Channel.SYSTEM
    )
    records.create(SYSTEM, "campaigns", {"name": "Spring", "type": "Email", "active": True}, Channel.SYSTEM)
    records.create(SYSTEM, "sender_addresses", {"address": "news@example.com", "state": "confirmed"}, Channel.SYSTEM)
    records.delete(SYSTEM, "contacts", contacts[4] or 0, Channel.SYSTEM)
    sent = {"kind": "letter", "email": "n0@example.com", "email_key": "n0@example.com", "state": "sent"}
    db.session.execute(insert(Delivery).values(**sent, person_id=contacts[0], created_at=clock.now()))
    db.session.commit()
    db.session.remove()


def keep(folder: Path, kind: str) -> None:
    """Write the current app's house, filled, as that of a release; and the list of its migrations."""
    folder.mkdir(parents=True, exist_ok=True)
    fill()
    making.write(config.current(), folder / f"{kind}.tar.gz")
    (folder / LISTED).write_text(json.dumps(migrations(), indent=1) + "\n")
