"""From what is written to what is sent: MJML and HTML, tags and links through every serialiser, once per version."""

import html as entities
import json
import quopri
import re
import time
from email import message_from_bytes
from email.policy import SMTP

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.newsletter import LINKS, SUBJECT, TAGS, mjml
from crm.mail.assemble import assemble, compile_parts
from ecp.content import compile as compiling
from ecp.content.compile import Compiled, Content, compile, prepare
from ecp.content.links import address_of
from ecp.content.problems import ContentRefused
from tests.content.browser_eyes import active_parts

HOSTILE = [
    "<script>alert(1)</script>",
    'x" onload=alert(1) y="',
    "javascript:alert(1)",
    "x onerror=alert(1)",
    "</style><svg onload=1>",
    "-->",
]
VALUES = {
    "contact.first_name": "<b>Väinö</b>",
    "contact.last_name": '"; alert(1) //',
    "record.id": "7",
    "links.click": "https://news.example/c/TOKEN/",
    "links.unsubscribe": "https://news.example/u/TOKEN",
    "links.online": "https://news.example/v/TOKEN",
    "links.pixel": "https://news.example/o/TOKEN.gif",
}


def page(body, head=""):
    return f"<mjml><mj-head>{head}</mj-head><mj-body>{body}</mj-body></mjml>"


def column(content):
    return page(f"<mj-section><mj-column>{content}</mj-column></mj-section>")


def sent(content, values=VALUES, raw=None, tracked=True):
    """(subject, HTML, text) as a mail program reads them from the bytes of the mail."""
    compiled = compile(content)
    mail = prepare(compiled, tracked)
    parts = compile_parts(has_text=True, has_html=mail.html is not None, version=compiled.key)
    pieces = mail.html.fill(values, raw or {}) if mail.html else []
    message = message_from_bytes(bytes(assemble([], parts, mail.text.fill(values, raw or {}), pieces)), policy=SMTP)
    html = message.get_body(("html",))
    text = message.get_body(("plain",)).get_content().replace("\r\n", "\n")
    return mail.subject.fill(values, raw or {}), html.get_content() if html else "", text


def refused(content):
    with pytest.raises(ContentRefused) as caught:
        compile(content)
    return caught.value.problems


# ---- what comes through ----------------------------------------------------------------------------------------
def test_mjml_becomes_a_whole_mail_with_tags_filled_and_escaped():
    source = column(
        '<mj-text>Hei {$contact.first_name|ystävä} &amp; co 🎉 שלום<br>R & D</mj-text><mj-button href="https://x.example/go">Go</mj-button>'
    )
    subject, html, text = sent(Content("mjml", source, "Hi {$contact.first_name}\r\n".strip()))
    assert subject == "Hi <b>Väinö</b>"
    assert html.lower().startswith("<!doctype html>")
    assert "Hei &lt;b&gt;Väinö&lt;/b&gt; &amp; co 🎉 שלום<br>R &amp; D" in html
    assert 'href="https://news.example/c/TOKEN/1"' in html
    assert "Hei <b>Väinö</b> & co 🎉 שלום" in text
    assert "Go: https://news.example/c/TOKEN/1" in text


def test_tags_survive_in_every_place():
    source = (
        '<html><body><a href="https://shop.example/{$id}?n={$contact.last_name|a b}&amp;q=1" title="{$contact.last_name}">{$contact.first_name}</a>'
        '<table><tr><td>a</td></tr>{if $a == "x"}<tr><td>{$id}</td></tr>{else}<tr><td>none</td></tr>{/if}</table>'
        '<p style="color:{$colour|#123456}">c</p><!--[if mso]><p>{$id}</p><![endif]-->'
        '<img src="https://pics.example/{$id}.png" alt="{$contact.last_name}"></body></html>'
    )
    _, html, _ = sent(Content("html", source), raw={"record.a": "x"}, tracked=False)
    assert 'href="https://shop.example/7?n=%22%3B%20alert%281%29%20%2F%2F&amp;q=1"' in html
    assert 'title="&quot;; alert(1) //"' in html
    assert re.search(r"<td>7</td>\s*</tr>\s*</table>", html)
    assert "color:#123456" in html
    assert "<!--[if mso]><p>7</p><![endif]-->" in html
    assert 'src="https://pics.example/7.png"' in html
    assert "none" not in html
    _, other, _ = sent(Content("html", source), raw={"record.a": "y"}, tracked=False)
    assert "<td>none</td>" in other


