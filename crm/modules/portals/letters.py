"""Mails about access to a portal: from the template that the portal names, else in words of our own."""

from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select

from crm import clock, config
from crm.db import db
from crm.identity import tokens
from crm.identity.tables import User
from crm.identity.viewer import Viewer
from crm.mail.letters import Letter
from crm.mail.message import Address, BadAddress
from crm.mail.sending import singles
from crm.modules import written_mails
from crm.modules.organisation import organisation
from crm.modules.sender_addresses import default_row
from crm.words import LANGUAGES, _, speaking


def access_is_off() -> str:
    return _("Access is switched off. Switch it on first.")


def welcome(portal: Any, user: Any, link: str, login: str, mark: str) -> None:
    """The first mail: where to log in, as whom, and the way to a password."""
    with speaking(language_of(portal, user)):
        subject, text = _welcome(portal, user.email, link, login)
    values = _values(portal, user.email, link, login)
    _send(portal.welcome_template_id, user, subject, text, values, f"portal_welcome:{user.id}:{mark_of(mark)}")


def test_welcome(portal: Any, viewer: Viewer, link: str) -> None:
    """The welcome mail to a user of the CRM, to look at it."""
    table = User.__table__
    row = db.session.execute(select(table.c.email, table.c.id).where(table.c.id == viewer.id)).one()
    values = _values(portal, row.email, link, link)
    key = f"portal_test:{row.id}:{clock.now().isoformat()}"
    if portal.welcome_template_id is not None and written_mails.is_ready(portal.welcome_template_id):
        written_mails.put(
            portal.welcome_template_id, Address(row.email), ("users", row.id), values=values, dedupe_key=key
        )
        return
    subject, text = _welcome(portal, row.email, link, link)
    put(row.email, subject, text, key)


def _welcome(portal: Any, email: str, link: str, login: str) -> tuple[str, str]:
    """Subject and text of the first mail, where no template is set, in the language that is spoken now."""
    text = _(
        "You have access to %(portal)s.\n\nChoose your password here; the link holds for 7 days:\n%(link)s\n\n"
        "After that you log in at %(login)s with your e-mail address %(email)s.",
        portal=portal.name, link=link, login=login, email=email,
    )  # fmt: skip
    return _("Your access to %(portal)s", portal=portal.name), text


def reset(portal: Any, user: Any, link: str, mark: str) -> None:
    """A link for a new password."""
    with speaking(language_of(portal, user)):
        subject = _("A new password for %(portal)s", portal=portal.name)
        text = _(
            "Somebody, probably you, asked for a new password for %(portal)s.\n\nChoose it here; the link holds for 60 minutes "
            "and can be used once:\n%(link)s\n\nIf it was not you, do nothing. Your password stays as it is.",
            portal=portal.name, link=link,
        )  # fmt: skip
    values = _values(portal, user.email, link, link)
    _send(portal.reset_template_id, user, subject, text, values, f"portal_reset:{user.id}:{mark_of(mark)}")


def address_changed(portal: Any, user: Any, old: str, link: str, mark: str) -> None:
    """A notice to the old address, a link that confirms the new one."""
    with speaking(language_of(portal, user)):
        subject = _("Confirm your address for %(portal)s", portal=portal.name)
        text = _(
            "Your e-mail address in %(portal)s is now %(email)s; it is also your user name. Before you can log in with it, "
            "confirm it here:\n%(link)s",
            portal=portal.name, email=user.email, link=link,
        )  # fmt: skip
    put(user.email, subject, text, f"portal_confirm:{user.id}:{mark_of(mark)}", ("contacts", user.contact_id))
    tell_old_address(portal, user, old)


def tell_old_address(portal: Any, user: Any, old: str) -> None:
    """Whoever reads the old address learns that it is no user name any more."""
    if not old:
        return
    with speaking(language_of(portal, user)):
        notice = _("Your address in %(portal)s was changed", portal=portal.name)
        told = _(
            "Your user name in %(portal)s is no longer this address. If you know nothing of this, please tell us.",
            portal=portal.name,
        )
    put(old, notice, told, f"portal_moved:{user.id}:{user.version}", ("contacts", user.contact_id))


def confirm_new_address(portal: Any, contact: Any, email: str, who: str, link: str, mark: str) -> None:
    """To an address that somebody typed into the portal: it counts when its owner says so."""
    with speaking(str(contact.language or portal.default_language)):
        subject = _("Confirm your address for %(portal)s", portal=portal.name)
        text = _(
            "%(who)s wrote in %(portal)s that this is the new address of %(name)s. If that is right, confirm it here within "
            "7 days:\n%(link)s\n\nIf you know nothing of this, do nothing.",
            who=who, portal=portal.name, name=f"{contact.first_name or ''} {contact.last_name}".strip(), link=link,
        )  # fmt: skip
    put(email, subject, text, f"portal_address:{contact.id}:{mark_of(mark)}")


