"""Rules of surveys beyond single fields: when one may be active, what anonymous ones give up, which styles are taken."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from crm import clock
from crm.db import db
from crm.engine.refusals import Fault
from crm.engine.registry import modules
from crm.words import _
from surveys import looks

Values = Mapping[str, Any]
Faults = dict[str, Fault]


def now_of(values: Values, old: Values | None, name: str) -> Any:
    """What a field holds after the write."""
    return values[name] if name in values else (old or {}).get(name)


def may_be_active(values: Values, old: Values | None) -> Faults:
    """An active survey has a question; one of the ECP a thank-you page too."""
    if now_of(values, old, "status") != "active" or not ({"status", "thank_you_page_id", "kind"} & set(values)):
        return {}
    page_id = now_of(values, old, "thank_you_page_id")
    if now_of(values, old, "kind") == "ecp" and not page_id:
        return {"thank_you_page_id": Fault("required", _("Choose a thank-you page before the survey becomes active."))}
    if page_id and open_page(page_id) is None:
        message = _("The thank-you page is not active or past its last day, so nobody would see it. Activate it first.")
        return {"thank_you_page_id": Fault("not_active", message)}
    if "status" in values and not _has_question((old or {}).get("id")):
        return {"status": Fault("no_questions", _("Add a question before the survey becomes active."))}
    return {}


def open_page(page_id: int) -> str | None:
    """The address after /p/ of a landing page that people can see now; None when they cannot."""
    table = modules["landing_pages"].table
    said = select(table.c.slug).where(
        table.c.id == page_id, table.c.status == "active", table.c.deleted_at.is_(None),
        table.c.valid_until_on.is_(None) | (table.c.valid_until_on >= clock.today(clock.site_zone())),
    )  # fmt: skip
    return db.session.execute(said).scalar()


def _has_question(survey_id: int | None) -> bool:
    from surveys.modules.survey_questions import SurveyQuestion

    if survey_id is None:
        return False
    from surveys.kinds import WITH_ANSWER

    table = SurveyQuestion.__table__
    said = select(table.c.id).where(
        table.c.survey_id == survey_id, table.c.visible.is_(True), table.c.kind.in_(WITH_ANSWER)
    )
    return db.session.execute(said.limit(1)).first() is not None


def keeps_its_promise(values: Values, old: Values | None) -> Faults:
    """Anonymity cannot be taken back after the first answer, and goes with nothing that tells who answered."""
    was, now = bool((old or {}).get("anonymous")), bool(now_of(values, old, "anonymous"))
    if was and not now and _has_answer((old or {})["id"]):
        message = _("People have answered this survey because it is anonymous. It stays so.")
        return {"anonymous": Fault("promised", message)}
    if not now:
        return _subscription_needs_confirming(values, old)
    faults: Faults = {}
    if not was and old is not None:
        if _has_answer(old["id"]):
            message = _("Answers with names are there already. Copy the survey and make the copy anonymous.")
            return {"anonymous": Fault("too_late", message)}
        from surveys.designing import names_that_tell

        if found := names_that_tell(old["id"]):
            message = _(
                "An anonymous survey takes no files and neither reads nor writes contacts. Change these questions: %(names)s.",
                names=", ".join(found),
            )
            return {"anonymous": Fault("tells", message)}
    for name in ("editable_until", "campaign_id"):
        if now_of(values, old, name):
            faults[name] = Fault("anonymous", _("An anonymous survey does not know whose answer is whose."))
    for name in ("allow_draft", "create_contact", "double_opt_in"):
        if now_of(values, old, name):
            faults[name] = Fault("anonymous", _("An anonymous survey does not know whose answer is whose."))
    return faults


def _subscription_needs_confirming(values: Values, old: Values | None) -> Faults:
    if not now_of(values, old, "public") or now_of(values, old, "double_opt_in") or old is None:
        return {}
    from surveys.designing import writes_subscription

    if {"public", "double_opt_in"} & set(values) and writes_subscription(old["id"]):
        message = _("This public survey starts subscriptions, so people must confirm them by mail.")
        return {"double_opt_in": Fault("required", message)}
    return {}


def _has_answer(survey_id: int) -> bool:
    from surveys.modules.survey_responses import SurveyResponse

    table = SurveyResponse.__table__
    said = select(func.count()).where(table.c.survey_id == survey_id, table.c.status == "complete")
    return bool(db.session.execute(said).scalar())


def keep_plain_css(values: Values, old: Values | None) -> dict[str, Any]:
    """Styles are kept without imports, foreign addresses and what runs."""
    return {"css": looks.plain(values["css"])} if values.get("css") else {}


def opens_before_it_closes(values: Values, old: Values | None) -> Faults:
    opens, closes = now_of(values, old, "opens_at"), now_of(values, old, "closes_at")
    if opens and closes and closes <= opens:
        return {"closes_at": Fault("out_of_range", _("The survey closes before it opens. Choose a later moment."))}
    return {}


def never_ends(values: Values, old: Values | None) -> dict[str, str]:
    """Emptied days valid: whoever fills in the form is asked whether links in mails shall work for ever (M103)."""
    if "days_valid" not in values or values["days_valid"] not in (None, ""):
        return {}
    if old is not None and old.get("days_valid") is None:
        return {}
    return {"days_valid": _("Really unlimited? Links in mails would work for ever; a month at most is safer.")}
