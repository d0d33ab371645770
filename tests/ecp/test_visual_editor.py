"""What the visual editor is given and what it may store: parts that compile, rows, pictures with words, the dark preview."""

import io

import pytest

from crm.db import db
from crm.engine import search
from crm.identity.viewer import SYSTEM
from crm.modules import organisation
from ecp.content import blocks
from ecp.content.check import check_content
from ecp.content.compile import Content, compile
from ecp.content.preview import as_dark
from tests.content.mjml_corpus import large
from tests.ecp.test_writing_pages import PNG, saved, upload

ROW = "<mj-section><mj-column><mj-text>Our shop</mj-text></mj-column></mj-section>"
HOSTILE = blocks.Brand('K & "<b>"', "#ffee00", "https://x.example/i/a.png", 'Street "1"\n<script>')
EVENT = blocks.EventSaid("7", 'Fair <b> & "more"', "Monday", "Oulu <i>", "{$links.event_join:7}")


@pytest.mark.parametrize("brand", [blocks.Brand(), HOSTILE], ids=["none", "hostile"])
def test_every_part_compiles_and_says_nothing_wrong(app, brand):
    made = blocks.blocks(brand, [EVENT], "{$links.survey:3}")
    assert {"header", "text", "image", "button", "columns-2", "event-7", "survey", "social", "footer"} <= {
        one.key for one in made
    }
    for one in made:
        row = (
            one.mjml
            if one.mjml.startswith("<mj-section")
            else f"<mj-section><mj-column>{one.mjml}</mj-column></mj-section>"
        )
        content = Content("mjml", f"<mjml><mj-body>{row}</mj-body></mjml>", "Hi")
        said = check_content(content, lambda _name: False, sender_name="K", has_sender_address=True)
        assert [str(found) for found in said if "plain text is made" not in found.message] == [], one.key
        assert "<script" not in compile(content).html


def test_words_on_the_brands_colour_can_be_read():
    assert blocks.Brand(colour="#ffee00").on_colour == "#111827"
    assert blocks.Brand(colour="#123456").on_colour == "#ffffff"


@pytest.mark.parametrize("face", ["ecp", "crm"])
def test_the_page_offers_the_brand_and_saved_rows_to_those_who_may_edit(browse, house, face):
    organisation.change(name="Kaisla", colour="#aa1100")
    house.make("html_snippets", name="Shop row", kind="row", html=ROW, status="active")
    house.make("html_snippets", name="Old row", kind="row", html=ROW, status="inactive")
    db.session.commit()
    page = browse("mary", face).get(f"/email_templates/{house.mail_id}/write")
    kit = page.text.split('data-kit="', 1)[1].split('"', 1)[0]
    assert "#aa1100" in kit
    assert "Shop row" in kit
    assert "Old row" not in page.text
    assert "visual" in page.text
    assert "'unsafe-inline'" in page.headers["Content-Security-Policy"].split("style-src", 1)[1].split(";")[0]
    assert "unsafe" not in page.headers["Content-Security-Policy"].split("script-src", 1)[1].split(";")[0]


def test_a_row_is_kept_as_a_snippet_and_what_is_none_is_refused(browse, house):
    mary = browse("mary")
    csrf = mary.form("/preferences")["csrf"]
    kept = mary.post(
        "/email_templates/rows",
        {"csrf": csrf, "name": "Shop", "mjml": ROW.replace("Our", "<script>x()</script>Our")},
        200,
    ).json
    assert kept["name"] == "Shop"
    assert kept["mjml"] == ROW
    assert search.one(SYSTEM, "html_snippets", kept["id"])["kind"] == "row"
    for name, mjml in (
        ("", ROW),
        ("x", ""),
        ("x", "<p>HTML</p>"),
        ("x", ROW + "<mj-foo/>"),
        ("x", "<mj-section>"),
        ("x", large(300)),
    ):
        assert "message" in mary.post("/email_templates/rows", {"csrf": csrf, "name": name, "mjml": mjml}, 422).json
    browse("rita", "crm").post(
        "/email_templates/rows",
        {"csrf": browse("rita", "crm").form("/preferences")["csrf"], "name": "x", "mjml": ROW},
        403,
    )


def test_pictures_are_judged_by_their_content_and_by_their_words(browse):
    mary = browse("mary")
    here, csrf = "/email_templates/pictures", mary.form("/preferences")["csrf"][0]

    def give(name, data, **said):
        body = {"csrf": csrf, "file": (io.BytesIO(data), name)} | said
        return mary.client.post(f"{mary.prefix}{here}", data=body, content_type="multipart/form-data")

    assert give("a.png", PNG, alt="A tree").status_code == 200
    silent = give("b.png", PNG + b"1", alt="  ")
    assert (silent.status_code, "what the picture shows" in silent.json["message"]) == (422, True)
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    for name in ("a.svg", "a.png", "a.jpg"):
        assert give(name, svg, alt="x").status_code == 422
    assert give("a.png", b"BM" + b"\0" * 40, alt="x").status_code == 422
    large_one = upload(mary, here, csrf, "c.png", PNG + b"\0" * (30 * 1024 * 1024))
    assert large_one.status_code == 413


def test_a_mail_of_300_kb_is_refused_and_kept(browse, house):
    mary = browse("mary")
    answer = saved(mary, house.mail_id, source="mjml", mjml=large(300), html="")
    assert answer.status_code == 422
    assert "maximum is 65 000" in answer.text
    assert answer.text.count("All the news that fits") > 300


def test_a_mail_is_begun_with_a_design(browse):
    mary = browse("mary")
    assert "order_confirmation" in mary.get("/email_templates/write").text
    csrf = mary.form("/email_templates/write")["csrf"]
    made = mary.post("/email_templates/write", {"csrf": csrf, "kind": "email", "design": "webinar"}).location
    assert "Save my seat" in mary.get(made.removeprefix("/ecp")).text


def test_dark_styles_hold_in_the_dark_preview_and_light_ones_do_not():
    html = "<head><style>@media (prefers-color-scheme: dark){a{b:c}} @media (prefers-color-scheme:light){d{e:f}}</style></head>"
    shown = as_dark(html)
    assert "@media (min-width:0){a" in shown
    assert "@media (max-width:0){d" in shown
    assert "color-scheme:dark}" in shown


def test_parts_of_ours_are_known_to_dark_styles_and_columns_come_in_six_ways():
    made = {one.key: one.mjml for one in blocks.blocks(blocks.Brand("Kaisla"), [])}
    assert all('css-class="paper"' in made[key] for key in made if key.startswith(("header", "columns", "event")))
    assert 'css-class="page"' in made["footer"]
    assert sum(key.startswith("columns") for key in made) == 6
    assert made["columns-4"].count("<mj-column") == 4
    assert [made[key].count("66.66%") for key in ("columns-1-2", "columns-2-1")] == [1, 1]
    assert made["columns-2-1"].index("66.66%") < made["columns-2-1"].index("33.33%")
