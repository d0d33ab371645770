"""What a form brought: every value as it came, what is wrong with it, and where it came from. Nothing here touches the database."""

import re
from dataclasses import dataclass, field
from typing import Any

from crm.engine.kinds import BadValue
from crm.words import _
from web_tracking import cleaning
from web_tracking.forms.design import Asked, Design
from web_tracking.forms.tickets import FIELD, SUM, TRAP, Ticket

CONSENT, FILES, PAGE, FROM, VISITOR, LANGUAGE = (
    "form_consent", "form_files", "form_page", "form_from", "form_visitor", "form_language",
)  # fmt: skip
CONTROLS = frozenset({FIELD, TRAP, SUM, CONSENT, FILES, PAGE, FROM, VISITOR, LANGUAGE})
MOST_NAMES, MOST_NAME = 100, 100
_COOKIE = re.compile(r"[A-Za-z0-9_-]{22}").fullmatch
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")

Form = Any  # werkzeug's MultiDict


@dataclass
class Typed:
    """One form as it was sent. `said`: name → text, or the texts of boxes that were ticked. `faults`: name → sentence."""

    said: dict[str, str | list[str]] = field(default_factory=dict)
    consent: bool = False
    faults: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        return not self.faults

    def shown(self, name: str) -> str:
        """What stood in a box."""
        found = self.said.get(name, "")
        return found if isinstance(found, str) else (found[0] if found else "")

    def ticked(self, name: str) -> list[str]:
        """What was ticked in a group of boxes, or chosen in a list."""
        found = self.said.get(name, [])
        return [found] if isinstance(found, str) else found


@dataclass(frozen=True)
class Way:
    """Where a submission came from, as much of it as may be kept."""

    page: str = ""
    referrer: str = ""
    source: str = ""
    medium: str = ""
    campaign: str = ""
    cookie: str = ""


def read(design: Design, form: Form) -> Typed:
    """Everything that was sent, and what is wrong with the fields that the form asks for."""
    typed = Typed(consent=bool(form.get(CONSENT)))
    for name in list(form)[:MOST_NAMES]:
        if name not in CONTROLS and len(name) <= MOST_NAME:
            found = [_UNSTORABLE.sub("", text) for text in form.getlist(name)][:MOST_NAMES]
            typed.said[_UNSTORABLE.sub("", name)] = found[0] if len(found) == 1 else found
    for asked in design.shown:
        _check(asked, typed)
    if design.wording and design.row["consent_required"] and not typed.consent:
        typed.faults[CONSENT] = _("Please tick this: we may not take the form without it.")
    return typed


def _check(asked: Asked, typed: Typed) -> None:
    if asked.field is None:  # such a field is not shown
        return
    raw: Any = typed.ticked(asked.name) if asked.kind == "multi" else typed.shown(asked.name)
    if asked.most and len(raw) > asked.most:
        typed.faults[asked.name] = _(
            "This takes at most %(most)s characters; there are %(count)s.", most=asked.most, count=len(raw)
        )
        return
    try:
        value = asked.field.kind.clean(raw, asked.field)
    except BadValue as bad:
        typed.faults[asked.name] = bad.message
        return
    if asked.required and value in (None, "", (), False):
        typed.faults[asked.name] = _("Please fill this in.")
    elif value not in (None, "", ()):
        typed.values[asked.name] = value


def check_sum(ticket: Ticket | None, form: Form) -> str:
    """What is wrong with the answer to the small sum; "" when nothing is."""
    said = str(form.get(SUM, "")).strip()
    if ticket is not None and said.isascii() and said.isdecimal() and int(said[:4]) == sum(ticket.numbers):
        return ""
    return _("Please add the two numbers.")


def way_of(form: Form, headers: Any) -> Way:
    """Where it came from: the script says the page, a plain form's browser does."""
    url = str(form.get(PAGE, ""))[:2000] or str(headers.get("Referer", ""))[:2000]
    found = cleaning.address(url)
    if found is None:
        return Way(cookie=_cookie(form))
    said = dict(cleaning.campaign(url))
    return Way(
        page=(cleaning.host(found) + cleaning.path(url))[:500],
        referrer=cleaning.referrer(str(form.get(FROM, ""))[:2000], frozenset({cleaning.host(found)})),
        source=said.get("source", ""), medium=said.get("medium", ""), campaign=said.get("campaign", ""), cookie=_cookie(form),
    )  # fmt: skip


def _cookie(form: Form) -> str:
    said = str(form.get(VISITOR, ""))
    return said if _COOKIE(said) else ""
