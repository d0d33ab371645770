"""API keys: made, found, narrowed. The text of a key is shown once; kept are its beginning and a hash."""

import ipaddress
import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, or_, select, update

from crm import clock
from crm.db import db, id_inserted
from crm.identity import stamp, tokens
from crm.identity.refused import Unfit
from crm.identity.sessions import apart
from crm.identity.tables import ApiKey
from crm.identity.viewer import VERBS
from crm.words import _

START = "ch_"
SCOPES_OF_KIND: Mapping[str, Mapping[str, tuple[str, ...]] | None] = {  # fixed; "custom" keys have their own
    "outlook": dict.fromkeys(("accounts", "contacts", "leads", "activities", "emails"), ("view", "create", "edit")),
    "contact_portal": {
        "contacts": ("view",), "leads": ("view",), "accounts": ("view",), "campaigns": ("view", "edit"),
        "target_groups": ("view",), "portal_target_groups": ("view", "create", "edit"), "list_types": ("view",),
        "suppressions": ("view", "create"),
    },
    "docs": None,  # what the browser of /crm/api-docs uses for ten minutes: all that the user may
}  # fmt: skip
TOUCHED_EVERY = timedelta(seconds=60)
DOCS_LIFETIME = timedelta(minutes=10)


class BadKey(Unfit):
    """A key cannot be made or changed so."""


def add(
    name: str,
    user_id: int,
    kind: str = "custom",
    scopes: Mapping[str, Iterable[str]] | None = None,
    expires_at: datetime | None = None,
    allowed_addresses: Iterable[str] = (),
    creator_id: int | None = None,
) -> tuple[int, str]:
    """A new key that acts as `user_id`: its id, and its text, which is shown this once. The caller commits.

    `scopes`: module key or "*" → verbs, only of a "custom" key; None: all that the user may. Raises BadKey.
    """
    if kind != "custom" and kind not in SCOPES_OF_KIND:
        raise BadKey("kind", _("The type is one of: custom, %(known)s.", known=", ".join(SCOPES_OF_KIND)))
    if kind != "custom":
        if scopes is not None:
            raise BadKey("scopes", _("Only a key of the type “custom” has rights of its own."))
        scopes = SCOPES_OF_KIND[kind]
    prefix, rest = START + secrets.token_hex(4), secrets.token_urlsafe(32)
    text = f"{prefix}_{rest}"
    made = id_inserted(
        insert(ApiKey).values(
            name=_checked_name(name),
            kind=kind,
            prefix=prefix,
            key_hash=tokens.hashed(text),
            scopes=_checked_scopes(scopes),
            user_id=user_id,
            allowed_addresses=_checked_addresses(allowed_addresses),
            expires_at=expires_at,
            created_at=clock.now(),
            creator_id=creator_id,
        )
    )
    return made, text


def find(text: str, address: str = "") -> Row[Any] | None:
    """The row of the key `text` when it holds now and from `address`; None for any other. Only reads: see `touch`."""
    if not re.fullmatch(r"ch_[0-9a-f]{8}_[\w-]{20,80}", text, re.ASCII):
        return None
    table = ApiKey.__table__
    row = db.session.execute(
        select(table).where(
            table.c.prefix == text[:11],
            or_(table.c.expires_at.is_(None), table.c.expires_at > clock.now()),
        )
    ).first()
    if row is None or not secrets.compare_digest(row.key_hash, tokens.hashed(text)):
        return None
    return row if _is_allowed(address, row.allowed_addresses) else None


def find_by_id(key_id: int, address: str = "") -> Row[Any] | None:
    """The row of a key that was found before, when it holds still and from `address`."""
    table = ApiKey.__table__
    lives = or_(table.c.expires_at.is_(None), table.c.expires_at > clock.now())
    row = db.session.execute(select(table).where(table.c.id == key_id, lives)).first()
    return row if row is not None and _is_allowed(address, row.allowed_addresses) else None


def touch(key: Row[Any]) -> None:
    """Note that a key was used just now, at most once a minute, in a transaction of its own.

    To be called when `db.session` is not writing, best after the answer.
    """
    now = clock.now()
    if key.last_used_at is None or now - key.last_used_at >= TOUCHED_EVERY:
        with apart() as own:
            own.execute(update(ApiKey).where(ApiKey.id == key.id).values(last_used_at=now))


