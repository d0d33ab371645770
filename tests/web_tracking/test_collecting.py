"""The public end of web tracking: what it takes, what it refuses, and what it never keeps."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from crm import clock, limits
from tests.web_tracking.conftest import ANNA, BEN, FIREFOX, Tracked
from web_tracking import cleaning, parsing
from web_tracking.collect import Beacon


def test_a_hit_of_the_site_is_stored_before_it_is_answered_and_its_origin_may_read_the_answer(site: Tracked) -> None:
    assert site.hit(path="/prices") == "204"
    assert site.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    (_id, _at, site_id, visitor, _nonce, kind, said) = site.waiting()[0]
    assert (site_id, visitor, kind) == (site.id, ANNA, "view")
    assert json.loads(said) == {"p": "/prices", "a": "Firefox", "i": "198.51.100.0", "t": "A page"}


def test_a_body_over_4_kb_is_refused_unread(site: Tracked) -> None:
    for length in (4097, 100_000):
        assert site.post("x" * length) == "413"
    assert site.post(b"", CONTENT_LENGTH="") == "411"
    assert site.waiting() == []


NO_BODIES: list[Any] = [
    "", "{", "[]", "null", '"text"', "\x00", "{}", "[" * 2000, '{"s":1}', "NaN", "\ud800".encode("utf-8", "surrogatepass"),
]  # fmt: skip
BAD: list[dict[str, Any]] = [
    {"at": "2026-01-01T00:00:00Z"}, {"s": "0" * 20}, {"s": "x"}, {"k": "drop"}, {"k": ["view"]}, {"n": -1}, {"n": 2**53}, {"n": True},
    {"n": 1.5}, {"n": "1"}, {"v": "short"}, {"v": "A" * 23}, {"v": "A" * 21 + "\n"}, {"c": 2}, {"c": "1"}, {"u": "x" * 2049}, {"t": 5},
    {"t": "x" * 1001}, {"x": -5}, {"x": 10**400}, {"u": "javascript:alert(1)"}, {"u": "https://other.example/"}, {"u": None},
    {"u": "https://shop.example@other.example/"}, {"u": "https://shop.example\r\nX: y/"}, {"p": 7},
]  # fmt: skip


def test_what_is_no_body_of_ours_is_ignored(site: Tracked) -> None:
    for data in NO_BODIES:
        assert site.post(data) == "204"
    assert site.waiting() == []


def test_unknown_names_wrong_types_and_foreign_addresses_are_ignored(site: Tracked) -> None:
    for changed in BAD:
        assert site.hit(**changed) == "204"
        assert site.waiting() == [], changed


def test_a_foreign_origin_is_ignored_and_told_nothing(site: Tracked) -> None:
    for origin in (
        "", "null", "https://other.example", "https://shop.example.evil.example", "shop.example", "https://shop.example:8443",
        "https://a@shop.example",
    ):  # fmt: skip
        assert site.post(site.body(), HTTP_ORIGIN=origin) == "204"
        assert site.waiting() == []
        assert "Access-Control-Allow-Origin" not in site.headers


def test_hosts_are_the_domain_with_www_and_those_named_beside(track: Any) -> None:
    site = track(more_hosts="blog.example\nlocalhost:8080")
    for host in ("shop.example", "www.shop.example", "blog.example", "localhost:8080"):
        assert site.post(site.body(u=f"http://{host}/"), HTTP_ORIGIN=f"http://{host}") == "204"
    assert len(site.waiting()) == 4


def test_ten_thousand_hits_at_once_from_one_address_keep_to_the_rate_and_others_are_not_held_up(site: Tracked) -> None:
    site.beacon._limiter = limits.Limiter(limits.Rate(50, 1), clock=lambda: 5.0)
    bodies = [json.dumps(site.body()) for _one in range(10_000)]
    answers = [site.post(body) for body in bodies]
    assert answers.count("204") == len(site.waiting()) == 50
    assert answers.count("429") == 9_950
    assert site.headers["Retry-After"] == "1"
    assert site.post(site.body(), REMOTE_ADDR="203.0.113.9") == "204"


def test_the_forwarded_address_counts_behind_a_trusted_proxy_only(site: Tracked, app: Any) -> None:
    config = app.config["CUSTOMERHUB"].with_(trusted_proxies="198.51.100.0/24", hit_rate=0.0)
    site.post(site.body(), HTTP_X_FORWARDED_FOR="203.0.113.9")
    site.beacon = Beacon(config, lambda: site.known, site.store)
    site.post(site.body(), HTTP_X_FORWARDED_FOR="evil\r\nX: y, 2001:db8:1:2:3::4")
    assert [json.loads(row[-1])["i"] for row in site.waiting()] == ["198.51.100.0", "2001:db8:1::"]


def test_what_cannot_be_stored_is_not_answered_as_if_it_were(site: Tracked, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_hit: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(site.store, "put", full)
    assert site.hit() == "503"


def test_without_consent_with_do_not_track_or_privacy_control_nothing_is_stored(site: Tracked) -> None:
    for changed in ({"c": 0}, {"v": "", "c": 0}, {"v": "", "c": 1}):
        assert site.hit(**changed) == "204"
    for header in ("HTTP_DNT", "HTTP_SEC_GPC"):
        assert site.post(site.body(), **{header: "1"}) == "204"
    assert site.waiting() == []


def test_page_views_without_consent_are_bare_numbers_where_the_site_counts_them(track: Any) -> None:
    site = track(counts_all=True)
    site.hit(v="", c=0, path="/a?email=anna@example.com", r="https://search.example/?q=anna", p="x" * 48)
    (_id, _at, _site, visitor, nonce, kind, said) = site.waiting()[0]
    assert (visitor, nonce, kind, json.loads(said)) == (None, 0, "count", {"p": "/a"})
    site.roll_up()
    assert site.rows("visitors") == site.rows("visits") == site.rows("page_views") == []
    assert site.counts("views") == {"": 1}
    assert site.counts("page") == {"/a": 1}


@pytest.mark.parametrize("mode", ["required", "legitimate"])
def test_a_page_that_was_counted_before_its_person_agreed_is_counted_once(track: Any, anna: int, mode: str) -> None:
    site = track(counts_all=True, consent_mode=mode)
    site.hit(v="", c=0, path="/prices")
    site.hit(path="/prices", d=1)
    site.hit(v=BEN, c=0, path="/", p=site.token(anna), d=0)
    site.roll_up()
    is_known = 0 if mode == "required" else 1
    assert site.counts("page") == {"/prices": 1, "/": 1}
    assert site.counts("visits") == {"": 1 + is_known}


@pytest.mark.parametrize("header", ["HTTP_DNT", "HTTP_SEC_GPC"])
def test_who_refuses_now_may_have_forgotten_what_was_agreed_to_before(site: Tracked, header: str) -> None:
    site.hit()
    site.roll_up()
    assert site.post(site.body(k="forget", c=0), **{header: "1"}) == "204"
    site.roll_up()
    assert site.rows("visitors") == site.rows("visits") == site.rows("page_views") == []


def test_machines_are_counted_apart_and_leave_nothing_else(site: Tracked) -> None:
    for agent in ("", "curl/8.0", "Googlebot/2.1 (+http://www.google.com/bot.html)", "Mozilla/5.0 HeadlessChrome/141"):
        site.post(site.body(), HTTP_USER_AGENT=agent)
    site.roll_up()
    assert site.counts("bots") == {"": 4}
    assert site.rows("visits") == []


def test_what_a_clock_of_a_visitor_says_is_not_asked(site: Tracked) -> None:
    """Clock skew: a header or a name in the body that tells another time changes nothing, or is a body that is not ours."""
    said = site.body()
    with clock.standing_at(datetime(2026, 11, 20, 12, 0, tzinfo=UTC)):
        site.post(said, HTTP_DATE="Fri, 01 Jan 1999 00:00:00 GMT")
        site.post(said | {"n": 7, "at": 915148800000})
    assert [row[1] for row in site.waiting()] == [int(datetime(2026, 11, 20, 12, 0, tzinfo=UTC).timestamp() * 1000)]


def test_headers_of_strangers_put_nothing_into_an_answer_or_a_row(site: Tracked) -> None:
    evil = "https://shop.example\r\nSet-Cookie: x=1"
    assert site.post(site.body(), HTTP_ORIGIN=evil) == "204"
    assert "Access-Control-Allow-Origin" not in site.headers
    site.post(
        site.body(),
        HTTP_USER_AGENT="Mozilla/5.0 Firefox/1\r\nX: <script>",
        HTTP_X_FORWARDED_FOR="1\r\nX: y",
        HTTP_REFERER=evil,
    )
    assert json.loads(site.waiting()[0][-1])["a"] == "Firefox"
    assert not any("\r" in str(value) or "script" in str(value) for row in site.waiting() for value in row)


def test_threads_that_store_at_the_same_time_lose_nothing_and_a_fault_is_told_to_each_of_them(site: Tracked) -> None:
    def put(first: int) -> None:
        for n in range(50):
            site.store.put(1, site.id, ANNA, first + n, "view", "{}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(0, 800, 100)))
    assert sorted(row[4] for row in site.waiting()) == [first + n for first in range(0, 800, 100) for n in range(50)]
    site.store._connection().execute("PRAGMA query_only=ON")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _n: site.hit(), range(8)))
    assert answers == ["503"] * 8
    site.store._connection().execute("PRAGMA query_only=OFF")
    assert site.hit() == "204"
    assert len(site.waiting()) == 401


def test_own_networks_are_left_out(track: Any) -> None:
    site = track(excluded_networks="198.51.100.0/24")
    site.hit()
    site.post(site.body(), REMOTE_ADDR="203.0.113.9")
    assert len(site.waiting()) == 1


@pytest.mark.parametrize(("url", "kept"), [
    ("https://shop.example/a?token=abc&email=a@b.example&utm_source=x", "/a"),
    ("https://shop.example/a?product=7&token=abc", "/a?product=7"),
    ("https://shop.example/reset/3f9aB27cDe81f0g2Hh45kLm9", "/reset/…"),
    ("https://shop.example/u/anna.aalto@example.com/x", "/u/…/x"),
    ("https://shop.example/u/anna%40example.com", "/u/…"),
    ("https://shop.example/order/358401234567890", "/order/…"),
    ("https://shop.example/#/cart?token=abc", "/#/cart"),
    ("https://shop.example/#access_token=abc", "/"),
    ("https://shop.example/the-ten-best-shoes-of-2026", "/the-ten-best-shoes-of-2026"),
    ("https://shop.example/%3Cscript%3E", "/%3Cscript%3E"),
    ("https://shop.example", "/"),
])  # fmt: skip
def test_addresses_are_kept_without_tokens_and_mail_addresses(url: str, kept: str) -> None:
    assert cleaning.path(url, frozenset({"product"})) == kept


def test_no_text_of_a_stranger_keeps_controls_or_direction_marks(site: Tracked) -> None:
    site.hit(t="Offer\r\nSet-Cookie: x\u202e for anna@example.com", r="https://search.example/find?q=secret",
             path="/?utm_source=news\x07&utm_campaign=spring%0d%0a")  # fmt: skip
    assert site.waiting() == []  # a control in an address is no address
    site.hit(t="Offer\r\nSet-Cookie: x\u202e for anna@example.com", r="https://search.example/find?q=secret",
             path="/?utm_source=news&utm_campaign=spring%0d%0a&token=geheim")  # fmt: skip
    said = json.loads(site.waiting()[0][-1])
    assert said["t"] == "Offer Set-Cookie: x  for …"
    assert said["r"] == "search.example"
    assert said["u"] == {"source": "news", "campaign": "spring"}
    assert "geheim" not in json.dumps(said)
    site.hit(r="https://<img src=x onerror=alert(1)>.example/")
    assert "r" not in json.loads(site.waiting()[1][-1])  # what is no name of a host came from nowhere


def test_a_forged_changed_or_old_person_parameter_is_ignored_while_the_visit_counts(site: Tracked, anna: int) -> None:
    good = site.token(anna)
    other = ("B" if good[5] != "B" else "C") + good[6:]
    for said in ("x" * 48, good[:5] + other, good[:-1], "'; DROP TABLE visits; --", good + "x"):
        assert site.hit(p=said) == "204"
    assert all("w" not in json.loads(row[-1]) for row in site.waiting())
    assert len(site.waiting()) == 5
    site.hit(p=good)
    assert json.loads(site.waiting()[-1][-1])["w"][:2] == ["portal", anna]


def test_any_octets_and_any_shape_of_json_are_answered_and_only_good_ones_are_stored(site: Tracked) -> None:
    """A fuzz: random octets, random JSON, and good bodies with one thing broken."""
    dice = random.Random(20261122)
    values: list[Any] = [
        None,
        True,
        -1,
        2**60,
        1.5,
        "",
        "x" * 3000,
        "\x00",
        [],
        {},
        ["a"],
        {"a": 1},
        "https://shop.example/\u2028",
        "A" * 22,
    ]
    stored = 0
    for round in range(3_000):
        if round % 3 == 0:
            data = dice.randbytes(dice.randrange(200))
        else:
            said = site.body()
            for _change in range(dice.randrange(4)):
                said[dice.choice("skvnurtepxcz")] = dice.choice(values)
            data = json.dumps(said).encode()
            if round % 3 == 1:
                place = dice.randrange(len(data))
                data = data[:place] + dice.randbytes(1) + data[place + 1 :]
        environ = {
            "HTTP_USER_AGENT": dice.choice([FIREFOX, "\xff\x00", "x" * 5000]),
            "HTTP_ORIGIN": dice.choice(["https://shop.example"] * 5 + ["\xff", "//", "https://["]),
        }
        assert site.post(data, **environ) in {"204", "413"}
        rows = len(site.waiting()) if round % 500 == 499 else stored
        assert rows >= stored
        stored = rows
    site.roll_up()  # whatever was stored can be rolled up
    assert site.waiting() == []
    assert 0 < len(site.rows("page_views")) < 3_000


def test_other_methods_and_paths_are_answered_with_nothing(site: Tracked) -> None:
    assert site.post(b"", REQUEST_METHOD="GET") == "204"
    for path in ("/t/", "/t/../etc/passwd.js", "/t/00000000000000000000.js", f"/t/{site.key}.css"):
        assert site.post(b"", REQUEST_METHOD="GET", PATH_INFO=path) == "204"


def test_the_script_is_under_5_kb_and_says_the_rules_of_its_site(site: Tracked) -> None:
    assert site.post(b"", REQUEST_METHOD="GET", PATH_INFO=f"/t/{site.key}.js", HTTP_ACCEPT_ENCODING="gzip") == "200"
    assert int(site.headers["Content-Length"]) < 5_000
    assert site.headers["Content-Encoding"] == "gzip"


def test_a_title_that_was_cut_amid_a_sign_of_two_is_a_hit_all_the_same() -> None:
    said = parsing.read(b'{"s":"' + b"0" * 20 + b'","k":"view","n":1,"u":"x","t":"Sale \\ud83d"}')
    assert said is not None
    assert said.title == "Sale ?"
    assert parsing.read(b'{"s":"' + b"0" * 20 + b'","k":"view","n":1,"u":"x","t":"\\ud83d","z":1}') is None


def test_every_name_that_is_read_is_short_and_known() -> None:
    assert parsing.read(b'{"s":"' + b"0" * 20 + b'","k":"view","n":1,"u":"x"}') is not None
