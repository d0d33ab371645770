"""What stands against activating a mail is told at once, with places; warnings hinder nothing. And what a preview shows."""

import pytest

from ecp.content import limits
from ecp.content.check import check_content, check_names
from ecp.content.compile import Content, compile
from ecp.content.preview import PREVIEW_CSP, open_outside, preview

KNOWN = {"contact.first_name", "record.id", "contact.last_name"}
GOOD = Content(
    "html",
    '<p>Hi {$contact.first_name}</p><img src="x.png" alt="x"><p><a href="{$links.unsubscribe}">off</a></p>',
    "Hi",
    "Hi {$links.unsubscribe}",
)


def checked(content, **more):
    said = {"sender_name": "Saarni", "has_sender_address": True} | more
    return [
        (one.severity, one.field, one.line, one.column, one.message)
        for one in check_content(content, KNOWN.__contains__, **said)
    ]


def test_a_good_mail_has_no_problems():
    assert checked(GOOD) == []


def test_what_is_missing_is_listed_together():
    found = checked(Content("html", " "), sender_name="", has_sender_address=False)
    assert [(severity, field) for severity, field, *_ in found if severity == "error"] == [
        ("error", "subject"),
        ("error", "sender_name"),
        ("error", "sender_address_id"),
        ("error", "source"),
    ]


def test_unknown_tags_are_told_in_every_part_with_line_and_column():
    content = Content(
        "html", "<p>\n{$contact.frist_name} {$links.nowhere}</p>", "Hi {$nick}", "a\n {$contact.phone}", "{$x}"
    )
    found = [(field, line, column) for severity, field, line, column, _ in checked(content) if severity == "error"]
    assert found == [("subject", 1, 5), ("preheader", 1, 2), ("source", 2, 2), ("source", 2, 24), ("text", 2, 3)]
    named = check_names(content, KNOWN.__contains__, sorted(KNOWN))
    assert any("did you mean {$contact.first_name}?" in problem.message for problem in named)


def test_a_tag_that_cannot_be_read_is_told_once():
    found = checked(Content("html", "<p>{if $contact.first_name}x</p>", "s", "t"))
    assert len([one for one in found if one[0] == "error"]) == 1


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('<img src="x.png">', "no alt text"),
        ('<p><a href="">x</a></p>', "leads nowhere"),
        ('<p onclick="x">y</p>', "left out: onclick in <p>"),
    ],
)
def test_warnings_name_their_place(source, words):
    found = checked(Content("html", f"<div>\n{source}</div>", "s", "t"))
    assert [(one[0], one[2]) for one in found] == [("warning", 2)]
    assert words in found[0][4]


def test_a_missing_footer_is_a_warning():
    found = checked(Content("html", "<p>x</p>", "s", "t", needs_unsubscribe=True))
    assert [one[0] for one in found] == ["warning"]
    assert "standard footer" in found[0][4]


def test_mjml_problems_come_with_the_rest():
    found = checked(Content("mjml", "<mjml><mj-body><mj-foo/></mj-body></mjml>", "", "t"))
    assert [one[1] for one in found] == ["subject", "source"]


def test_test_mails_are_marked_once():
    assert limits.as_test(limits.as_test("News")) == "[TEST] News"


def test_a_preview_is_the_mail_of_that_person_without_measuring():
    content = Content(
        "html",
        '<p>Hi {$contact.first_name|friend}</p><a href="https://a.example/?i={$id}" target="_top">a</a><a href="{$links.online}">o</a>',
        "{$contact.first_name}, hi",
    )
    shown = preview(compile(content), {"contact.first_name": "<script>Bo</script>", "record.id": "7"})
    assert shown.subject == "<script>Bo</script>, hi"
    assert "Hi &lt;script&gt;Bo&lt;/script&gt;" in shown.html
    assert '<a href="https://a.example/?i=7" target="_blank" rel="noopener noreferrer">a</a>' in shown.html
    assert '<a target="_blank" rel="noopener noreferrer">o</a>' in shown.html
    assert "a <https://a.example/?i=7>" in shown.text
    assert "Hi friend" in preview(compile(content), {}).html
    assert "script-src" not in PREVIEW_CSP
    assert "default-src 'none'" in PREVIEW_CSP


def test_links_of_a_preview_open_outside_whatever_they_say():
    assert open_outside('<a target=_self rel="x" href="y" class="c">z</a><A HREF="">q</A><b>') == (
        '<a href="y" class="c" target="_blank" rel="noopener noreferrer">z</a><A target="_blank" rel="noopener noreferrer">q</A><b>'
    )
