"""Home page, preferences, search, settings: what is one's own, and what only administrators open."""

from lxml import html

from crm.db import db
from crm.identity.tables import User
from crm.ui import widgets


def token(browser):
    return html.fromstring(browser.get("/").text).xpath("//meta[@name='csrf-token']/@content")[0]


def test_a_widget_that_fails_does_so_in_its_own_box(browse, people, monkeypatch):
    def break_down(_viewer):
        raise RuntimeError("no")

    monkeypatch.setitem(
        widgets._widgets, "newest", widgets.Widget("newest", "Newest contacts", break_down, lambda viewer: True)
    )
    alice = browse("alice")
    assert "could not be drawn" in alice.get("/home/newest").text
    assert "could not be drawn" not in alice.get("/home/figures").text


def test_the_home_page_is_arranged_by_the_person(browse, people):
    alice = browse("alice")
    said = {"csrf": token(alice)}
    alice.post("/home", said | {"key": ["newest", "figures", "nonsense"]})
    page = html.fromstring(alice.get("/").text)
    assert page.xpath("//section[contains(@class,'widget')]/input[@name='key']/@value") == ["newest", "figures"]
    alice.post("/home", said | {"remove": "newest"})
    assert "newest" not in html.fromstring(alice.get("/").text).xpath("//section/input[@name='key']/@value")
    assert "newest" in html.fromstring(browse("bob").get("/").text).xpath("//section/input[@name='key']/@value")


def test_a_chart_has_a_table_and_a_file_behind_it(browse, people, make):
    make("potentials", name="One", stage="Prospecting", amount="1500")
    alice = browse("alice")
    inside = html.fromstring(alice.get("/home/stages").text)
    assert inside.xpath("//div[@data-chart]/@role") == ["img"]
    assert "1,500" in inside.xpath("//table")[0].text_content()
    assert "1500" in alice.get("/home/stages.csv").text


def test_top_accounts_are_ranked_by_their_open_potentials(browse, people, make):
    accounts = {name: make("accounts", name=name) for name in ("Small", "Large", "Lost", "None")}
    for name, stage, amount in (
        ("Small", "Prospecting", "900"), ("Large", "Prospecting", "500"), ("Large", "Qualification", "600"),
        ("Lost", "Closed Lost", "9000"), ("None", "Prospecting", None),
    ):  # fmt: skip
        make("potentials", name=f"Of {name}", stage=stage, amount=amount, account_id=accounts[name])
    lines = browse("alice").get("/home/top_accounts.csv").text.splitlines()[1:]
    assert lines == ["Large,1100.00", "Small,900.00"]


def test_nobody_makes_himself_an_administrator_by_preferences(browse, people):
    alice = browse("alice")
    sent = alice.form("/preferences", has="timezone")
    alice.post("/preferences", sent | {"crm_admin": "1"}, status=422)
    alice.post("/preferences", sent | {"role_id": "1"}, status=422)
    alice.post("/preferences", sent | {"timezone": "Mars/Olympus"}, status=422)
    alice.post("/preferences", sent | {"locale": "fi", "timezone": "Europe/Berlin", "date_format": "iso"})
    user = db.session.get(User, people.alice)
    assert (user.crm_admin, user.locale, user.timezone) == (False, "fi", "Europe/Berlin")
    assert '<html lang="fi"' in alice.get("/").text


def test_the_theme_is_kept(browse, people):
    alice = browse("alice")
    alice.post("/preferences/look", {"csrf": token(alice), "theme": "dark"})
    assert 'data-theme="dark"' in alice.get("/contacts").text


def test_search_finds_records_pages_and_actions(browse, people, make):
    id = make("contacts", last_name="Lumikuningatar")
    alice = browse("alice")
    assert f"/crm/contacts/{id}" in alice.get("/search/suggest?q=lumi").text
    assert "/crm/potentials" in alice.get("/search/suggest?q=poten").text
    assert "/crm/contacts/new" in alice.get("/search/suggest?q=new con").text
    assert "at least two letters" in alice.get("/search?q=l").text


def test_only_administrators_open_the_settings(browse, people):
    pages = ("users", "groups", "roles", "profiles", "sharing", "api-keys", "numbering", "logins", "users/new")
    ada, alice = browse("ada"), browse("alice")
    for page in pages:
        ada.get(f"/admin/{page}")
        alice.get(f"/admin/{page}", status=403)
    alice.post("/admin/users/new", {"csrf": token(alice), "last_name": "X", "email": "x@example.com"}, status=403)


def test_an_administrator_makes_a_user_a_role_a_group_a_rule_and_a_key(browse, people):
    ada = browse("ada")
    said = {"csrf": token(ada)}
    role = html.fromstring(ada.get("/admin/users/new").text).xpath(
        "//select[@name='role_id']/option[text()='Sales']/@value"
    )[0]
    page = ada.post(
        "/admin/users/new",
        said | {"last_name": "Fresh", "email": "fresh@example.com", "role_id": role, "crm_access": "1"},
        status=200,
    )
    assert "shown once" in page.text
    assert ada.post("/admin/users/new", said | {"last_name": "", "email": "nonsense"}, status=422)
    ada.post("/admin/groups/new", said | {"name": "Night shift", "member": [f"user:{people.bob}"]})
    assert "Night shift" in ada.get("/admin/groups").text
    ada.post("/admin/roles/new", said | {"name": "Interns", "parent_id": role})
    assert "Interns" in ada.get("/admin/roles").text
    ada.post("/admin/sharing", said | {"level.contacts": "private"})
    ada.post(
        "/admin/sharing/rules",
        said | {"module": "contacts", "from": f"user:{people.alice}", "to": f"group:{people.team}", "level": "read"},
    )
    assert "are open to" in ada.get("/admin/sharing").text
    page = ada.post("/admin/api-keys", said | {"name": "Shop", "user_id": str(people.alice)}, status=200)
    key = html.fromstring(page.text).xpath("//p[contains(@class,'mono')]//strong/text()")[0]
    assert key.startswith("ch_")
    assert key not in ada.get("/admin/api-keys").text
    ada.post("/admin/numbering/contacts", said | {"prefix": "K", "start": "5000", "width": "6"})
    assert 'value="5000"' in ada.get("/admin/numbering").text


def test_a_fault_of_ours_is_a_page_without_details(app, people, browse, monkeypatch):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    alice = browse("alice")
    answer = alice.get("/no-such-module", status=404)
    assert "There is nothing here" in answer.text
    alice.get("/contacts/999999999", status=404)
    alice.get("/contacts/99999999999999999999", status=404)
