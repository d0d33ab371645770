"""Demo log-ins: one of each kind of user, with random passwords that are printed once and kept in a file of the data folder."""

import os
import secrets
from dataclasses import dataclass

from crm import config
from crm.db import db
from crm.identity.roles import role_by_key
from crm.identity.viewer import SYSTEM
from crm.modules.users.writing import create_user

FILE = "demo-logins.txt"
STAFF: tuple[tuple[str, str, str, dict[str, bool], str], ...] = (  # first name, last name, role, flags, what for
    (
        "Aino",
        "Admin",
        "administrator",
        {"crm_admin": True, "ecp_access": True, "ecp_admin": True},
        "administers everything",
    ),
    ("Mika", "Marketer", "marketer", {"ecp_access": True}, "writes and sends mails"),
    ("Sanna", "Seller", "sales", {}, "sells"),
    ("Sami", "Seller", "sales", {}, "sells"),
    ("Rita", "Reader", "read_only", {}, "may only read"),
)
WORDS = [
    "amber",
    "anchor",
    "birch",
    "bramble",
    "candle",
    "cedar",
    "cinder",
    "clover",
    "copper",
    "crane",
    "dune",
    "ember",
    "fern",
    "fjord",
    "garnet",
    "harbor",
    "hazel",
    "heron",
    "ivory",
    "juniper",
    "kettle",
    "lantern",
    "linen",
    "lupin",
    "maple",
    "meadow",
    "mitten",
    "moss",
    "nickel",
    "oar",
    "otter",
    "pebble",
    "pine",
    "plover",
    "quartz",
    "raven",
    "reed",
    "rowan",
    "sable",
    "sail",
    "spruce",
    "stone",
    "swallow",
    "thistle",
    "timber",
    "tulip",
    "velvet",
    "violet",
    "walnut",
    "willow",
    "wren",
]


@dataclass(frozen=True)
class Login:
    """One demo user."""

    id: int
    email: str
    password: str
    purpose: str


def make() -> list[Login]:
    """Make the users. Commits."""
    made = []
    for first, last, role, flags, purpose in STAFF:
        email = f"{first.lower()}@demo.example"
        password = fresh_password()
        values = {"first_name": first, "last_name": last, "email": email, "role_id": role_by_key(role), **flags}
        made.append(Login(create_user(SYSTEM, values, password, must_change=False), email, password, purpose))
    db.session.commit()
    return made


def fresh_password() -> str:
    """Four words and a number."""
    return "-".join(secrets.choice(WORDS) for _ in range(4)) + f"-{secrets.randbelow(90) + 10}"


def keep(logins: list[Login]) -> None:
    """Keep the passwords in a file of the data folder (mode 600)."""
    path = config.current().data_path / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("".join(f"{one.email}  {one.password}  ({one.purpose})\n" for one in logins))
