"""What every page of a staff app knows: the menu, the viewer, notices; and how a part of a page answers htmx."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, g, make_response, redirect, request
from flask import session as cookie_session
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.routing import IntegerConverter

from crm import config
from crm.engine.rows import labels_of
from crm.identity.viewer import Viewer
from crm.ui.face import Face
from crm.ui.i18n import LANGUAGES


class IdInPath(IntegerConverter):
    """`<int:…>` of addresses: numbers that no database can hold lead nowhere, like any other unknown id."""

    regex = r"\d{1,18}"


@dataclass(frozen=True)
class Notice:
    """One sentence that tells what came of an action; shown once."""

    text: str
    tone: str = "right"  # right | wrong | warn


def install(app: Flask, face: Face) -> None:
    """Words for templates of `app`."""
    app.config.update(
        SESSION_COOKIE_NAME=f"{face.cookie}_notice", SESSION_COOKIE_PATH=face.prefix, SESSION_COOKIE_SAMESITE="Lax"
    )

    @app.context_processor
    def know() -> dict[str, Any]:
        viewer = g.get("viewer")
        return {
            "face": face,
            "viewer": viewer,
            "theme": g.get("theme", "auto"),
            "language": str(get_locale() or "en").split("_")[0],
            "languages": LANGUAGES,
            "menu": menu,
            "apps": apps,
            "initials": initials,
            "here": "",
            "zip_same": lambda items: [(item, item) for item in items],
            **_of_lists(),
            "notices": notices,
            "address": address,
            "is_part": is_part(),
        }

    def menu() -> list[Any]:
        if "menu" not in g:
            g.menu = face.menu(g.viewer) if g.get("viewer") is not None else []
        return g.menu  # type: ignore[no-any-return]


def _of_lists() -> dict[str, Any]:
    """What templates of lists and builders ask about modules."""
    from crm.engine.registry import modules
    from crm.ui.deeds import mass_deeds
    from crm.ui.lists import field_of

    def relation_target(module: Any, relation: str) -> Any:
        return modules[modules.relations(module.key)[relation].target]

    def name_of_link(id: str) -> str:
        if id in {"$me", "$my_groups"}:
            return _("Me") if id == "$me" else _("My groups")
        return labels_of(g.viewer, [int(id)]).get(int(id), id) if id.isdecimal() else id

    def list_args(wanted: Any) -> dict[str, Any]:
        where = None if wanted.where is None else json.dumps(wanted.where, ensure_ascii=False, separators=(",", ":"))
        return {
            "view": wanted.view or None, "where": where, "q": wanted.text or None,
            "sort": ",".join(wanted.sort) or None, "cols": ",".join(wanted.columns) or None,
        }  # fmt: skip

    return {
        "relation_target": relation_target, "name_of_link": name_of_link, "list_args": list_args, "export_args": list_args,
        "mass_actions": lambda module: mass_deeds(g.viewer, module), "field_of": field_of,
    }  # fmt: skip


@dataclass(frozen=True)
class App:
    """One of the staff apps, as the switch above the menu offers it."""

    key: str
    title: str
    href: str


def apps(viewer: Viewer) -> list[App]:
    """The staff apps that the viewer may open."""
    settled = config.current()
    known = (("crm", "CRM", settled.crm_url), ("ecp", _("Email Contact Portal"), settled.ecp_url))
    return [
        App(key, title, f"{url.rstrip('/')}/{key}/") for key, title, url in known if f"{key}_access" in viewer.flags
    ]


def initials(name: str) -> str:
    """Two letters that stand for a person or a thing."""
    words = [word for word in name.split() if word[:1].isalnum()] or [name or "?"]
    return (words[0][:1] + (words[-1][:1] if len(words) > 1 else words[0][1:2])).upper()


def tell(text: str, tone: str = "right") -> None:
    """Show a notice on the next page that is drawn (over one redirect too). Signed cookie, no state on the server."""
    cookie_session["notices"] = [*cookie_session.get("notices", []), [str(text)[:300], tone]][-3:]


def notices() -> list[Notice]:
    """The waiting notices, which are then told."""
    return [Notice(*said) for said in cookie_session.pop("notices", [])] if cookie_session.get("notices") else []


def is_part() -> bool:
    """Whether htmx asks for a part of a page."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"


def go(address: str) -> Response:
    """Send the browser to `address` after a change; htmx is told in its own way."""
    if is_part():
        answer = make_response("", 204)
        answer.headers["HX-Redirect"] = address
        return answer
    return make_response(redirect(address, 303))


def address(path: str = "", **changes: Any) -> str:
    """The present address (or `path`) with query parameters changed; None takes one out."""
    kept = {} if path else request.args.to_dict(flat=False)
    for name, value in changes.items():
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = value if isinstance(value, list) else [str(value)]
    query = urlencode(kept, doseq=True)
    return f"{path or request.path}{'?' + query if query else ''}"


def local_path(said: str | None, otherwise: str) -> str:
    """`said` when it is a path on this site, else `otherwise`: nobody is led elsewhere (open redirect)."""
    if not said or not said.startswith("/") or said.startswith("//") or "\\" in said or any(ord(c) < 32 for c in said):
        return otherwise
    parts = urlsplit(said)
    return otherwise if parts.scheme or parts.netloc else said
