"""A browser without scripts: signs in, reads forms as they stand on the page, sends them."""

from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from lxml import html

from crm.db import db
from crm.identity import logins
from tests.people import PASSWORD


@dataclass
class Browser:
    """One person's browser on one app ("crm" or "ecp")."""

    app: Flask
    prefix: str
    client: Any = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    def get(self, path: str, status: int = 200, **more: Any) -> Any:
        answer = self.client.get(f"{self.prefix}{path}", **more)
        assert answer.status_code == status, f"{path}: {answer.status_code}\n{answer.text[:2000]}"
        return answer

    def form(self, path: str, has: str = "csrf") -> dict[str, Any]:
        """What a browser would send of the largest form of a page, as it stands."""
        page = html.fromstring(self.get(path).text)
        forms = [one for one in page.forms if has in one.fields]
        assert forms, f"{path} has no form"
        chosen = max(forms, key=lambda one: len(one.fields.keys()))
        sent: dict[str, Any] = {}
        areas = {area.name for area in chosen.iter("textarea")}
        for name, value in chosen.form_values():
            # A browser drops the line break that a text area begins with; lxml keeps it.
            sent.setdefault(name, []).append(value.removeprefix("\n") if name in areas else value)
        return sent

    def post(self, path: str, said: dict[str, Any], status: int = 303) -> Any:
        answer = self.client.post(f"{self.prefix}{path}", data=said)
        assert answer.status_code == status, f"{path}: {answer.status_code}\n{answer.text[:3000]}"
        return answer


def browser(app: Flask, email: str, face: str = "crm") -> Browser:
    """A browser in which the person with `email` is signed in."""
    signed = logins.sign_in(face, email, PASSWORD, "127.0.0.1", "Test")  # type: ignore[arg-type]
    assert signed
    assert signed.token
    db.session.commit()
    made = Browser(app, f"/{face}")
    made.client.set_cookie(f"ch_{face}", signed.token, path=f"/{face}")
    return made
