"""How long data is kept is set on a page, by administrators."""

from typing import Any

from crm.modules import retention


def test_an_administrator_says_how_long(browse: Any) -> None:
    admin = browse("ada")
    said = admin.form("/admin/keeping")
    assert said["bin"] == ["90"]
    wrong = admin.post("/admin/keeping", said | {"bin": "soon", "logins": "5", "changes": "400"}, 422).text
    assert "A whole number from 1 to 3,650, or 0 for ever." in wrong
    assert "Recycle bin: A whole number from 1" in wrong
    assert 'value="soon"' in wrong
    assert 'value="400"' in wrong
    admin.post("/admin/keeping", said | {"bin": "30", "changes": "400"})
    assert retention.days() == {
        "bin": 30,
        "events": 730,
        "letters": 730,
        "transfers": 30,
        "logins": 365,
        "changes": 400,
    }
    browse("alice").get("/admin/keeping", 403)
