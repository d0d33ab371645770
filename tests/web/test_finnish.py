"""Who has chosen Finnish reads Finnish: pages, and what the rooms below say when they refuse. Others go on in English."""

import pytest
from babel.messages.mofile import write_mo
from flask_babel import get_babel

from crm.db import db
from crm.engine import records
from crm.engine.channels import Channel
from crm.engine.refusals import Refused
from crm.identity.tables import User
from crm.words import N_, _, say_number, speaking
from scripts import messages


@pytest.fixture(autouse=True)
def compiled(app):
    """The catalogue as it is now; set-up compiles it, but strings may have come since."""
    path = messages.po_of("fi").with_suffix(".mo")
    if not path.exists() or path.stat().st_mtime < messages.po_of("fi").stat().st_mtime:
        with path.open("wb") as file:
            write_mo(file, messages.kept("fi"))
    get_babel(app).instance.domain_instance.cache.clear()


@pytest.fixture
def finnish(people, browse):
    db.session.get(User, people["alice"].id).locale = "fi"
    db.session.commit()
    return browse("alice")


def test_pages_and_refusals_are_finnish_for_whoever_chose_it(finnish, browse):
    page = finnish.get("/contacts").text
    assert 'lang="fi"' in page
    assert "Kontaktit" in page
    sent = finnish.form("/contacts/new") | {"last_name": [""]}
    assert "”Sukunimi” on täytettävä." in finnish.post("/contacts/new", sent, 422).text
    other = browse("bob")
    sent = other.form("/contacts/new") | {"last_name": [""]}
    assert "“Last name” must be filled in." in other.post("/contacts/new", sent, 422).text


def test_jobs_speak_the_language_of_the_person_they_act_for(people):
    with speaking("fi"), pytest.raises(Refused, match="Anna sähköpostiosoite, esimerkiksi"):
        records.create(people["alice"], "contacts", {"last_name": "Virta", "email": "nobody"}, Channel.IMPORT)
    with pytest.raises(Refused, match="This takes an e-mail address"):
        records.create(people["alice"], "contacts", {"last_name": "Virta", "email": "nobody"}, Channel.IMPORT)


def test_words_are_translated_before_they_are_filled(app):
    with speaking("fi"):
        assert _("This takes at most %(most)s characters; there are %(count)s.", most=5, count=9) == (
            "Tähän mahtuu enintään 5 merkkiä; niitä on 9."
        )
        assert say_number(1234567) == "1\xa0234\xa0567"
        assert _("100 %") == "100 %"
        assert N_("Marketer") == "Marketer"
    assert say_number(1234567) == "1,234,567"
