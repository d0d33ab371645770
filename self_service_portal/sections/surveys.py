"""The surveys of a person on the personal page: those that wait for an answer, each with its own link."""

from collections.abc import Mapping
from typing import Any

from flask_babel import get_locale
from sqlalchemy import or_, select

from crm import clock
from crm.db import db
from crm.modules.privacy.showing import day_of
from crm.words import N_
from self_service_portal.pages import Section
from surveys.design import title_of
from surveys.links import address_of
from surveys.modules.survey_invitations import SurveyInvitation
from surveys.modules.surveys import Survey

ROWS = 20


def _draw(contact_id: int) -> Mapping[str, Any] | None:
    i, s, now = SurveyInvitation.__table__.c, Survey.__table__.c, clock.now()
    said = (
        select(i.id, i.survey_id, i.expires_at, s.title, s.translations)
        .join(Survey.__table__, s.id == i.survey_id)
        .where(
            i.person_id == contact_id, i.is_answered.is_(False), or_(i.expires_at.is_(None), i.expires_at > now),
            s.status == "active", s.deleted_at.is_(None), or_(s.closes_at.is_(None), s.closes_at > now),
        )
        .order_by(i.id.desc()).limit(ROWS)
    )  # fmt: skip
    language = str(get_locale() or "en").split("_")[0]
    rows = [
        (title_of(dict(row), language), address_of(row["id"], row["survey_id"]), row["expires_at"] and day_of(row["expires_at"]))
        for row in db.session.execute(said).mappings()
    ]  # fmt: skip
    return {"rows": rows} if rows else None


SURVEYS = Section("surveys", N_("Surveys that wait for you"), "sections/surveys.html", _draw)