def test_ifs_may_stand_around_sections_rows_and_words():
    source = page(
        '{if $a == "1"}<mj-section><mj-column><mj-text>First</mj-text></mj-column></mj-section>{/if}'
        "<mj-section><mj-column>{if $b}<mj-text>Second {if $c}and {$id}{/if}</mj-text>{/if}</mj-column></mj-section>"
    )
    for raw, words in (
        ({}, []),
        ({"record.a": "1"}, ["First"]),
        ({"record.b": "1", "record.c": "1"}, ["Second", "and 7"]),
    ):
        _, html, text = sent(Content("mjml", source), raw=raw)
        for word in ("First", "Second", "and 7"):
            assert (word in html) is (word in words)
            assert (word in text) is (word in words)
        assert "\n\n\n" not in text


def test_html_that_is_no_xml_is_welcome_inside_components():
    source = column(
        "<mj-text><ul><li>one<li>two</ul>a<br>b &nbsp; <img src=x alt=y><p>para<p>other <!--[if mso]><i>mso</i><![endif]--></mj-text>"
        "<!--[if mso]><p>between</p><![endif]-->"
    )
    source = source.replace(
        "<mj-head>", "<mj-head><mj-title>Sales & service < 3</mj-title><mj-style>p > b { color: red }</mj-style>"
    )
    _, html, text = sent(Content("mjml", source))
    assert "<!--[if mso]><i>mso</i><![endif]-->" in html
    assert "<!--[if mso]><p>between</p><![endif]-->" in html
    assert "Sales &amp; service" in html
    assert "* one\n* two" in text


def test_styles_are_inlined_and_media_queries_kept_and_nothing_points_to_another_host():
    head = (
        "<mj-style>.x { color: rgb(1, 2, 3) } @media (max-width:480px) { .x { color: blue !important } }</mj-style>"
        '<mj-font name="Raleway" href="https://fonts.example/css?family=Raleway"/>'
    )
    source = page(
        '<mj-section><mj-column><mj-text css-class="x" font-family="Raleway, Arial"><b class="x">x</b></mj-text>'
        '<mj-social><mj-social-element name="facebook" href="https://social.example/">F</mj-social-element></mj-social>'
        "</mj-column></mj-section>",
        head,
    )
    compiled = compile(Content("mjml", source))
    assert re.search(r'<b class="x" style="color:rgb\(1, ?2, ?3\)">', compiled.html)
    assert "@media (max-width:480px)" in compiled.html
    hosts = set(re.findall(r"(?:https?:)?//([a-z0-9.-]+)", compiled.html)) - {
        "www.w3.org",
        "www.facebook.com",
        "social.example",
    }
    assert hosts == set()
    assert "ubuntu" not in compiled.html.lower()
    assert [one.what for one in compiled.removed] == ["<mj-font>"]
    assert "src of your own" in compiled.warnings[0].message


def test_scripts_are_gone_and_named():
    compiled = compile(Content("html", "<p onclick='x'>a</p><script>alert(1)</script><a href='javascript:x'>b</a>"))
    assert not re.search("onclick|<script|javascript", compiled.html)
    assert [one.what for one in compiled.removed] == ["onclick in <p>", "<script>", "href=javascript: in <a>"]


def test_old_spellings_are_translated():
    _, html, _ = sent(Content("html", '<p>Hi #contact.first_name <a href="{cancel_link}">off</a></p>'))
    assert "Hi &lt;b&gt;Väinö" in html
    assert 'href="https://news.example/u/TOKEN"' in html


def test_commented_out_parts_stay_in_the_source_and_out_of_the_mail():
    source = column(
        "<!-- <mj-text>{$contact.first_name} -- old</mj-text> --><mj-text>x<!-- {$a} <b>-- --><!-- y --></mj-text>"
    )
    compiled = compile(Content("mjml", source))
    assert compiled.removed == ()
    assert "{$a}" not in compiled.html
    assert "first_name" not in compiled.html
    assert "<!-- y -->" in compiled.html