def change(key_id: int, by: int | None, **values: Any) -> None:
    """Change name, scopes, expires_at or allowed_addresses of a key. `by`: the acting user; None: the system.

    Raises BadKey: the scopes of a fixed type, a key that another user locked, a bad value. The caller commits.
    """
    row = _get(key_id)
    _refuse_when_locked(row, by)
    if unknown := set(values) - {"name", "scopes", "expires_at", "allowed_addresses"}:
        raise BadKey(min(unknown), _("This cannot be changed. Make a new key instead."))
    if "scopes" in values:
        if row.kind != "custom":
            raise BadKey("scopes", _("The rights of this type of key are fixed; only “custom” keys have their own."))
        values["scopes"] = _checked_scopes(values["scopes"])
    if "name" in values:
        values["name"] = _checked_name(values["name"])
    if "allowed_addresses" in values:
        values["allowed_addresses"] = _checked_addresses(values["allowed_addresses"])
    db.session.execute(update(ApiKey).where(ApiKey.id == key_id).values(**values))
    stamp.renew()


def lock(key_id: int, by: int) -> None:
    """From now on only the user `by` may change or delete the key. Raises BadKey. The caller commits."""
    _refuse_when_locked(_get(key_id), by)
    db.session.execute(update(ApiKey).where(ApiKey.id == key_id).values(locked_by_id=by))


def unlock(key_id: int, by: int | None) -> None:
    """Take the lock away; only who locked it may. Raises BadKey. The caller commits."""
    _refuse_when_locked(_get(key_id), by)
    db.session.execute(update(ApiKey).where(ApiKey.id == key_id).values(locked_by_id=None))


def remove(key_id: int, by: int | None) -> None:
    """Delete a key: it stops to work at once. Raises BadKey when another user locked it. The caller commits."""
    _refuse_when_locked(_get(key_id), by)
    db.session.execute(delete(ApiKey).where(ApiKey.id == key_id))


def for_docs(user_id: int) -> str:
    """A key of ten minutes for the page of the API (decisions.md 6). The caller commits."""
    db.session.execute(delete(ApiKey).where(ApiKey.kind == "docs", ApiKey.expires_at <= clock.now()))
    return add("API page", user_id, "docs", expires_at=clock.now() + DOCS_LIFETIME, creator_id=user_id)[1]


def listed() -> list[Row[Any]]:
    """All keys but those of the API page, without their hashes, by name."""
    c = ApiKey.__table__.c
    shown = [column for column in c if column.key != "key_hash"]
    return list(db.session.execute(select(*shown).where(c.kind != "docs").order_by(c.name, c.id)))


def _get(key_id: int) -> Row[Any]:
    row = db.session.execute(select(ApiKey.__table__).where(ApiKey.id == key_id)).first()
    if row is None:
        raise BadKey("", _("There is no such key."))
    return row


def _refuse_when_locked(row: Row[Any], by: int | None) -> None:
    if row.locked_by_id is not None and by is not None and row.locked_by_id != by:
        raise BadKey("", _("Another user has locked this key; only they may change or delete it."))


def _checked_name(name: str) -> str:
    if not name.strip() or len(name.strip()) > 120:
        raise BadKey("name", _("A key needs a name of 1 to 120 characters."))
    return name.strip()


def _checked_scopes(scopes: Mapping[str, Iterable[str]] | None) -> dict[str, list[str]] | None:
    if scopes is None:
        return None
    checked = {}
    for module, verbs in scopes.items():
        found = sorted(set(verbs))
        if unknown := set(found) - set(VERBS):
            raise BadKey(
                "scopes",
                _(
                    "There is no right “%(name)s”. The rights are: %(known)s.",
                    name=min(unknown),
                    known=", ".join(VERBS),
                ),
            )
        checked[module] = found
    return checked


def _checked_addresses(said: Iterable[str]) -> list[str]:
    found = []
    for one in said:
        try:
            found.append(str(ipaddress.ip_network(one.strip(), strict=False)))
        except ValueError:
            raise BadKey(
                "allowed_addresses", _("“%(said)s” is no address or network, such as 192.0.2.0/24.", said=one.strip())
            ) from None
    return found


def _is_allowed(address: str, networks: list[str] | None) -> bool:
    if not networks:
        return True
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in ipaddress.ip_network(network) for network in networks)
