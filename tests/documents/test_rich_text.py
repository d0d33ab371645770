r"""Templates of rich text: tags as Word and Writer save them, escapes and letters of every alphabet, rows that repeat."""

import pytest

from crm.documents import making, names, package, rich_text, templates
from crm.engine.refusals import Refused
from crm.engine.registry import modules

HEAD = (
    r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\froman\fcharset0 Liberation Serif;}{\f1\fcharset204 Own Sans;}}{\info{\title x}}"
    "\n"
)
BODY = (
    r"{\header \pard Of \{$last_name\}\par Page 1\par}"
    r"\pard\f0 Dear \{$first\b _name\b0\} K\'e4ytt\u228?j\uc1\u228 ax {\f1 \'cf\f0 } \{ kept \}!\par" "\n"
    r"\trowd\cellx3000\pard\intbl Title\cell Nr\cell\row" "\n"
    r"{\trowd\cellx3000\pard\intbl {\b \{$tickets.title\}\cell }{\{$tickets.no\}\cell }\pard{\trowd\cellx3000\row }}" "\n"
    r"\pard \{if $account_id\}\par yes\par\{else\}\par no\par\{/if\}\par {\i\{$description\}\par }}"
)  # fmt: skip


def said(data):
    """Its paragraphs as a reader sees them, rows as lists."""
    root = rich_text.read(data)
    found = [["".join(one.itertext("t")) for one in (line if line.tag == "row" else [line])] for line in root]
    return [line[0] if len(line) == 1 else line[:2] for line in found if any(line)]


def test_a_rich_text_is_filled_and_the_rest_stays_as_it_was(make, template, people):
    data = (HEAD + BODY).encode("ascii")
    assert rich_text.written(rich_text.read(data)) == data
    account = make("accounts", name="Acme", owner_id=people.alice)
    contact = make(
        "contacts", first_name="Žofie 😀 \\{x}", last_name="Virta", account_id=account, owner_id=people.alice, description="One\nTwo\t{$y}",
    )  # fmt: skip
    for title in ("Fire", "Ÿ"):
        make("tickets", title=title, contact_id=contact, owner_id=people.alice)
    made = making.filled(people["alice"], making.template_of(template(data, "rtf")), contact)
    found = said(made.data)
    rows = [found.pop(4), found.pop(4)]
    assert (sorted(row[0] for row in rows), [row[1] for row in rows]) == (["Fire", "Ÿ"], ["1", "2"])
    assert found == [
        "Of Virta", "Page 1", "Dear Žofie 😀 \\{x} Käyttäjäx П { kept }!", ["Title", "Nr"], "yes", "One\nTwo\t{$y}",
    ]  # fmt: skip
    assert made.data.startswith(HEAD.encode("ascii"))
    assert made.data.isascii()
    assert rb"\u-10179?\u-8704?" in made.data
    assert (made.data.count(b"\\row "), made.data.count(b"\\row}") + made.data.count(b"\\row\n")) == (2, 1)


REFUSED = {
    "an object": (r"{\object\objemb{\*\objdata 00}}", "embedded objects"),
    "a field that reads": (r"{\field{\*\fldinst { INCLUDEPICTURE ""http://10.0.0.1/x.png"" }}{\fldrslt x}}", "reads another file"),
    "an open brace": (r"{\b x\par", "damaged"),
    "a brace too many": (r"x\par}}", "damaged"),
    "an unknown tag": (r"\{$fist_name\}\par", "Did you mean"),
    "an unbalanced if": (r"\pard \{if $last_name\}\par x\par", "has no {/if}"),
    "formatting over a mark": (r"\pard {\b \{if $last_name\}\par x}\par\{/if\}\par", "begins or ends in another paragraph"),
    "deep": ("{" * 1000, "damaged"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_rich_text_that_reaches_out_or_is_wrong_is_refused(app, name):
    body, reason = REFUSED[name]
    with pytest.raises(Refused, match=reason):
        names.check(
            package.read("x.rtf", (HEAD + body + "}").encode("ascii")), templates.shape_for(modules["contacts"])
        )