# ---- links -----------------------------------------------------------------------------------------------------
def test_links_have_stable_numbers_and_targets():
    source = (
        '<a href="https://a.example/?x=1&amp;y={$id}">First <b>one</b></a><a href="{$links.unsubscribe}">u</a><a href="mailto:a@b.example">m</a>'
        '<a href="tel:1">t</a><a href="#x">x</a><a href="{$website}">w</a><a href="https://{$host}/p">h</a><a href="https://b.example"><img src="i" alt="Pic"></a>'
        '<map><area href="https://c.example/" alt="Area"></map><a href="https://a.example/?x=1&amp;y={$id}">again</a>'
    )
    compiled = compile(Content("html", source))
    assert [(link.number, link.url, link.label) for link in compiled.links] == [
        (1, "https://a.example/?x=1&y={$id}", "First one"),
        (2, "https://b.example", "Pic"),
        (3, "https://c.example/", "Area"),
        (4, "https://a.example/?x=1&y={$id}", "again"),
    ]
    assert compile(Content("html", source)).links == compiled.links
    assert address_of(compiled.links[0], {"record.id": "7 & 8"}) == "https://a.example/?x=1&y=7%20%26%208"
    assert address_of(compiled.links[1], {}) == "https://b.example"


def test_without_measuring_links_lead_straight_to_their_targets_and_no_picture_is_loaded():
    source = '<a href="https://a.example/?x=1&amp;y={$id}">one</a>'
    _, html, text = sent(Content("html", source), tracked=False)
    assert 'href="https://a.example/?x=1&amp;y=7"' in html
    assert "https://a.example/?x=1&y=7" in text
    assert "news.example" not in html
    _, tracked, _ = sent(Content("html", source))
    assert '<img src="https://news.example/o/TOKEN.gif" width="1" height="1" alt=""' in tracked
    assert 'href="https://news.example/c/TOKEN/0"' in tracked
    _, no_pixel, _ = sent(
        Content("html", source), {key: value for key, value in VALUES.items() if key != "links.pixel"}
    )
    assert "<img" not in no_pixel


def test_links_of_a_written_text_are_numbered_after_those_of_the_html():
    text = "Go to https://a.example/x, or (https://b.example/y?z={$id}).\nOff: {$links.unsubscribe}"
    content = Content("html", '<a href="https://a.example/x">x</a>', text=text)
    assert [(link.number, link.part, link.url) for link in compile(content).links] == [
        (1, "html", "https://a.example/x"),
        (2, "text", "https://a.example/x"),
        (3, "text", "https://b.example/y?z={$id}"),
    ]
    _, _, filled = sent(content)
    assert (
        filled.split("\n")[0].rstrip() == "Go to https://news.example/c/TOKEN/2, or (https://news.example/c/TOKEN/3)."
    )
    _, _, plain = sent(content, tracked=False)
    assert "(https://b.example/y?z=7)." in plain


# ---- refusals --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("source", "line", "column", "words"),
    [
        (column("\n  <mj-foo/>"), 2, 3, "<mj-foo> is not a component of MJML"),
        (column("\n<mj-txt>x</mj-txt>"), 2, 1, "did you mean <mj-text>?"),
        (column("{$a|long fallback}\n<mj-foo>x</mj-foo>"), 2, 1, "<mj-foo>"),
        (
            "<mjml>\n<mj-body>\n <mj-section><mj-column><mj-text>x</mj-column></mj-section></mj-body></mjml>",
            3,
            25,
            "<mj-text> is never closed",
        ),
        (
            "<mjml>\n<mj-body>\n <mj-section><mj-column></mj-section></mj-body></mjml>",
            3,
            14,
            "<mj-column> is never closed",
        ),
        ("<mjml><mj-body><mj-section>", 1, 16, "<mj-section> is never closed"),
        ("<mjml><mj-body></mj-section></mj-body></mjml>", 1, 16, "</mj-section> closes nothing"),
        (page('\n<mj-include path="/etc/passwd"/>'), 2, 1, "<mj-include> is not possible"),
        (page("<mj-text>x</mj-text>"), 1, 35, "<mj-text> cannot stand in <mj-body>; it belongs into <mj-column>"),
        (page("<div>x</div>"), 1, 35, "put it into <mj-text> or <mj-raw>"),
        (column("\nloose words"), 2, 1, "Text cannot stand in <mj-column>"),
        (column("\n<mj-text color=red>x</mj-text>"), 2, 10, 'color="red"'),
        (column("\n<MJ-TEXT>x</MJ-TEXT>"), 2, 1, "small letters"),
        ("<p>no mjml</p>", 1, 1, "<mjml>"),
        ("words", 1, 1, "must begin with <mjml>"),
        (column("<mj-text>\n {if $a}x</mj-text>"), 2, 2, "{if} is never closed"),
        (column("<mj-text>\n {$first name}</mj-text>"), 2, 10, "not expected"),
    ],
)
def test_bad_mjml_is_refused_with_line_and_column(source, line, column, words):
    problems = refused(Content("mjml", source))
    assert any(words in problem.message for problem in problems), problems
    problem = next(problem for problem in problems if words in problem.message)
    assert (problem.line, problem.column) == (line, column)
    assert problem.severity == "error"


