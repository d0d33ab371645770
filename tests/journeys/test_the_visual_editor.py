"""The visual editor in a real Chromium: a mail built by dragging alone, and sources of all sorts that come back letter by letter
(M52; decisions.md 32)."""

import re
import sqlite3
import struct
import zlib

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

from ecp.content.compile import Content, compile
from ecp.content.designs import DESIGNS
from ecp.content.problems import ContentRefused
from tests.content.mjml_corpus import REFUSED, corpus, large
from tests.journeys.browsing import chromium, log_in, violations
from tests.journeys.house import ADMIN, House

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]
BLANK = '<mjml>\n  <!-- ours -->\n  <mj-body background-color="#f4f5f7">\n  </mj-body>\n</mjml>\n'
OPEN_ALL = """async (sources) => {
  const editor = window.mailVisual.current, found = [];
  for (const one of sources) {
    try {
      editor.open(one);
      await new Promise((done) => setTimeout(done, 5));
      found.push([editor.text(), editor.rewritten()]);
    } catch (error) {
      found.push([error.code || String(error.stack), editor.refused(error)]);
    }
  }
  return found;
}"""
DRAWN = """(source) => {
  const { editor, open } = window.mailVisual.current;
  open(source);
  const columns = editor.getWrapper().find("[data-gjs-type=mj-column]");
  return columns.filter((one) => one.view.el.isConnected && one.view.el.offsetHeight).length === columns.length && columns.length;
}"""
"""How many columns of a mail are seen; false when one of them is not."""


