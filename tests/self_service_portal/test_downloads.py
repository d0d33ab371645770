"""Every way to a stored file, in the CRM and the portal: a download under its name, in which nothing runs."""

import ast
import io

import pytest
from werkzeug.datastructures import FileStorage, MultiDict

from crm import clock
from crm.db import db
from crm.engine import attachments, records
from crm.engine.channels import Channel
from crm.identity.viewer import SYSTEM
from crm.modules.events import seats
from crm.modules.portals import usual
from crm.modules.tickets import commenting
from crm.modules.tickets.commenting import Author
from surveys import answering, forms
from tests.rules.checkout import TOP, python_of_rooms, relative
from tests.surveys.conftest import make_survey

HOSTILE = b"<script>alert(1)</script>"
GIVES_FILES = "crm/ui/downloads.py"


@pytest.fixture
def stored():
    return attachments.store(SYSTEM, "page.html", io.BytesIO(HOSTILE), "text/html").id


def survey_file(person):
    asked = make_survey([{"name": "it", "kind": "file"}])
    sent = FileStorage(io.BytesIO(HOSTILE), filename="page.html", content_type="text/html")
    answering.store(
        SYSTEM, asked.id, forms.read(forms.open_form(asked.id), MultiDict(), MultiDict({"q.it": sent})), person
    )
    return f"/surveys/{asked.id}/files/{asked.answers()['it'][0]['id']}"


def test_every_stored_file_is_a_download_in_which_nothing_runs(world, crm, stored):
    shop, dora = world.shop, world.shop.ids["dora"]
    shop.show(**usual.matrix_of("tickets"))
    attachments.attach(SYSTEM, "contacts", dora, stored, Channel.SYSTEM)
    ticket = shop.make("tickets", title="Fire", contact_id=dora)
    commenting.put(
        ticket, Author("customer", "Dora", contact_id=dora), {"text": "See", "visibility": "public"}, [stored]
    )
    event = world.event()
    place = seats.register(SYSTEM, event, dora, "crm", Channel.FORM, tells=False)
    values = {"event_id": event, "attendee_id": place.attendee_id, "contact_id": dora, "number": "C-1", "verify_code": "A" * 16,
              "file_id": stored, "made_at": clock.now(), "issued_at": clock.now()}  # fmt: skip
    certificate = records.create(SYSTEM, "certificates", values, Channel.SYSTEM)
    answered = survey_file(dora)
    db.session.commit()
    inside, customer = crm("ada"), shop.browse("dora")
    for browser, path in (
        (inside, f"/files/{stored}"),
        (inside, f"/tickets/{ticket}/attachments/{stored}"),
        (inside, answered),
        (customer, f"/tickets/{ticket}/files/{stored}"),
        (customer, f"/my-data/documents/{certificate}"),
        (customer, f"/events/{event}/certificate"),
    ):
        answer = browser.get(path)
        assert answer.data == HOSTILE, path
        assert answer.headers["Content-Disposition"] == "attachment; filename=page.html", path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox", path
        answer.close()


def test_nothing_sends_files_past_the_one_way():
    """`send_file` stands in one place only; elsewhere a picture that is shown goes through `boxed` at once."""
    found = []
    for path in python_of_rooms():
        tree = ast.parse(path.read_text())
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
        boxed = {id(one) for call in calls if call.func.id == "boxed" for one in call.args}  # type: ignore[attr-defined]
        for call in calls:
            is_sent = call.func.id == "send_file"  # type: ignore[attr-defined]
            if is_sent and id(call) not in boxed and relative(path) != GIVES_FILES:
                found.append(f"{relative(path)}:{call.lineno}")
    assert found == []
    assert "boxed(send_file(" in (TOP / GIVES_FILES).read_text()
