"""The plain text that is made from HTML reads like a letter."""

import pytest

from ecp.content.plaintext import to_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One\n two</p><p>three</p>", "One two\n\nthree"),
        ("<h1>Title</h1><p>x</p><h2>Part</h2>y", "Title\n=====\n\nx\n\nPart\n----\n\ny"),
        ("<ul><li>a<li>b<ol><li>c<li>d</ol></ul>after", "* a\n* b\n  1. c\n  2. d\n\nafter"),
        ("<p>See <a href='https://x.example/a'>this page</a> now.</p>", "See this page <https://x.example/a> now."),
        ("<p><a href='https://x.example/a'>Read more</a></p>", "Read more: https://x.example/a"),
        ("<p><a href='https://x.example/'>x.example</a></p>", "https://x.example/"),
        ("<p><a href='https://x.example/a'>https://x.example/a</a></p>", "https://x.example/a"),
        ("<p>Write to <a href='mailto:a@x.example'>a@x.example</a></p>", "Write to a@x.example"),
        ("<p>Call <a href='tel:+35840'>+358 40</a></p>", "Call +358 40"),
        ("<a href='#top'>up</a>", "up"),
        ("<a href='https://x.example/a'><img src=i alt='Our shop'></a>", "[Our shop]: https://x.example/a"),
        ("<p>a<img src=x alt=''>b<img src=x>c</p>", "abc"),
        (
            "<table><tr><th>Day</th><th>Place</th></tr><tr><td>Mon</td><td>Oulu</td></tr></table>",
            "Day | Place\nMon | Oulu",
        ),
        ("<table role=presentation><tr><td>left</td><td>right</td></tr></table>", "left\nright"),
        (f"<table><tr><td>{'long ' * 20}</td><td>right</td></tr></table>", f"{('long ' * 20).strip()}\n\nright"),
        ("a<br>b<br><br>c", "a\nb\n\nc"),
        ("<p>a</p><hr><p>b</p>", f"a\n\n{'-' * 40}\n\nb"),
        ("<blockquote>said<br>twice</blockquote>", "> said\n> twice"),
        ("<div style='display:none'>preheader</div><style>p{}</style><title>t</title><p>body</p>", "body"),
        ("<!--[if mso]><p>mso</p><![endif]--><p>all&nbsp;of &amp; it — ä 🎉 שלום</p>", "all of & it — ä 🎉 שלום"),
        ("<p></p><p> </p>", ""),
        (
            "<p>a</p><!--qabcdefgq00001z--><p>b</p><!--qabcdefgq00002z--><p>c</p>",
            "a\n\nqabcdefgq00001zb\n\nqabcdefgq00002zc",
        ),
        ("<p>a</p><!--qabcdefgq00001z-->", "aqabcdefgq00001z"),
    ],
)
def test_readable_text(html, text):
    assert to_text(f"<html><body>{html}</body></html>") == text + "\n"