def test_every_problem_is_told_at_once():
    source = column("<mj-foo/>\n<mj-bar/>\n<mj-text>{if $a}</mj-text>")
    assert len(refused(Content("mjml", source, "Hi {$first name}"))) == 4


def test_65_000_characters_pass_and_65_001_do_not():
    start, end = "<html><body><p>", "</p></body></html>"
    fitting = start + "x" * (65_000 - len(start) - len(end)) + end
    assert compile(Content("html", fitting)).html
    problems = refused(Content("html", fitting + "y"))
    assert [problem.message for problem in problems] == ["HTML is 65 001 characters, maximum is 65 000"]


def test_large_mails_warn_beyond_102_kb_and_are_refused_beyond_1_mb():
    links = "".join(f'<p class="x"><b class="x">{number}</b></p>' for number in range(900))
    style = (
        "<style>.x{"
        + ";".join(f"border-{side}:1px solid #12345{digit}" for digit, side in enumerate(("top", "left")))
        + "}</style>"
    )
    compiled = compile(Content("html", style + links))
    assert "102 kB" in compiled.warnings[0].message
    rules = "<style>.x{" + "".join(f"--a{number}:{'x' * 20};" for number in range(80)) + "}</style>"
    assert "at most 1,024 kB" in refused(Content("html", rules + links))[0].message


def test_what_a_parser_would_lose_is_refused_and_never_lost_in_silence():
    assert "nested" in refused(Content("html", "<b>" * 400 + "lost"))[0].message
    assert "lost" in compile(Content("html", "<b>" * 150 + "lost")).html
    assert "lost" in compile(Content("html", "<p>" * 400 + "lost")).html
    parted = "<title>{if $a}t</title><p>x{/if}</p>"
    assert "same part" in refused(Content("html", f"<html><head>{parted}</head></html>"))[0].message
    assert compile(Content("html", "<p>\ud800half\x00</p>", "\udfffs")).text == "\ufffdhalf\n"


PIECES = [
    "<p>",
    "</p>",
    '<b|class="x">',
    "</b>",
    "<table>",
    "<tr>",
    "<td>",
    "</td>",
    "</table>",
    '<a|href="https://x.example/{$a}">',
    '<a|href="{$a}">',
    "</a>",
    "{$a|x}",
    '{if|$a|==|"1"}',
    "{else}",
    "{/if}",
    "<style>",
    "p{color:{$a}}",
    "</style>",
    "<!--[if|mso]>",
    "<![endif]-->",
    "<!--",
    "-->",
    "&amp;",
    "&",
    "<",
    ">",
    '"',
    "'",
    "<br>",
    "<{$a}",
    '<img|src=x|alt="',
    "🎉",
    "<li>",
    "<h1>",
    '<p|style="color:{$a}">',
    "<p|onclick=x>",
    "<p|title={$a}>",
    "<title>",
    "</title>",
    "<script>",
    "</script>",
    "<svg>",
]


@given(st.lists(st.sampled_from(PIECES), max_size=16), st.sampled_from(HOSTILE))
@settings(max_examples=120, deadline=None)
def test_no_mail_of_any_author_with_any_value_holds_anything_active(pieces, value):
    body = "".join(pieces).replace("|", " ").replace("{$a x}", "{$a|x}")
    try:
        mail = prepare(compile(Content("html", body)), False)
    except ContentRefused:
        return
    values = {"record.a": value}
    html = b"".join(mail.html.fill(values, {"record.a": "1"})) if mail.html else b""
    assert active_parts(quopri.decodestring(html).decode()) == []


