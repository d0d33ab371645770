"""What a portal profile shows: modules and fields, boxes of the home page, links to other sites. Checked here, kept as JSON.

`modules`: key → {"enabled", "scope", "can_create", "can_edit", "can_comment", "can_attach", "order", "label": {language: text},
"fields": {name: {"visible", "editable", "required", "order", "default"}}}. Fields and modules that are gone by now do not count.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select, update

from crm import clock
from crm.db import db
from crm.engine import history
from crm.engine.channels import Channel
from crm.engine.fields import make
from crm.engine.kinds import BadValue
from crm.engine.module import Module
from crm.engine.permissions import demand
from crm.engine.portal_rights import is_open_to_customers
from crm.engine.refusals import Fault, Missing, Refused
from crm.engine.registry import modules
from crm.identity.customer import Shown
from crm.identity.viewer import Viewer
from crm.modules.portals.profiles import PortalProfile
from crm.words import _

TICKS = ("can_create", "can_edit", "can_comment", "can_attach")
SCOPES = ("own", "account")
MOST_LINKS = 20
FIELDS = {
    name: make("long_text", label) for name, label in (("modules", "Modules"), ("links", "Links"), ("boxes", "Boxes"))
}


def exposable() -> list[Module]:
    """The modules that a portal can show."""
    return [module for module in modules if module.portal is not None and not module.portal.through]


def read(profile: int) -> dict[str, Any]:
    """`modules`, `links` and `boxes` of a profile. Raises Missing."""
    table = PortalProfile.__table__
    row = db.session.execute(
        select(table.c.modules, table.c.links, table.c.boxes).where(table.c.id == profile, table.c.deleted_at.is_(None))
    ).first()
    if row is None:
        raise Missing
    return {"modules": row.modules or {}, "links": row.links or [], "boxes": row.boxes or []}


def change(viewer: Viewer, profile: int, channel: Channel, **said: Any) -> None:
    """Write `modules`, `links`, `boxes`, those that are given. Raises Refused with faults by place, Forbidden, Missing.

    The caller commits; it holds from the next request of each customer on.
    """
    demand(viewer, "edit", "portal_profiles")
    before = read(profile)
    clean: dict[str, Any] = {}
    if "modules" in said:
        clean["modules"] = clean_modules(said["modules"])
    if "links" in said:
        clean["links"] = clean_links(said["links"])
    if "boxes" in said:
        clean["boxes"] = sorted({str(one) for one in said["boxes"]})
    changed = {name: (before[name], value) for name, value in clean.items() if value != before[name]}
    if not changed:
        return
    now, table = clock.now(), PortalProfile.__table__
    values = {name: new for name, (_old, new) in changed.items()}
    stamped = update(table).where(table.c.id == profile)
    db.session.execute(stamped.values(**values, version=table.c.version + 1, updated_at=now, updater_id=viewer.id))
    told = {name: (str(old), str(new)) for name, (old, new) in changed.items()}
    history.note_changes(viewer, modules["portal_profiles"], {profile: told}, FIELDS, channel, now)


def clean_modules(said: Mapping[str, Any]) -> dict[str, Any]:
    """The matrix made whole. Raises Refused; the place of a fault is "module" or "module.field"."""
    faults: dict[str, list[Fault]] = {}
    clean = {}
    for key, one in said.items():
        module = _exposed(key)
        if module is None:
            faults[key] = [Fault("unknown", _("Portals cannot show “%(name)s”.", name=key))]
            continue
        fields = {}
        for name, held in (one.get("fields") or {}).items():
            if name not in module.fields:
                faults[f"{key}.{name}"] = [Fault("unknown", _("There is no field “%(name)s”.", name=name))]
                continue
            fields[name] = _clean_field(module, name, held, faults)
        clean[key] = {
            "enabled": bool(one.get("enabled")), "scope": one.get("scope") if one.get("scope") in SCOPES else "own",
            "order": int(one.get("order") or 0),
            "label": {language: str(text)[:60] for language, text in (one.get("label") or {}).items() if text},
            "fields": {name: held for name, held in fields.items() if held["visible"] or held["default"]},
            **{tick: bool(one.get(tick)) for tick in TICKS},
        }  # fmt: skip
        wanting = _wanting(module, clean[key])
        if clean[key]["enabled"] and clean[key]["can_create"] and wanting:
            names = ", ".join(_(module.fields[name].label) for name in wanting)
            message = _("New records need %(names)s: let customers fill it in, or give it a value here.", names=names)
            faults.setdefault(key, []).append(Fault("needs_default", message))
    if faults:
        raise Refused(faults)
    return clean


def _exposed(key: str) -> Module | None:
    """The module when there is one and portals can show it."""
    return next((module for module in exposable() if module.key == key), None)


def _clean_field(module: Module, name: str, held: Mapping[str, Any], faults: dict[str, list[Fault]]) -> dict[str, Any]:
    said, place = module.fields[name], f"{module.key}.{name}"
    visible, editable, default = bool(held.get("visible")), bool(held.get("editable")), held.get("default")
    if editable and not visible:
        message = _("“%(label)s” can only be changed where it is shown.", label=_(said.label))
        faults.setdefault(place, []).append(Fault("needs_visible", message))
    if editable and not is_open_to_customers(module, name):
        message = _("“%(label)s” is kept by the system; customers cannot change it.", label=_(said.label))
        faults.setdefault(place, []).append(Fault("not_editable", message))
    if default not in (None, ""):
        try:
            said.kind.clean(default, said)
        except BadValue as bad:
            faults.setdefault(place, []).append(Fault(bad.code, bad.message))
    return {
        "visible": visible, "editable": editable, "required": bool(held.get("required")) and editable,
        "order": int(held.get("order") or 0), "default": None if default in (None, "") else str(default),
    }  # fmt: skip


def _wanting(module: Module, said: Mapping[str, Any]) -> list[str]:
    """Fields that a new record must have and that neither the customer nor the profile would fill in."""
    exposure = module.portal
    if exposure and exposure.is_view_only:
        return []
    given = {exposure.by_contact, exposure.by_account, "owner_id"} if exposure else {"owner_id"}
    held = said["fields"]
    return [
        name for name, field in module.fields.items()
        if field.required and field.default is None and name not in given
        and not held.get(name, {}).get("editable") and not held.get(name, {}).get("default")
    ]  # fmt: skip


def clean_links(said: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Links to other sites: a label in each language, https only. Raises Refused; the place is "links.<n>"."""
    faults: dict[str, list[Fault]] = {}
    clean = []
    for place, one in enumerate(said):
        url, labels = str(one.get("url") or "").strip(), one.get("label") or {}
        label = {language: str(text).strip()[:60] for language, text in labels.items() if str(text).strip()}
        if not url and not label:
            continue
        try:
            parts = urlsplit(url)
            is_right = (
                parts.scheme == "https"
                and bool(parts.hostname)
                and len(url) <= 500
                and url.isprintable()
                and " " not in url
            )
        except ValueError:
            is_right = False
        if not is_right:
            faults[f"links.{place}"] = [Fault("bad_website", _("A link begins with https:// and names a site."))]
        elif not label:
            faults[f"links.{place}"] = [Fault("required", _("A link needs a label."))]
        clean.append({"url": url, "label": label})
    if len(clean) > MOST_LINKS:
        faults["links"] = [Fault("too_many", _("At most %(most)s links.", most=MOST_LINKS))]
    if faults:
        raise Refused(faults)
    return clean


def shown_of(said: Mapping[str, Any]) -> dict[str, Shown]:
    """What the doors need of a profile's `modules`; those not enabled, and fields that are gone, are left out."""
    found = {}
    for key, one in said.items():
        module = _exposed(key)
        if module is None or not one.get("enabled"):
            continue
        known = module.fields
        fields = {name: held for name, held in (one.get("fields") or {}).items() if name in known}
        visible = [name for name, held in fields.items() if held.get("visible")]
        places = {name: place for place, name in enumerate(known)}
        visible.sort(key=lambda name: (fields[name].get("order") or 0, places[name]))
        found[key] = Shown(
            scope="account" if one.get("scope") == "account" else "own",
            **{tick: bool(one.get(tick)) for tick in TICKS},
            visible=frozenset(visible),
            editable=frozenset(name for name in visible if fields[name].get("editable")),
            required=frozenset(
                name for name in visible if fields[name].get("editable") and fields[name].get("required")
            ),
            defaults={name: held["default"] for name, held in fields.items() if held.get("default")},
            names=tuple(visible),
            labels=one.get("label") or {},
            order=int(one.get("order") or 0),
        )
    return found
