"""The public end of web tracking, in front of the apps: /t/<key>.js the script, /t/b its hits. Stored, then answered.

Everything here is written by strangers. A hit that we do not want (foreign, unknown, refused by its person) is answered
like one that was stored: 204. Only its size (413) and its rate (429) are told, and that it could not be stored (503).
"""

import logging
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from msgspec.json import Encoder

from crm import clock, limits
from crm.agents import family, kind_of
from crm.config import Config
from crm.limits import Limiter, Rate
from web_tracking import cleaning, recognising
from web_tracking.cleaning import host_of
from web_tracking.parsing import MOST_BODY, MOST_SECONDS, Body, read
from web_tracking.script import Script
from web_tracking.sites import Known, Site
from web_tracking.stores import Store

log = logging.getLogger(__name__)
BEACON, SCRIPTS = "/t/b", "/t/"
OTHER_BOTS = ("headless", "puppeteer", "playwright", "selenium", "webdriver")
_NO_STORE = ("Cache-Control", "no-store")
_json = Encoder().encode  # made once
Answer = Iterable[bytes]


class Beacon:
    """The WSGI app of /t/. `known`: what is known of sites; `store`: where hits wait."""

    def __init__(self, config: Config, known: Callable[[], Known], store: Store) -> None:
        self._known, self._store = known, store
        self._trusted = config.trusted_proxies
        self._limiter = Limiter(Rate(config.hit_rate, 1))
        self._script = Script()
        self._where = lru_cache(maxsize=20_000)(self._source)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Answer:
        path, method = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD", "")
        if path == BEACON:
            return self._collect(environ, start_response, method)
        key = path[len(SCRIPTS) :]
        site = self._known().sites.get(key[:-3]) if key.endswith(".js") and method in {"GET", "HEAD"} else None
        if site is None:
            return _answer(start_response, "204 No Content")
        headers, body = self._script.of(site, environ.get("HTTP_ACCEPT_ENCODING", ""))
        start_response("200 OK", headers)
        return [] if method == "HEAD" else [body]

    def _collect(self, environ: dict[str, Any], start_response: Any, method: str) -> Answer:
        if method != "POST":
            return _answer(start_response, "204 No Content")
        try:
            length = int(environ.get("CONTENT_LENGTH") or -1)
        except ValueError:
            length = -1
        if not 0 <= length <= MOST_BODY:
            return _answer(start_response, "413 Content Too Large" if length > MOST_BODY else "411 Length Required")
        address, key, kept = self._where(environ.get("REMOTE_ADDR"), environ.get("HTTP_X_FORWARDED_FOR"))
        if self._limiter.take(key):
            return _answer(start_response, "429 Too Many Requests", ("Retry-After", "1"))
        data = environ["wsgi.input"].read(length)
        body = read(data) if len(data) == length else None
        site = self._known().sites.get(body.site) if body else None
        origin = environ.get("HTTP_ORIGIN", "")
        hosts = site.hosts if site is not None else ()
        if body is None or site is None or host_of(origin) not in hosts or host_of(body.url) not in hosts:
            return _answer(start_response, "204 No Content")
        refuses = environ.get("HTTP_DNT") == "1" or environ.get("HTTP_SEC_GPC") == "1" or site.leaves_out(address)
        if not refuses or body.kind == "forget":  # who refuses now may have agreed before
            try:
                self._keep(site, body, kept, environ.get("HTTP_USER_AGENT", ""))
            except Exception:
                log.exception("a hit could not be stored")
                return _answer(start_response, "503 Service Unavailable", ("Retry-After", "10"))
        return _answer(start_response, "204 No Content", ("Access-Control-Allow-Origin", origin), ("Vary", "Origin"))

    def _keep(self, site: Site, body: Body, kept: str, agent: str) -> None:
        """Store what may be stored of a good hit: all of it, a bare count, or nothing."""
        at = clock.milliseconds()
        is_bot, browser = _told_apart(agent)
        if body.kind == "try":
            self._store.put(at, site.id, None, 0, "try", "{}")
        elif is_bot and body.kind != "leave":  # a leave only adds to a view that was taken
            self._store.put(at, site.id, None, 0, "bot", "{}")
        elif body.visitor and (body.agreed or not site.needs_consent or body.kind == "forget"):
            said = self._said(site, body, browser, kept)
            self._store.put(at, site.id, body.visitor, body.nonce, body.kind, _json(said).decode())
        elif site.counts_all and body.kind == "view":
            said = {"p": cleaning.path(body.url, site.kept)}
            self._store.put(at, site.id, None, 0, "count", _json(said).decode())

    def _said(self, site: Site, body: Body, browser: str, kept: str) -> dict[str, Any]:
        said: dict[str, Any] = {"p": cleaning.path(body.url, site.kept), "a": browser, "i": kept}
        if body.kind == "leave":
            return {"p": said["p"], "x": min(body.seconds, MOST_SECONDS)}
        if body.kind == "forget":
            return {}
        if body.counted:
            said["d"] = 1
        if not body.agreed:
            said["l"] = 1  # only if it comes by a personal link, or has before
        if body.title:
            said["t"] = cleaning.plain(body.title, cleaning.MOST_TITLE)
        if body.kind == "event":
            said["e"] = cleaning.plain(body.name) or "event"
        elif body.kind == "download":
            found = cleaning.address(body.name)
            said["e"] = cleaning.path(body.name)[-cleaning.MOST_NAME :] if found else "file"
        if body.referrer and (host := cleaning.referrer(body.referrer, site.hosts)):
            said["r"] = host
        if utm := cleaning.campaign(body.url):
            said["u"] = dict(utm)
        if body.token and (who := recognising.read(self._known().sealer, body.token, clock.now())):
            said["w"] = [who.way, who.id, recognising.use_of(who, site.id)]
        return said

    def _source(self, remote: str | None, forwarded: str | None) -> tuple[str, str, str]:
        """The address, the key that its rate is counted by, and what of it may be kept."""
        address = limits.source_of(remote, forwarded, self._trusted)
        return address, limits.key_of(address), limits.shortened(address)


@lru_cache(maxsize=4096)
def _told_apart(agent: str) -> tuple[bool, str]:
    lower = agent[:500].lower()
    is_bot = kind_of(agent) != "reader" or any(word in lower for word in OTHER_BOTS)
    return is_bot, family(agent)


def _answer(start_response: Any, status: str, *headers: tuple[str, str]) -> Answer:
    start_response(status, [_NO_STORE, *headers])
    return []
