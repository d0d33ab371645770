"""A house in which everything that a person can name has a hostile name, and a browser that follows every link of it."""

import base64
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml import html
from werkzeug.exceptions import HTTPException

from crm.db import db
from crm.engine import attachments, records, saved_views
from crm.engine.channels import Channel
from crm.engine.conditions import allowed
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.identity import api_keys, roles
from crm.identity.viewer import SYSTEM, Viewer
from crm.modules.groups.writing import create_group
from tests.every_module import values
from tests.every_module.browsing import Browser

NAME = "=<img src=x onerror=alert(1)>\"'{$contact.email}{{7*7}}"
LONG = (
    NAME
    + "</script><script>alert(2)</script></textarea></title><svg onload=alert(3)></svg><i onfocus=alert(4)>' onfocus=alert(5) autofocus x='\u202e"
)
PLAIN_BUTTON = ".//button[not(@formaction) and not(@type='button')]"  # one that sends the form to its own address
SKIPPED = {"sendouts", "portal_target_groups", "deliveries"}


def hostile_values(key: str, linked: dict[str, int]) -> dict[str, Any]:
    """Values of a record of module `key`: hostile where any text may stand, links to other hostile records."""
    module = modules[key]
    made = values.complete(key, 1)
    for said in values.written_by_people(module):
        if said.name in made and said.kind.name in {"text", "long_text"}:
            made[said.name] = (LONG if (said.max or 9999) >= len(LONG) else NAME)[: said.max or 9999]
        elif said.name in made and said.kind.name == "link" and said.to[0] in linked:
            made[said.name] = linked[said.to[0]]
    return made


def make_hostile(key: str, linked: dict[str, int]) -> int:
    """A record of `key`; fields that refuse a hostile text keep the good value."""
    wanted = hostile_values(key, linked)
    for _ in range(4):
        try:
            return records.create(SYSTEM, key, wanted, Channel.SYSTEM)
        except Refused as refused:
            good = values.complete(key, 1)
            wanted |= {name: good[name] for name in refused.faults if name in good}
            wanted = {name: one for name, one in wanted.items() if name not in refused.faults or name in good}
    raise AssertionError(f"{key} takes no record at all")


def hostile_condition(key: str) -> dict[str, Any]:
    """A condition with a hostile text in it; none for a module whose name is no text."""
    title = modules[key].titles[0]
    return {"$like": [title, f"%{NAME}%"]} if "$like" in allowed(modules[key].fields[title]) else {}


def furnish(owner: Viewer) -> dict[str, int]:
    """A hostile record of every module, views, groups, roles, profiles, keys, files with hostile names; ids by module."""
    made: dict[str, int] = {}
    for key in values.RECORDS:
        if key not in SKIPPED and modules[key].creatable:
            made[key] = make_hostile(key, made)
    for key in made:
        said: dict[str, Any] = {"name": NAME[:60], "visibility": "public", "where": hostile_condition(key)}
        saved_views.create(owner, key, said | {"columns": list(modules[key].columns)})
    kept = attachments.store(owner, f"{NAME}.txt", io.BytesIO(b"text"), "text/html")
    db.session.flush()
    attachments.attach(owner, "contacts", made["contacts"], kept.id, Channel.FORM)
    create_group(SYSTEM, {"name": NAME}, [])
    roles.add_role(NAME, None, [])
    roles.copy_profile(1, NAME, LONG)
    api_keys.add(NAME, owner.id or 0)
    db.session.commit()
    return made


