"""Translations: what fields and choices of lists are called in each language (spec/portal.md 1.6)."""

from collections.abc import Callable

from flask import redirect, render_template, request
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as AnyResponse

from crm.db import db
from crm.engine import overlay, picklists
from crm.engine.labels import Label
from crm.engine.refusals import Missing, Refused
from crm.engine.registry import modules
from crm.modules.service_requests import statuses
from crm.ui.i18n import BASE, LANGUAGES, said_in
from crm.ui.page import tell
from crm.ui.session import commit
from crm.web.admin import bp
from crm.words import ngettext, say_number

LIST = "list:"
NAMES: dict[str, tuple[LazyString, Callable[[], list[Label]]]] = {
    "name:sr_statuses": (_l("Statuses of service requests"), statuses.labels),
}
"""Records whose names are words of the house: what they are called together, and their labels."""


@bp.get("/translations")
def translations() -> str:
    of = request.args.get("of", "contacts")
    return _draw(
        of, {(label.place, key): text for label in _labels(of) for key, text in overlay.texts_of(label).items()}
    )


@bp.post("/translations")
def translate() -> AnyResponse | tuple[str, int]:
    of = request.form.get("of", "")
    labels = _labels(of)
    typed = {
        (label, language): request.form[f"{language} {label.place}"]
        for label in labels for language in LANGUAGES if f"{language} {label.place}" in request.form
    }  # fmt: skip
    try:
        count = overlay.word(typed)
        commit()
    except Refused as refused:
        db.session.rollback()
        faults = {tuple(name.rsplit(" ", 1)): found[0].message for name, found in refused.faults.items()}
        return _draw(of, {(label.place, key): text for (label, key), text in typed.items()}, faults), 422
    tell(ngettext("%(num)s text is changed.", "%(num)s texts are changed.", count))
    return redirect(f"/crm/admin/translations?of={of}", 303)


def _draw(of: str, texts: dict[tuple[str, str], str], faults: dict[tuple[str, ...], str] | None = None) -> str:
    labels = _labels(of)
    known = sorted(((module.key, _(module.plural)) for module in modules), key=lambda one: one[1].lower())
    lists = sorted(
        ((LIST + name, _(said.label)) for name, said in modules.picklists().items()), key=lambda one: one[1].lower()
    )
    ours = {(label.place, key): said_in(key, label) for label in labels for key in LANGUAGES}
    return render_template(
        "admin/translations.html", here="admin", page="translations", of=of, labels=labels, texts=texts, faults=faults or {},
        modules=known, lists=lists, names=[(key, said) for key, (said, _labels_of) in NAMES.items()], languages=LANGUAGES, ours=ours, base=BASE, count=say_number(len(labels)),
    )  # fmt: skip


def _labels(of: str) -> list[Label]:
    """The labels of a module's fields, own ones first, of a list's choices, or of names. Raises Missing."""
    if of.startswith(LIST):
        if of.removeprefix(LIST) not in modules.picklists():
            raise Missing
        return [choice.label for choice in picklists.choices(of.removeprefix(LIST)) if isinstance(choice.label, Label)]
    if of in NAMES:
        return NAMES[of][1]()
    if of not in modules:
        raise Missing
    said = sorted(modules[of].fields.values(), key=lambda one: not one.custom)
    return [one.label for one in said if isinstance(one.label, Label)]