def test_a_newsletter_is_built_by_dragging_alone(sqlite_house, tmp_path):
    (tmp_path / "tree.png").write_bytes(picture())
    house = sqlite_house()
    with house.running(with_worker=False), chromium(house.base) as open_page:
        survey = active_survey(house)
        person = house.make("contacts", last_name="Virtanen", first_name="Väinö", email="v@example.com")
        mail = house.make("email_templates", name="Spring", kind="email", subject="Hello", mjml=BLANK)
        page = open_page()
        foreign = []
        page.on(
            "request",
            lambda one: foreign.append(one.url) if not one.url.startswith((house.base, "data:", "blob:")) else None,
        )
        log_in(page, "ecp", ADMIN)
        page.goto(f"/ecp/email_templates/{mail}/write")
        assert not page.evaluate("Boolean(window.grapesjs || window.mailVisual)")  # fetched only when it is opened
        frame = open_visual(page)

        drag(page, "header", frame.locator("[data-gjs-type=mj-body]"), 0.4)
        drag(
            page, "columns-1", frame.locator("[data-gjs-type=mj-section]").first, 0.02
        )  # at the outermost edge of the mail
        assert "Write here" in re.findall(r"<mj-section.*?</mj-section>", code(page), re.DOTALL)[0]
        page.get_by_role("button", name="Undo").click()
        drag(page, "columns-2", frame.locator("[data-gjs-type=mj-section]").last, 0.95)
        drag(page, "image", frame.locator("[data-gjs-type=mj-text]").nth(1), 0.8)
        sheet = page.get_by_role("dialog", name="Insert a picture")
        sheet.get_by_label("Picture", exact=True).set_input_files(tmp_path / "tree.png")
        sheet.get_by_role("button", name="Upload and insert").click()
        expect(sheet).to_be_visible()  # what it shows must be said
        sheet.get_by_label("What it shows").fill('A "tree" & more')
        sheet.get_by_role("button", name="Upload and insert").click()
        expect(frame.locator("img[alt*=tree]")).to_be_visible()
        drag(page, "survey", frame.locator("[data-gjs-type=mj-text]").nth(2), 0.97)  # and at that of a column
        page.get_by_label("Leads to").select_option(f"{{$links.survey:{survey}}}")
        drag(page, "footer", frame.locator("[data-gjs-type=mj-section]").last, 0.95)

        frame.locator("[data-gjs-type=mj-text]").nth(2).dblclick()
        page.keyboard.press("Control+a")
        page.keyboard.type("Dear ")
        page.get_by_label("Insert a tag…").click()  # as people do: the writing goes on where it was
        page.keyboard.type("contact first")
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        built = code(page)
        assert f'href="{{$links.survey:{survey}}}"' in built
        assert 'alt="A &quot;tree&quot; &amp; more"' in built
        assert "Dear {$contact.first_name}</mj-text>" in built
        assert "{$links.unsubscribe}" in built
        assert built.startswith("<mjml>\n  <!-- ours -->")
        assert re.sub(r"\s*<mj-section.*</mj-section>", "", built, flags=re.DOTALL) == BLANK  # nothing else was touched

        page.get_by_role("button", name="Undo").click()
        assert code(page) != built
        page.get_by_role("button", name="Redo").click()
        assert code(page) == built
        keys(page, frame)
        assert code(page) == built

        page.get_by_role("button", name="Code", exact=True).click()
        assert code(page) == built
        open_visual(page)
        assert code(page) == built
        for width, columns in (("Desktop", 1), ("Phone width", 2)):  # side by side, then one below the other
            page.get_by_label("Visual editor").get_by_role("button", name=width).click()
            page.wait_for_timeout(300)
            boxes = [frame.locator("[data-gjs-type=mj-column]").nth(n).bounding_box() for n in (1, 2)]
            assert len({round(box["y"]) for box in boxes}) == columns
        found = violations(page, ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa"), mild=False)
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == [], found

        page.get_by_role("button", name="Preview", exact=True).click()
        page.locator("#as-person").evaluate(
            "(one, id) => { one.append(new Option('x', id)); one.value = id; one.dispatchEvent(new Event('change')); }",
            str(person),
        )
        page.get_by_role("group", name="Show as").get_by_role("button", name="Phone").click()
        page.get_by_role("button", name="In the dark").click()
        shown = page.locator(".mail-stage iframe:not([hidden])")
        expect(shown.content_frame.get_by_text("Dear Väinö")).to_be_visible()
        expect(shown).to_have_css("width", "375px")  # a preview may just be drawn anew, so the width is waited for
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
        assert house.read("email_templates", mail)["mjml"] == built
        assert "Väinö" not in built
        assert foreign == []

        log_in(page, "crm", ADMIN)
        page.goto(f"/crm/email_templates/{mail}/write")  # the same editor serves the CRM
        frame = open_visual(page)
        expect(frame.get_by_text("Dear {$contact.first_name}")).to_be_visible()
        assert code(page) == built
        comes_back(page)


def active_survey(house: House) -> int:
    """A survey that can be chosen; its questions do not matter here."""
    survey = house.make("surveys", name="How was it", title="How was it")
    with sqlite3.connect(house.environment["CUSTOMERHUB_DATABASE_URL"].removeprefix("sqlite:///")) as database:
        database.execute("UPDATE surveys SET status = 'active' WHERE id = ?", (survey,))
    database.close()
    return survey


def comes_back(page: Page) -> None:
    """Designs and a corpus: the same letters come back, and what the editor writes anew compiles to the same HTML."""
    sources = [one.mjml for one in DESIGNS] + corpus(40)
    compiled = 0
    for source, (back, anew) in zip(sources, page.evaluate(OPEN_ALL, sources), strict=True):
        assert back == source, anew
        try:
            wanted = compile(Content("mjml", source)).html
        except ContentRefused:
            continue  # spaces around = and the like, which the compiler does not take
        assert compile(Content("mjml", anew)).html == wanted
        compiled += 1
    assert compiled > 40
    for (source, reason), (said, why) in zip(
        REFUSED, page.evaluate(OPEN_ALL, [one for one, _reason in REFUSED]), strict=True
    ):
        assert said == reason, source[:200]
        assert why
        assert "{what}" not in why
    for one in DESIGNS:
        assert page.evaluate(DRAWN, one.mjml), one.key
    assert page.evaluate(OPEN_ALL, [large(120)])[0][0] == large(120)
    page.get_by_role("button", name="Code", exact=True).click()
    set_code(page, REFUSED[0][0])
    page.get_by_role("button", name="Visual", exact=True).click()
    expect(page.locator("#visual-refused")).to_contain_text("does not know <mj-foo>")
    expect(page.locator(".cm-content").first).to_be_visible()
    assert code(page) == REFUSED[0][0]


def open_visual(page: Page) -> FrameLocator:
    page.get_by_role("button", name="Visual", exact=True).click()
    frame = page.frame_locator(".gjs-frame")
    frame.locator("[data-gjs-type=mj-body]").wait_for()
    return frame


def code(page: Page) -> str:
    """What would be saved."""
    page.wait_for_timeout(150)
    said: str = page.evaluate("document.getElementById('f-mjml').value")
    return said


def set_code(page: Page, text: str) -> None:
    page.evaluate(
        "(text) => { const { view } = document.getElementById('f-mjml').editor; view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }); }",
        text,
    )


def drag(page: Page, part: str, target: Locator, height: float) -> None:
    """With the mouse, from the list of parts to that height of an element in the mail."""
    source = page.locator(f"[data-block={part}]")
    source.scroll_into_view_if_needed()
    begin, end = source.bounding_box(), target.bounding_box()
    before = code(page)
    x, y = begin["x"] + begin["width"] / 2, begin["y"] + begin["height"] / 2
    to_x, to_y = end["x"] + end["width"] / 2, end["y"] + end["height"] * height
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 4, y + 4)  # a drag begins on the part itself: nobody's first move leads into the mail
    for step in range(1, 7):
        page.mouse.move(x + (to_x - x) * step / 6, y + (to_y - y) * step / 6)
        page.wait_for_timeout(40)
    page.mouse.move(to_x + 1, to_y + 1)
    page.wait_for_timeout(100)
    page.mouse.up()
    page.wait_for_timeout(200)
    assert code(page) != before, f"{part} was not taken"


def keys(page: Page, frame: FrameLocator) -> None:
    """Parts are moved, taken out and brought back without a mouse."""
    built = code(page)
    last = page.get_by_label("Structure").get_by_role("button", name="Row", exact=True).last
    last.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Alt+ArrowUp")
    assert code(page).index("links.unsubscribe") < code(page).index("links.survey")
    page.keyboard.press("Control+z")
    assert code(page) == built
    page.get_by_label("Structure").get_by_role("button", name="Row", exact=True).last.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Delete")
    assert "links.unsubscribe" not in code(page)
    page.keyboard.press("Control+z")


def picture() -> bytes:
    """A small PNG that a browser shows."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\x2e\x7d\x32" * 80 for _row in range(40))
    return (
        b"\x89PNG\r\n\x1a\n"
        + part(b"IHDR", struct.pack(">IIBBBBB", 80, 40, 8, 2, 0, 0, 0))
        + part(b"IDAT", zlib.compress(rows))
        + part(b"IEND", b"")
    )