@dataclass
class Crawl:
    """Follows every link, every part that a page would load, and looks at each answer."""

    browser: Browser
    most: int = 400
    each: int = 2  # addresses of one pattern
    seen: dict[str, int] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def run(self, *begin: str) -> "Crawl":
        waiting = [(path, "start") for path in begin]
        known = {path for path, _ in waiting}
        while waiting and len(self.pages) < self.most:
            path, cause = waiting.pop(0)
            for found in self._visit(path, cause):
                if found not in known:
                    known.add(found)
                    waiting.append((found, path))
        return self

    def _visit(self, path: str, cause: str) -> Iterator[str]:
        pattern = re.sub(r"[0-9a-f]{16,}|\d+", "N", re.sub(r"(field|related)/\w+", r"\1/", urlsplit(path).path))
        pattern += " " + " ".join(sorted(part.split("=")[0] for part in urlsplit(path).query.split("&")))
        if self.seen.get(pattern, 0) >= self.each:
            return
        self.seen[pattern] = self.seen.get(pattern, 0) + 1
        answer = self.browser.client.get(path)
        self.pages.append(path)
        if answer.status_code >= 400:
            self.faults.append(f"{answer.status_code} {path} (linked on {cause})")
            return
        if 300 <= answer.status_code < 400:
            yield from self._ours([answer.headers["Location"]], path)
            return
        if answer.mimetype != "text/html" or not answer.text.strip():
            return
        tree = html.fromstring(f"<div>{answer.text}</div>" if "<html" not in answer.text else answer.text)
        policy = answer.headers.get("Content-Security-Policy", "")
        self.faults += [f"{path}: {fault}" for fault in dangers(tree, "sandbox" in policy, policy)]
        self.faults += [f"{path}: no page takes the form to {target}" for target in self._dead_targets(tree, path)]
        found = tree.xpath("//@href | //@hx-get | //iframe/@src | //form[@method='get']/@action | //@data-src")
        yield from self._ours(found, path)

    def _dead_targets(self, tree: Any, base: str) -> list[str]:
        """Where forms and buttons of a page post to and nothing answers."""
        said = [one.get("action") or base for one in tree.xpath(f"//form[@method='post'][{PLAIN_BUTTON}]")]
        said += tree.xpath("//@formaction | //@hx-post")
        dead = []
        for one in said:
            target = urlsplit(urljoin(f"http://localhost{base}", one)).path
            try:
                self.browser.app.url_map.bind("localhost").match(target, method="POST")
            except HTTPException:
                dead.append(target)
        return dead

    def _ours(self, found: list[str], base: str) -> Iterator[str]:
        for one in found:
            place = urlsplit(urljoin(f"http://localhost{base}", one))
            is_page = place.path.startswith(self.browser.prefix) and "/static/" not in place.path
            if place.hostname in {"localhost", "127.0.0.1"} and is_page:
                yield place.path + (f"?{place.query}" if place.query else "")


def is_named(script: Any, policy: str) -> bool:
    """Whether the policy of the page names exactly this script by its hash: it is ours, letter by letter."""
    seen = base64.b64encode(hashlib.sha256((script.text or "").encode()).digest()).decode()
    return f"script-src 'sha256-{seen}'" in policy and NAME not in (script.text or "")


def dangers(tree: Any, is_mail: bool = False, policy: str = "") -> list[str]:
    """What a browser would run of a page: attributes that are handlers, script without a source, script addresses."""
    found = []
    for one in tree.iter():
        if not isinstance(one.tag, str):
            continue
        is_data = one.get("type", "").endswith("json")
        if one.tag == "script" and ("src" not in one.attrib or is_mail) and not is_data and not is_named(one, policy):
            found.append("a script in the page")
        if one.tag == "img" and one.get("src") == "x":
            found.append("the picture of a hostile name")
        if one.tag == "svg" and "onload" in one.attrib:
            found.append("the drawing of a hostile name")
        found += [f"{name} of {one.tag}" for name in one.attrib if name.startswith(("on", "hx-on"))]
        for name in ("href", "src", "action", "formaction", "hx-get", "hx-post"):
            address = "".join(one.get(name, "").split()).lower()
            if address.startswith(("javascript:", "data:text", "vbscript:")):
                found.append(f"{name} that runs: {address}")
    return found
