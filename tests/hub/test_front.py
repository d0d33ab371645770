"""The root of the house: chooser, health, figures; the public face without cookies; each path to its app."""

import pytest

from crm.engine import outbox
from hub.public import create_public_app
from hub.wsgi import House


@pytest.fixture
def public(app):
    made = create_public_app(app.config["CUSTOMERHUB"])
    made.testing = True
    return made.test_client()


def test_the_chooser_leads_to_the_apps_and_sets_no_cookie(public):
    answer = public.get("/")
    assert answer.status_code == 200
    assert 'href="/crm/"' in answer.text
    assert 'href="/ecp/"' in answer.text
    assert "Set-Cookie" not in answer.headers
    assert "script" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_health_asks_nothing_and_readiness_asks_the_database(public):
    assert public.get("/healthz").text == "alive\n"
    answer = public.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"ready": True, "troubles": {}})


def test_readiness_says_when_the_disk_is_full(app, public, monkeypatch):
    app.config["CUSTOMERHUB"].data_path.mkdir(exist_ok=True)
    monkeypatch.setattr("crm.disk.LEAST_FREE_BYTES", 10**18)
    answer = public.get("/readyz")
    assert answer.status_code == 503
    assert "disk" in answer.json["troubles"]


def test_figures_count_jobs(public, session):
    outbox.put(session, "tests.nothing", queue="tested")
    session.commit()
    assert 'customerhub_jobs{queue="tested",state="waiting"} 1.0' in public.get("/metrics").text


@pytest.mark.parametrize(
    ("remote", "forwarded"),
    [("198.51.100.7", None), ("127.0.0.1", "198.51.100.7"), ("10.0.0.1", "127.0.0.1")],
)
def test_figures_are_not_for_strangers(public, remote, forwarded):
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert public.get("/metrics", environ_base={"REMOTE_ADDR": remote}, headers=headers).status_code == 404


def test_an_address_that_leads_nowhere_says_so_without_a_cookie(public):
    answer = public.get("/nothing-here")
    assert answer.status_code == 404
    assert "Set-Cookie" not in answer.headers


def answered_by(house, path, host="127.0.0.1:8000"):
    """Which of the apps gets the request."""
    seen = []
    for name in ("crm", "ecp", "public"):
        setattr(house, name, lambda environ, start, name=name: seen.append(name) or [b""])
    house.apps = {"crm": house.crm, "api": house.crm, "ecp": house.ecp}
    house({"PATH_INFO": path, "HTTP_HOST": host}, None)
    return seen[0]


@pytest.mark.parametrize(
    ("path", "name"),
    [("/crm/contacts", "crm"), ("/api/v1/contacts", "crm"), ("/ecp/", "ecp"), ("/", "public"), ("/crmx", "public"),
     ("//crm/", "crm"), ("/u/abc", "public")],
)  # fmt: skip
def test_each_path_has_its_app(app, path, name):
    assert answered_by(House(app.config["CUSTOMERHUB"]), path) == name


def test_an_app_with_a_host_of_its_own_is_found_there_only(app):
    house = House(app.config["CUSTOMERHUB"].with_(crm_url="https://crm.example.com"))
    assert answered_by(house, "/crm/", "crm.example.com") == "crm"
    assert answered_by(house, "/crm/", "mail.example.com") == "public"
