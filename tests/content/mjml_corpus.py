"""MJML to try the visual editor with: made up by chance but always the same, and pieces as other makers write them."""

import random

TAGS = ["{$contact.first_name|friend}", "{$account.name}", '{if $contact.city == "Oulu"}Oulu{else}elsewhere{/if}', "{$links.survey:3}"]  # fmt: skip
WORDS = [
    "Hello",
    "Väinö &amp; Aino",
    "a&nbsp;b",
    "5 &lt; 6",
    "日本語 🙂",
    "&#8211;",
    "it's",
    "<b>bold</b>",
    "<br/>",
    "<br>",
    "line\nline",
    "  ",
]
HTML = ["<p>one<p>two", '<a href="{$links.online}">on line</a>', '<a href=\'https://x.example/?a=1&amp;b=2\'>x</a>', "<ul><li>a<li>b</ul>", '<table><tr>{if $a}<td>1</td>{/if}</tr></table>', "<SPAN STYLE='color:red'>Red</SPAN>", '<img src="/i/x.png" alt="">']  # fmt: skip
VALUES = {
    "padding": ["0", "10px 20px", " 4px "], "background-color": ["#fff", "#FFFFFF", "rgb(1, 2, 3)", ""], "css-class": ["a b", "paper"], "mj-class": ["one"],
    "color": ["#123456", "red"], "align": ["left", "center"], "font-family": ["Georgia, 'Times New Roman'", "Arial"], "font-size": ["13px"],
    "href": ["https://x.example/?a=1&amp;b=2", "{$links.survey:3}", "", "mailto:a@example.com"], "alt": ["", "A &quot;cat&quot;", "{$account.name}"],
    "src": ["/i/x.png", "https://x.example/{$contact.id}.png"], "width": ["50%", "200px"], "height": ["20px"], "border-color": ["#eee"], "title": ["a > b"],
}  # fmt: skip
NAMES = {
    "mj-text": ("padding", "color", "align", "font-family", "font-size", "css-class", "mj-class"),
    "mj-button": ("href", "background-color", "color", "title", "align"),
    "mj-image": ("src", "alt", "href", "width", "title"),
    "mj-divider": ("border-color", "padding", "width"),
    "mj-spacer": ("height",),
    "mj-column": ("width", "padding", "background-color", "css-class"),
    "mj-group": ("width", "background-color"),
    "mj-section": ("padding", "background-color", "css-class", "mj-class"),
    "mj-wrapper": ("padding", "background-color"),
    "mj-body": ("background-color", "width", "css-class"),
}
CARRIED = [
    "<mj-table><tr><td>1</td></tr></mj-table>", '<mj-raw><tr><td class="x">raw</td></tr></mj-raw>',
    "{if $account.name}<mj-text>For {$account.name}</mj-text>{/if}", "{if $a}<mj-text>a</mj-text>{else}<mj-divider />{/if}",
    '<mj-social><mj-social-element name="web" src="/i/x.png" href="https://x.example">x</mj-social-element></mj-social>',
    "<mj-accordion><mj-accordion-element><mj-accordion-title>t</mj-accordion-title><mj-accordion-text>x</mj-accordion-text></mj-accordion-element></mj-accordion>",
]  # fmt: skip
HEADS = [
    "", "<mj-head/>", "<mj-head>\n<mj-title>A &amp; B</mj-title><mj-preview>{$contact.first_name}</mj-preview></mj-head>",
    '<mj-head><mj-attributes><mj-all font-family="Arial"/><mj-class name="one" color="red" /></mj-attributes><mj-style inline="inline">.a > td { color: red }</mj-style><!-- why --></mj-head>',
]  # fmt: skip

