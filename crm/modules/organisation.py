"""Who speaks: the organisation's name, logo and colours on public pages and in mails (settings of the portal, M38)."""

import re
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import String, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.db import Json, UtcDateTime, db
from crm.engine.refusals import Fault, Refused
from crm.words import _

LIMITS = {"name": 120, "logo": 300, "colour": 7, "address": 300, "css": 20_000, "contact": 320}


class SiteSetting(db.Model):  # type: ignore[name-defined, misc]
    """One setting of the portal's site by its name."""

    __tablename__ = "site_settings"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[Any] = mapped_column(Json)
    changed_at: Mapped[Any] = mapped_column(UtcDateTime)


@dataclass(frozen=True)
class Organisation:
    """What is shown of the organisation. `logo`: a local path such as /i/….png; `colour`: #rrggbb; `css`: of the portal."""

    name: str = ""
    logo: str = ""
    colour: str = ""
    address: str = ""
    contact: str = ""
    css: str = ""


SETTINGS = SiteSetting.__table__
SHOWN = select(SETTINGS.c.name, SETTINGS.c.value).where(  # asked by every public page: built once
    SETTINGS.c.name.in_(sorted(one.name for one in fields(Organisation)))
)


def organisation() -> Organisation:
    """As it is set now: one query."""
    return Organisation(**{row.name: str(row.value or "") for row in db.session.execute(SHOWN)})


def change(**values: str) -> Organisation:
    """Set some of the fields of Organisation; gives the whole. Raises Refused. The caller commits."""
    faults: dict[str, list[Fault]] = {}
    known = asdict(Organisation())
    for name, value in values.items():
        if name not in known:
            faults[name] = [Fault("unknown_field", _("There is no setting “%(name)s”.", name=name))]
        elif len(value) > LIMITS[name]:
            faults[name] = [
                Fault(
                    "too_long",
                    _(
                        "This takes at most %(most)s characters; there are %(count)s.",
                        most=LIMITS[name],
                        count=len(value),
                    ),
                )
            ]
    colour, logo = values.get("colour", ""), values.get("logo", "")
    if colour and not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        faults["colour"] = [Fault("bad_colour", _("A colour is written as #rrggbb, such as #0054a6."))]
    if logo and not re.fullmatch(r"/[\w./-]+", logo):
        faults["logo"] = [Fault("bad_logo", _("The logo is a picture that was uploaded here."))]
    if faults:
        raise Refused(faults)
    db.session.execute(delete(SiteSetting).where(SiteSetting.name.in_(values)))
    now = clock.now()
    for name, value in values.items():
        db.session.execute(insert(SiteSetting).values(name=name, value=value.strip(), changed_at=now))
    return organisation()


def require_opt_in(how: bool | str) -> None:
    """Which opt-in a person needs to be mailed: False none, True any, "double" a confirmed one. The caller commits."""
    db.session.execute(delete(SiteSetting).where(SiteSetting.name == "require_opt_in"))
    value = "double" if how == "double" else bool(how)
    db.session.execute(insert(SiteSetting).values(name="require_opt_in", value=value, changed_at=clock.now()))


def required_opt_in() -> str:
    """What `require_opt_in` was given: "" none (the default), "any", or "double"."""
    said = db.session.execute(select(SiteSetting.value).where(SiteSetting.name == "require_opt_in")).scalar()
    return "double" if said == "double" else "any" if said else ""


def open_subscription_page(is_open: bool) -> None:
    """Whether anybody may ask for mail at /u. The caller commits."""
    db.session.execute(delete(SiteSetting).where(SiteSetting.name == "subscription_page"))
    db.session.execute(
        insert(SiteSetting).values(name="subscription_page", value=bool(is_open), changed_at=clock.now())
    )


def has_subscription_page() -> bool:
    """What `open_subscription_page` was given; open unless an administrator closed it."""
    said = select(SiteSetting.value).where(SiteSetting.name == "subscription_page")
    return db.session.execute(said).scalar() is not False
