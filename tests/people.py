"""The people of the tests: Alice owns, Bob is her team, Charlie is nobody, Dora is a customer; Ada administers.

`people(session)` makes them in the current database. Passwords are all PASSWORD; its hash is made once a run.
"""

from dataclasses import dataclass
from functools import cache

from argon2 import PasswordHasher
from sqlalchemy import update
from sqlalchemy.orm import Session, scoped_session

from crm.identity import roles, viewers
from crm.identity.tables import User
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.groups.writing import create_group
from crm.modules.users.writing import create_user

PASSWORD = "green teapot under the stairs"
QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)  # real argon2, but not meant to resist anybody


@cache
def _hash() -> str:
    return QUICK.hash(PASSWORD)


def make_user(
    first: str, role: str = "sales", *, role_id: int | None = None, with_password: bool = True, **flags: bool
) -> int:
    """A user called `first` Tester; `role` is the key of a seeded role, `flags` such as ecp_access=True."""
    values = {
        "first_name": first,
        "last_name": "Tester",
        "email": f"{first.lower()}@example.com",
        "role_id": role_id or roles.role_by_key(role),
        **flags,
    }
    id = create_user(SYSTEM, values)
    if with_password:
        from crm.db import db

        db.session.execute(update(User).where(User.id == id).values(password_hash=_hash(), must_change_password=False))
    return id


def viewer(user_id: int) -> Viewer:
    """The viewer a user is now; to be asked again after rights were changed."""
    found = viewers.of_user(user_id)
    assert found is not None, "this user may not come in"
    return found


@dataclass(frozen=True)
class People:
    """Ids of users and of the group that Alice and Bob form."""

    ada: int  # administrator of both apps
    alice: int  # sales; owns what a test gives her
    bob: int  # sales; in one group with Alice
    charlie: int  # sales; in no group, nobody below
    mary: int  # marketer of both apps
    rita: int  # may only read
    eve: int  # the Email Contact Portal alone
    team: int  # the group

    def __getitem__(self, name: str) -> Viewer:
        """`people["alice"]`: her viewer."""
        return viewer(getattr(self, name))


DORA = Viewer(kind="customer", id=None, name="Dora Customer")


_KEPT: dict[str, People] = {}  # the database's URL → its people


def keep() -> None:
    """Make all of them in the current database, for every test that works on it: `make_people` then only names them."""
    _KEPT[_here()] = make_people()


def _here() -> str:
    from crm.db import db

    return str(db.engine.engine.url)  # what stands for the engine may be one of its connections


def make_people(session: Session | scoped_session[Session] | None = None) -> People:
    """All of them, in the current database; committed."""
    from crm.db import db

    kept = _KEPT.get(_here())
    if kept is not None:
        return kept
    ada = make_user("Ada", "administrator", crm_admin=True, ecp_access=True, ecp_admin=True)
    alice, bob, charlie = make_user("Alice"), make_user("Bob"), make_user("Charlie")
    mary = make_user("Mary", "marketer", ecp_access=True)
    rita = make_user("Rita", "read_only")
    eve = make_user("Eve", "ecp_only", crm_access=False, ecp_access=True)
    team = create_group(SYSTEM, {"name": "Team of Alice and Bob"}, [("user", alice), ("user", bob)])
    db.session.commit()
    return People(ada, alice, bob, charlie, mary, rita, eve, team)
