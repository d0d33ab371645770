"""Who is known here is known on followed sites too, when a link of a page leads there, or a frame stands in one of their pages."""

from flask import Flask, Response, g

from web_tracking import recognising


def install(app: Flask) -> None:
    """Let the links of all pages that a customer sees make his browser known where they lead (bound by log-in)."""

    @app.after_request
    def lead_on(answer: Response) -> Response:
        asks = g.get("viewer")
        is_page = answer.mimetype == "text/html" and answer.status_code == 200 and not answer.is_streamed
        if asks is None or asks.customer is None or not is_page:
            return answer
        return _lead_on(answer, "portal", asks.customer.contact_id)


def known(answer: Response, person_id: int | None) -> Response:
    """A page for somebody who said who he is in a form. Nobody sees by it whether he was known before (`person_id` None)."""
    return _lead_on(answer, "form", person_id or 0)


def frame_script(person_id: int | None) -> str:
    """What a form in a frame tells the page around it, whose tracking script takes it from us only; the page's rules say who
    may be that."""
    said = recognising.of_person("form", person_id or 0)
    return f'parent.postMessage({{ crmVisit: "{said}" }}, "*");' if said else ""


def _lead_on(answer: Response, way: str, person_id: int) -> Response:
    text = answer.get_data(as_text=True)
    if 'href="http' in text:
        found = recognising.into(text, recognising.of_person(way, person_id))
        if found != text:
            answer.set_data(found)
    return answer
