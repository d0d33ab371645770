"""What no mail may hold is taken out of the source and named with its place; everything else stays byte for byte."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecp.content.markup import tokens
from ecp.content.placeholders import protect
from ecp.content.sanitize import is_safe_address, sanitize
from tests.content.browser_eyes import active_parts

CLEAN = [
    '<p>Hi {$contact.first_name|<you>} {if $a == "x>"}<b>y</b>{else}z{/if} a < b &amp; c <3</p>',
    '<mjml><mj-body><mj-section><mj-column><mj-button href="{$links.survey:3}">Go</mj-button></mj-column></mj-section></mj-body></mjml>',
    '<!--[if mso | IE]><table><tr><td style="width:600px;"><![endif]--><div>x</div><!--[if mso | IE]></td></tr></table><![endif]-->',
    "<!--[if !mso]><!--><p>not for Outlook</p><!--<![endif]-->",
    "<!--[if mso]><noscript><xml><o:PixelsPerInch>96</o:PixelsPerInch></xml></noscript><![endif]-->",
    "<style>@media (max-width:480px) { .a > b { color: red !important } }</style><!-- a comment -->",
    '<a href="mailto:a@x.example">m</a><a href="tel:+358401">t</a><a href="#top">u</a><img src="data:image/png;base64,AAAA" alt="">',
    '<tr {if $x}class="a"{/if}><td title=\'"quoted"\'>é 🎉 שלום</td></tr>',
    '<!-- <mj-text color="{$a}">{$b} - {$c}</mj-text> {if $a}<b>->{/if} --> x',
    "<!doctype html>\n<html lang='fi'>\n<body>\n\tTabs and lines\n</body></html>\n",
]


@pytest.mark.parametrize("source", CLEAN)
def test_what_is_clean_comes_back_unchanged(source):
    assert sanitize(source) == (source, [])


@pytest.mark.parametrize(
    ("source", "left", "what"),
    [
        ("<p>a</p><script>alert(1)</script>b", "<p>a</p>b", "<script>"),
        ("<SCRIPT src=x></SCRIPT>b", "b", "<script>"),
        ("<script>never closed <p>", "", "<script> that is never closed"),
        ("<p><iframe src='x'>in</iframe></p>", "<p></p>", "<iframe>"),
        ("<form action=x><p>in</p><input name=a></form>", "<p>in</p>", "<form>"),
        ("<svg><script>1</script><a xlink:href='javascript:1'></svg>t", "t", "<svg>"),
        ("<object data=x><embed src=y></object>t", "t", "<object>"),
        ('<img src="x" onerror="f()" alt="a">', '<img src="x"  alt="a">', "onerror in <img>"),
        ("<img/onerror=alert(1) src=x>", "<img/ src=x>", "onerror in <img>"),
        ('<a href="x"onclick="y">z</a>', '<a href="x">z</a>', "onclick in <a>"),
        ("<a ONCLICK=y>z</a>", "<a >z</a>", "onclick in <a>"),
        ('<a href="javascript:alert(1)">z</a>', "<a >z</a>", "href=javascript: in <a>"),
        ('<a href=" java\nscript:alert(1)">z</a>', "<a >z</a>", "href=javascript: in <a>"),
        ('<a href="&#106;avascript:alert(1)">z</a>', "<a >z</a>", "href=javascript: in <a>"),
        ('<a href="{$a}javascript:alert(1)">z</a>', "<a >z</a>", "href=javascript: in <a>"),
        ('<a href="java{$a}script:alert(1)">z</a>', "<a >z</a>", "href=javascript: in <a>"),
        ('<a href="{if $a}java{/if}script:x">z</a>', "<a >z</a>", "href=javascript: in <a>"),
        ('<a href="vbscript:x">', "<a >", "href=vbscript: in <a>"),
        ('<a href="data:text/html,x">', "<a >", "href=data: in <a>"),
        ('<img src="data:image/svg+xml;base64,AAAA">', "<img >", "src=data: in <img>"),
        ('<mj-section background-url="javascript:1">', "<mj-section >", "background-url=javascript: in <mj-section>"),
        ("<style>@import url(https://x.example/a.css);p{}</style>", "<style>p{}</style>", "@import"),
        ("<style>@\\69mport 'x';</style>", "<style></style>", "an active style"),
        ("<mj-style>@import 'x';p{}</mj-style>", "<mj-style>p{}</mj-style>", "@import"),
        ("<style>@font-face{src:url(x)}p{}</style>", "<style>p{}</style>", "@font-face"),
        ('<p style="width:expression(1)">', "<p >", "style in <p>"),
        ('<p style="width:exp/**/ression(1)">', "<p >", "style in <p>"),
        ('<link rel="stylesheet" href="https://x.example/a.css">', "", "<link>"),
        ('<mj-font name="R" href="https://fonts.example/r"/>', "", "<mj-font>"),
        ('<base href="https://evil.example/">', "", "<base>"),
        (
            '<meta http-equiv="refresh" content="0;url=x"><meta charset="utf-8">',
            '<meta charset="utf-8">',
            "<meta http-equiv>",
        ),
        ("<img src=x onerror=alert(1)", "&lt;img src=x onerror=alert(1)", "an element that is never closed with >"),
        ('<img title="a onerror=1>', '&lt;img title="a onerror=1>', "an element that is never closed with >"),
        ("a<!-- never closed <b>", "a", "a comment that is never closed"),
        (
            "<!--[if mso]><a onclick='x'>q</a><script>1</script><![endif]-->",
            "<!--[if mso]><a >q</a><![endif]-->",
            "onclick in <a>",
        ),
        ("<!-- --{$a}><img onerror=1> -->x", "x", "a comment that a tag in it could end"),
        ("<!-- <p title={$a}><img onerror=1> -->x", "x", "a comment that a tag in it could end"),
        ("<!-- -{if $a}{/if}-><img onerror=1> -->x", "x", "a comment that a tag in it could end"),
        ("<!--{$a}->x-->y", "y", "a comment that a tag in it could end"),
        ("<![CDATA[<b>]]>", "]]>", "a declaration"),
        ("<scr{$a}ipt>1</scr{$a}ipt>", "1", "<script>"),
        ("<{$a} b=c>", "", "<>"),
        ("<p {$a}='x'>", "<p >", "a tag in the name of an attribute of <p>"),
        ("{if <script>x</script> $a}y{/if}", "{if  $a}y{/if}", "<script>"),
        ("<scr<script>ipt>1</script>", "ipt>1", "<scr<script>"),
    ],
)
def test_what_is_not_allowed_is_removed_and_named(source, left, what):
    clean, removed = sanitize(source)
    assert clean == left
    assert what in [one.what for one in removed]


def test_the_place_of_what_was_removed_is_that_of_the_written_source():
    source = 'Hi {$contact.first_name|dear friend}\n  <b onclick="x">{$a}</b> {if $a}\n<script></script>{/if}'
    _, removed = sanitize(source)
    assert [(one.line, one.column) for one in removed] == [(2, 6), (3, 1)]


def test_removing_brings_nothing_new_to_light():
    nested = "<scr<iframe></iframe>ipt>alert(1)</scr<iframe></iframe>ipt><im<script></script>g src=x onerror=1>"
    clean, _ = sanitize(nested)
    assert sanitize(clean) == (clean, [])
    assert "onerror=" not in "".join(clean[token.start : token.end] for token in tokens(clean) if token.kind == "open")


@given(
    st.lists(
        st.sampled_from(
            [
                "<script>",
                "</script>",
                "<img",
                "src=x",
                "onerror=alert(1)>",
                "<svg/onload=1>",
                "<!--",
                "-->",
                "<!--[if",
                "mso]>",
                "<![endif]-->",
                "<a",
                "href=",
                '"',
                "'",
                ">",
                "<",
                "/",
                "=",
                "javascript:1",
                "<style>",
                "</style>",
                "<title>",
                "</title>",
                "<textarea>",
                "</textarea>",
                "{$a}",
                "{if",
                "$a}",
                "{/if}",
                "<p",
                "onclick=1",
                "<noscript>",
                "x",
            ]
        ),
        max_size=14,
    )
)
@settings(max_examples=400, deadline=None)
def test_no_browser_finds_anything_active_in_what_is_left(pieces):
    clean, _ = sanitize(" ".join(pieces))
    again, more = sanitize(clean)
    assert (again, more) == (clean, [])
    assert active_parts(clean) == [], repr(clean)
    assert active_parts(f"{clean}<div style='x' title=\"y\">footer</div>") == []


def test_addresses():
    assert all(
        map(
            is_safe_address,
            ("https://x.example", "HTTP://x", "/a:b", "#x", "mailto:a@b.example", "", "cid:1", "x.html"),
        )
    )
    assert not any(
        map(is_safe_address, ("javascript:1", "\x01javascript:1", "java\tscript:1", "file:///etc", "data:text/html,1"))
    )


def test_hostile_markup_takes_linear_time():
    start = time.monotonic()
    for source in (
        "<" * 60_000,
        "<a " * 20_000,
        "<!--" * 15_000,
        "<a href='" * 7_000,
        "{$" * 30_000,
        "<a b=" * 12_000,
        "{if " * 15_000,
    ):
        sanitize(source)
    assert time.monotonic() - start < 10


def test_placeholders_survive_and_come_back():
    source = '<p title="{$a|x "y"}">{$b}</p>{if $a == "é"}<table>{if $b}<tr><td>1</td></tr>{/if}</table>{/if}<!-- {if $c} --><title>{if $d}</title>'
    protected = protect(source)
    assert "{" not in protected.text
    assert protected.restore(protected.text) == source
    assert len(re.findall(r"<!--q\w+z-->", protected.text)) == 4
    for offset, character in enumerate(source):
        if character in "<>":
            at = [index for index in range(len(protected.text)) if protected.origin(index) == offset]
            assert at