# (source, the reason for which it stays code)
REFUSED = [
    ("<mjml><mj-body><mj-section><mj-column><mj-foo>x</mj-foo></mj-column></mj-section></mj-body></mjml>", "component"),
    ("<mjml><mj-body><mj-text>not in a column</mj-text></mj-body></mjml>", "component"),
    ('<mjml><mj-body><mj-section data-x="1"><mj-column></mj-column></mj-section></mj-body></mjml>', "attribute"),
    ('<mjml><mj-body><mj-section><mj-column><mj-text onclick="x()">a</mj-text></mj-column></mj-section></mj-body></mjml>', "attribute"),
    ("<mjml><mj-body><mj-raw><p>x</p></mj-raw></mj-body></mjml>", "raw"),
    ('<mjml><mj-body><mj-include path="./header.mjml" /></mj-body></mjml>', "include"),
    ('<mjml><mj-head><mj-include path="./a.css" type="css" /></mj-head><mj-body></mj-body></mjml>', "include"),
    ("<mjml><mj-body><!--[if mso]><mj-section></mj-section><![endif]--></mj-body></mjml>", "condition"),
    ("<mjml><mj-body><mj-section><mj-column><mj-text><!--[if mso]>x<![endif]--></mj-text></mj-column></mj-section></mj-body></mjml>", "condition"),
    ("<mjml><mj-body><mj-section><mj-column><mj-table><!--[if mso]><tr><![endif]--></mj-table></mj-column></mj-section></mj-body></mjml>", "condition"),
    ("<mjml><mj-body>words<mj-section></mj-section></mj-body></mjml>", "text"),
    ("<mjml><mj-body><mj-section><mj-column>words</mj-column></mj-section></mj-body></mjml>", "text"),
    ("<mjml><mj-body><mj-section><mj-column></mj-section></mj-body></mjml>", "unreadable"),
    ("<mjml><mj-body><mj-section><mj-column><mj-text>never closed</mj-column></mj-section></mj-body></mjml>", "unreadable"),
    ("<mjml><mj-body><mj-section padding=0></mj-section></mj-body></mjml>", "unreadable"),
    ('<mjml><mj-body><mj-section padding="0" padding="1px"></mj-section></mj-body></mjml>', "unreadable"),
    ("<mjml><mj-body>{if $a}<mj-section>{/if}</mj-section></mj-body></mjml>", "unreadable"),
    ("<mjml><mj-body></mj-body><mj-body></mj-body></mjml>", "unreadable"),
    ("<!doctype html><html><body><table></table></body></html>", "unreadable"),
    ("", "unreadable"),
    ("<mjml><mj-body><!-- never closed", "unreadable"),
    ("<mjml" + " " * 200_000, "unreadable"),
    ("<mjml><mj-body>" + "<mj-section>" * 20_000, "component"),
]  # fmt: skip


def corpus(count: int, seed: int = 52) -> list[str]:
    """That many mails which the visual editor is to open and give back letter by letter."""
    return [_mail(random.Random(f"{seed}-{number}")) for number in range(count)]


def large(kilobytes: int) -> str:
    """One mail of about that size."""
    rows = (
        f'<mj-section><mj-column><mj-text padding="{n % 9}px">{"All the news that fits. " * 40}{n}</mj-text></mj-column></mj-section>\n'
        for n in range(kilobytes)
    )
    return f"<mjml><mj-body>\n{''.join(rows)}</mj-body></mjml>"


def _mail(luck: random.Random) -> str:
    rows = "".join(_row(luck) for _one in range(luck.randint(0, 3)))
    lang = luck.choice(["", ' lang="en"'])
    return f"{_space(luck)}<mjml{lang}>{_space(luck)}{luck.choice(HEADS)}{_space(luck)}{_open(luck, 'mj-body')}{rows}{_space(luck)}</mj-body>{_space(luck)}</mjml>\n"


def _space(luck: random.Random) -> str:
    return luck.choice(["", "\n", "\n    ", "\t", "\n\n<!-- a note: <mj-text> & {more} -->\n", " "])


def _open(luck: random.Random, name: str, end: str = ">") -> str:
    chosen = luck.sample(NAMES[name], luck.randint(0, min(3, len(NAMES[name]))))
    said = ""
    for one in chosen:
        value = luck.choice(VALUES[one])
        quote = "'" if "'" not in value and luck.random() < 0.2 else '"'
        said += f"{luck.choice([' ', '  ', chr(10) + '  '])}{one}{luck.choice(['=', '=', ' = '])}{quote}{value}{quote}"
    return f"<{name}{said}{luck.choice(['', ' '])}{end}"


def _row(luck: random.Random) -> str:
    if luck.random() < 0.2:
        return f"{_space(luck)}{_open(luck, 'mj-wrapper')}{_section(luck)}{_space(luck)}</mj-wrapper >"
    return _section(luck)


def _section(luck: random.Random) -> str:
    if luck.random() < 0.1:
        return _space(luck) + _open(luck, "mj-section", "/>")
    columns = "".join(_column(luck) for _one in range(luck.randint(0, 3)))
    if luck.random() < 0.2:
        columns = f"{_space(luck)}{_open(luck, 'mj-group')}{columns}{_space(luck)}</mj-group>"
    return f"{_space(luck)}{_open(luck, 'mj-section')}{columns}{_space(luck)}</mj-section>"


def _column(luck: random.Random) -> str:
    inside = "".join(_content(luck) for _one in range(luck.randint(0, 3)))
    return f"{_space(luck)}{_open(luck, 'mj-column')}{inside}{_space(luck)}</mj-column>"


def _content(luck: random.Random) -> str:
    if luck.random() < 0.15:
        return _space(luck) + luck.choice(CARRIED)
    name = luck.choice(["mj-text", "mj-text", "mj-button", "mj-image", "mj-divider", "mj-spacer"])
    if name in ("mj-text", "mj-button"):
        words = "".join(
            luck.choice([*WORDS, *TAGS, *(HTML if name == "mj-text" else [])]) for _one in range(luck.randint(0, 5))
        )
        return f"{_space(luck)}{_open(luck, name)}{words}</{name}>"
    end = "/>" if luck.random() < 0.7 else f"></{name}>"
    return _space(luck) + _open(luck, name, end)