def registration(portal: Any, values: dict[str, str], link: str, mark: str) -> None:
    """To somebody whose address belongs to a company that is known: the way in."""
    with speaking(str(portal.default_language)):
        subject = _("Your access to %(portal)s", portal=portal.name)
        text = _(
            "Somebody, probably you, asked for access to %(portal)s with this address. Confirm it and choose a password within "
            "2 days:\n%(link)s\n\nIf it was not you, do nothing.",
            portal=portal.name, link=link,
        )  # fmt: skip
    put(values["email"], subject, text, f"portal_register:{mark_of(mark)}")


def tell_of_request(portal: Any, request_id: int, email: str) -> None:
    """The owner of the portal learns that somebody waits for an answer."""
    subject = _("A request in %(portal)s: %(email)s", portal=portal.name, email=email)
    text = _("Somebody waits for an answer:\n%(link)s", link=f"{crm_base()}/crm/portal_requests/{request_id}")
    tell_owner(portal.owner_id, subject, text, f"portal_request:{request_id}")


def tell_owner_of_collision(user: Any, email: str) -> None:
    """The owner learns that access was switched off because the new address belongs to somebody else's log-in."""
    name = f"{user.first_name or ''} {user.last_name}".strip()
    subject = _("Portal access of %(name)s was switched off", name=name)
    text = _(
        "The address of %(name)s was changed to %(email)s, with which somebody else logs in to the portal. Access of %(name)s "
        "is switched off until the address is another one:\n%(link)s",
        name=name, email=email, link=f"{crm_base()}/crm/contacts/{user.contact_id}",
    )  # fmt: skip
    tell_owner(user.contact_owner_id, subject, text, f"portal_collision:{user.id}:{user.version}")


def tell_owner(owner_id: int | None, subject: str, text: str, key: str) -> None:
    """A mail to the user who owns a record; nobody when a group owns it or the user is gone. The caller commits."""
    table = User.__table__
    row = db.session.execute(
        select(table.c.email, table.c.id).where(table.c.id == owner_id, table.c.deleted_at.is_(None), ~table.c.archived)
    ).first()
    if row is not None:
        put(row.email, subject, text, key)


def put(email: str, subject: str, text: str, key: str, person: tuple[str, int] | None = None) -> int | None:
    """Write one letter of the house into the outbox; the delivery id, None when that key was used. The caller commits."""
    try:
        to = Address(email)
    except BadAddress:
        return None
    said = organisation()
    closing = f"\n\n{said.name}\n{said.address}".rstrip() if said.name else ""
    letter = Letter(to, subject, f"{text}{closing}\n")
    return singles.put_letter(db.session, letter, house_sender(), dedupe_key=key, person=person)


def house_sender() -> Address:
    """Whom letters of the house come from: the default sender address, else one at the host of this site."""
    row = default_row()
    if row is not None:
        return Address(row.address, row.display_name or "")
    host = urlsplit(config.current().base_url).hostname or "localhost"
    return Address(f"noreply@{host if any(c.isalpha() for c in host) and '.' in host else 'localhost.localdomain'}")


def crm_base() -> str:
    """Where the CRM is, as mails name it."""
    settings = config.current()
    return str(settings.crm_url or settings.base_url).rstrip("/")


def language_of(portal: Any, user: Any) -> str:
    """The language of mails to a customer: chosen in the portal, that of the contact, that of the portal."""
    return language_among(portal, user.language, user.contact_language)


def language_among(portal: Any, *wanted: str | None) -> str:
    """The first of the languages wanted that the portal offers, else that of the portal."""
    offered = portal.languages or LANGUAGES
    for said in wanted:
        if said in offered:
            return str(said)
    return str(portal.default_language or "en")


def mark_of(token: str) -> str:
    """What stands for a link in the key of its mail: the token itself is kept nowhere."""
    return tokens.hashed(token).hex()[:24]


def _values(portal: Any, email: str, link: str, login: str) -> dict[str, str]:
    """What the tags of templates stand for (tags.py)."""
    return {
        "portal.name": portal.name, "portal.login": login, "portal.link": link, "portal.password": link, "portal.user_name": email,
    }  # fmt: skip


def _send(template: int | None, user: Any, subject: str, text: str, values: dict[str, str], key: str) -> None:
    """By the template when it can be sent; a missing one never keeps the mail back."""
    person = ("contacts", user.contact_id)
    if template is not None and written_mails.is_ready(template):
        written_mails.put(template, Address(user.email), person, values=values, dedupe_key=key)
    else:
        put(user.email, subject, text, key, person)
