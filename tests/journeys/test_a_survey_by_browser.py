"""A survey in a real Chromium: its questions dragged to their place, the preview that follows, answers without a script, results.

The public pages are looked at with 1360, 375 and 320 px: not too wide, nothing for axe; the staff pages too.
"""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.browsing import DESKTOP, PHONE, chromium, log_in, violations
from tests.journeys.house import ADMIN, wait_for

pytestmark = pytest.mark.journey
SMALLEST = {"width": 320, "height": 640}


@pytest.mark.timeout(400)
def test_a_survey_is_built_by_dragging_answered_without_a_script_and_read(sqlite_house):
    house = sqlite_house()
    with house.running(), chromium(house.base) as open_page:
        house.make("portals", name="Portal", code="main", active=True, public_survey_enabled=True)
        survey = house.make("surveys", name="Feedback", title="How was it?", public=True)
        page = open_page()
        log_in(page, "crm", ADMIN)
        page.goto(f"/crm/surveys/{survey}/build")
        page.get_by_role("button", name="Add page").click()
        preview = page.locator("[data-preview]").content_frame
        expect(preview.get_by_role("heading", name="How was it?")).to_be_visible()
        drag(page, tool(page, "nps"), page.locator("[data-page]").first)
        fill(page, "Would you recommend us?", "score")
        expect(preview.get_by_text("Would you recommend us?")).to_be_visible()  # while it is written
        save(page, "score")
        drag(page, tool(page, "radio"), page.locator("#question-score"))
        fill(page, "Which fruit?", "fruit")
        page.get_by_label("Options, one a line").fill("a: Apple\nb: Banana")
        expect(preview.get_by_text("Banana")).to_be_visible()
        save(page, "fruit")
        tool(page, "area").click()  # a press adds it at the end
        fill(page, "Why so few?", "why")
        page.locator("[data-conditions=visible_if] summary").first.click()
        page.locator('[name="visible_if.0.0.question"]').select_option("score")
        page.locator('[name="visible_if.0.0.operator"]').select_option("$lte")
        page.locator('[name="visible_if.0.0.value"]').fill("6")
        page.get_by_role("button", name="Condition").first.click()
        expect(page.locator('[name="visible_if.0.1.question"]')).to_be_visible()  # one more row
        save(page, "why")
        assert names(page)[-1] == "why"
        with page.expect_response("**/order"):
            drag(page, page.locator("#question-why [data-handle]"), page.locator("#question-score"))
        page.wait_for_timeout(500)  # the list is drawn anew
        expect(page.locator("#builder-pages")).to_be_visible()
        expect(page.locator("[data-question]").nth(2)).not_to_have_id("question-why")
        moved = names(page)
        page.locator("#question-why button[value=down]").focus()
        page.keyboard.press("Enter")  # the same by keyboard, and the focus stays
        wait_for(lambda: names(page) != moved, 20)
        assert page.evaluate("document.activeElement.id").startswith("down-")
        page.reload()
        assert sorted(names(page)) == ["fruit", "score", "why"]
        page.locator("#question-fruit [data-edit]").click()
        written = page.locator("#question-fruit [name=title]")
        written.fill("Which of these fruits?")
        page.get_by_label("Required: fruit").click()  # the list is drawn anew, what is typed stays
        expect(page.get_by_label("Required: fruit")).to_have_attribute("aria-pressed", "true")
        expect(written).to_have_value("Which of these fruits?")
        expect(page.locator("#question-fruit [name=required]")).to_be_checked()
        page.get_by_role("button", name="Add page").click()
        expect(page.locator("[data-preview-page] option")).to_have_count(2)
        expect(written).to_have_value("Which of these fruits?")
        save(page, "fruit")
        preview.get_by_label("3", exact=True).check()  # the preview tries the logic
        expect(preview.get_by_text("Why so few?")).to_be_visible()
        faults: list[str] = []
        for path in ("build", "look", "results", "reactions"):
            look(page, f"/crm/surveys/{survey}/{path}", faults, widths=(DESKTOP, PHONE))
        house.call("PATCH", f"/surveys/{survey}", {"data": {"attributes": {"status": "active"}}})
        page.goto(f"/crm/surveys/{survey}/build")
        address = page.locator("code", has_text="/s/").inner_text()
        guest = open_page(java_script_enabled=False)
        guest.goto(address)
        guest.get_by_label("4", exact=True).check()
        guest.get_by_label("Apple").check()
        guest.wait_for_timeout(2200)  # nobody is quicker
        guest.get_by_role("button", name="Send").last.click()
        guest.get_by_label("Why so few?").fill("Too sour")  # what the answer brought, without a script
        guest.get_by_role("button", name="Send").last.click()
        expect(guest.get_by_role("heading", name="Thank you")).to_be_visible()
        look(open_page(), address, faults, widths=(DESKTOP, PHONE, SMALLEST))
        page.goto(f"/crm/surveys/{survey}/results")
        expect(page.get_by_text("Too sour")).to_be_visible()
        expect(page.get_by_text("-100").first).to_be_visible()  # one detractor
    assert faults == []


def tool(page: Page, kind: str) -> Locator:
    """A type of question in the toolbox."""
    return page.locator(f"[data-tools] [data-kind={kind}]")


def drag(page: Page, source: Locator, target: Locator) -> None:
    """Drag with the mouse, to the upper part of the target, in small steps as hands do."""
    source.scroll_into_view_if_needed()
    box, goal = source.bounding_box(), target.bounding_box()
    assert box is not None
    assert goal is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(goal["x"] + 60, goal["y"] + 30, steps=12)
    page.mouse.move(goal["x"] + 64, goal["y"] + 8, steps=4)
    page.wait_for_timeout(150)
    page.mouse.up()


def fill(page: Page, title: str, name: str) -> None:
    form = page.locator("[data-question-form]")
    form.wait_for()
    form.get_by_label("Question", exact=False).first.fill(title)
    form.get_by_label("Name", exact=True).fill(name)


def save(page: Page, name: str) -> None:
    page.locator("[data-question-form]").get_by_role("button", name="Save").click()
    page.locator(f"#question-{name}").wait_for()
    expect(page.locator("[data-question-form]")).to_have_count(0)


def names(page: Page) -> list[str]:
    """The questions in the order of the page."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('[data-question]')].map((one) => one.id.replace('question-', ''))"
    )
    return found


def look(page: Page, path: str, faults: list[str], widths: tuple[dict[str, int], ...]) -> None:
    """Note what is too wide, and what axe finds."""
    for width in widths:
        page.set_viewport_size(width)  # type: ignore[arg-type]
        page.goto(path)
        page.wait_for_load_state("networkidle")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 1:
            faults.append(f"{path} at {width['width']}: {wide} px too wide")
        found = violations(page, ("wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"))
        faults += [f"{path} at {width['width']}: {one['id']}: {one['nodes'][0]['html'][:160]}" for one in found]
    page.set_viewport_size(widths[0])  # type: ignore[arg-type]