def test_subjects_are_one_line_of_200_characters():
    assert "maximum is 200" in refused(Content("html", "x", "s" * 201))[0].message
    assert "one line" in refused(Content("html", "x", "a\r\nBcc: x@example.com"))[0].message
    hostile = {"contact.first_name": "Bo\r\nBcc: all@example.com"}
    assert sent(Content("html", "x", "Hi {$contact.first_name}"), hostile)[0] == "Hi Bo Bcc: all@example.com"


# ---- what is added ---------------------------------------------------------------------------------------------
def test_a_marketing_mail_without_the_unsubscribe_link_gets_a_footer_in_its_language():
    content = Content("html", "<p>Hei</p>", language="fi", needs_unsubscribe=True)
    assert compile(content).footer_was_added
    _, html, text = sent(content)
    assert re.search(r'<a href="https://news.example/u/TOKEN"[^>]*>Peruuta tilaus</a>', html)
    assert "Peruuta tilaus <https://news.example/u/TOKEN>" in text
    own = Content("html", '<p><a href="{$links.unsubscribe}">off</a></p>', needs_unsubscribe=True)
    assert not compile(own).footer_was_added
    assert sent(own)[1].count("/u/TOKEN") == 1
    written = Content("html", '<p><a href="{$links.unsubscribe}">off</a></p>', text="Hello", needs_unsubscribe=True)
    assert "Unsubscribe: https://news.example/u/TOKEN" in sent(written)[2]


def test_the_preheader_comes_first_hidden_and_escaped():
    content = Content("html", "<p>Body</p>", preheader="News for {$contact.first_name} <now>")
    _, html, text = sent(content)
    hidden = html.index("News for &lt;b&gt;Väinö&lt;/b&gt; &lt;now&gt;")
    assert html.index("<body") < hidden < html.index("Body")
    assert "display:none" in html[html.index("<body") : hidden]
    assert "News for" not in text


def test_a_mail_of_text_alone_has_no_html():
    _, html, text = sent(Content("html", "", text="Hello {$contact.first_name|you}\n"))
    assert html == ""
    assert text.strip() == "Hello <b>Väinö</b>"


# ---- once per version, and fast --------------------------------------------------------------------------------
def test_a_version_is_compiled_once(monkeypatch):
    calls = []
    original = compiling.inline
    monkeypatch.setattr(compiling, "inline", lambda html: calls.append(1) or original(html))
    content = Content("mjml", column("<mj-text>once, and only once</mj-text>"))
    first = compile(content)
    assert compile(Content("mjml", column("<mj-text>once, and only once</mj-text>"))) is first
    assert calls == [1]
    assert compile(Content("mjml", column("<mj-text>another</mj-text>"))).key != first.key
    assert prepare(first) is prepare(compile(content))


def test_the_artefact_can_be_stored_and_gives_the_same_mail():
    compiled = compile(Content("mjml", mjml(), SUBJECT))
    again = Compiled.load(compiled.dump().encode())
    assert again == compiled
    assert json.loads(compiled.dump())["key"] == compiled.key


def test_the_newsletter_of_the_benchmarks_compiles_in_time_and_is_filled_exactly():
    compiled = compile(Content("mjml", mjml(seed=9), SUBJECT))
    best = min(_seconds(Content("mjml", mjml(seed=seed), SUBJECT)) for seed in range(20, 28))
    assert best < 0.15
    assert 54_000 < len(compiled.html.encode()) < 66_000
    assert len([link for link in compiled.links if link.part == "html"]) == LINKS
    assert len(prepare(compiled).printed - {"links.click", "links.pixel"}) == len(TAGS) + 2
    values = {name: f"[{name}]" for name in TAGS} | VALUES
    _, html, text = sent(Content("mjml", mjml(seed=9), SUBJECT), values)
    assert "{" not in re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)
    assert "{" not in text
    numbers = [int(number) for number in re.findall(r'href="https://news.example/c/TOKEN/(\d+)"', html)]
    assert numbers == [*range(1, LINKS + 1), 0]
    assert entities.unescape(html).count("[owner.phone]") == 1


def _seconds(content):
    start = time.process_time()  # of this process alone: others may be at work on the machine
    compile(content)
    return time.process_time() - start
