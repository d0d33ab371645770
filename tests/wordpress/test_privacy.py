"""WordPress' own export and erasure of a person's data: what waits here goes with it, in the table and in the file."""

import pytest

FULL = "CREATE TRIGGER is_full BEFORE INSERT ON wp_customerhub_outbox FOR EACH ROW SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'The table is full'"  # fmt: skip


def asked(site, what, email):
    """What our part answers when WordPress goes through everybody's `what` (exporters, erasers)."""
    return site.ask(
        f"$all = apply_filters('wp_privacy_personal_data_{what}', []); return call_user_func($all['customerhub']['callback'], '{email}', 1);"
    )


@pytest.fixture
def waiting(wired):
    """Of two people one submission each waits in the table, and one each in the file."""
    wired.send()
    wired.send("other@virta.example")
    wired.site.sql(FULL)
    try:
        wired.send(company="Toinen Oy")
        wired.send("other@virta.example", company="Toinen Oy")
    finally:
        wired.site.sql("DROP TRIGGER is_full")
    assert len(wired.states()) == 2
    return wired


def test_what_waits_of_a_person_is_exported_and_of_nobody_else(waiting):
    found = asked(waiting.site, "exporters", "VEERA@virta.example")
    assert found["done"] is True
    values = [{line["name"]: line["value"] for line in item["data"]} for item in found["data"]]
    assert [one["company"] for one in values] == ["Virta Oy", "Toinen Oy"]
    assert {one["your-email"] for one in values} == {"veera@virta.example"}
    for nobody in ("era@virta.example", "", "virta.example"):
        assert asked(waiting.site, "exporters", nobody)["data"] == []


def test_what_waits_of_a_person_is_erased_and_the_rest_still_arrives(waiting):
    said = asked(waiting.site, "erasers", "Veera@virta.example")
    assert (said["items_removed"], said["done"]) == (True, True)
    assert "erased there" in said["messages"][0]
    assert asked(waiting.site, "exporters", "veera@virta.example")["data"] == []
    waiting.site.ask("return CustomerHub\\Sending\\Sender::run();")
    assert sorted(lead["company"] for lead in waiting.leads()) == ["Toinen Oy", "Virta Oy"]
    assert {lead["email"] for lead in waiting.leads()} == {"other@virta.example"}
    assert asked(waiting.site, "erasers", "veera@virta.example")["items_removed"] is False


def test_a_database_that_stays_full_leaves_the_file_as_it_is(waiting):
    (file,) = (waiting.site.root / "wp-content/uploads").glob("customerhub-*/waiting.log")
    before = file.stat().st_mtime_ns, file.read_bytes()
    waiting.site.sql(FULL)
    try:
        assert waiting.site.ask("return CustomerHub\\Sending\\Spill::drain();") == 0
    finally:
        waiting.site.sql("DROP TRIGGER is_full")
    assert (file.stat().st_mtime_ns, file.read_bytes()) == before, "a disk that is full would not take it again"
    assert waiting.site.ask("return CustomerHub\\Sending\\Spill::drain();") == 2
    assert file.read_bytes() == b""


def test_the_privacy_guide_has_our_paragraphs(site):
    assert "handed to our customer register" in site.log_in().get("/wp-admin/privacy-policy-guide.php").text
