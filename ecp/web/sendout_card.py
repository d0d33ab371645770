"""The card of a sendout: its state and progress, what can be done, and once it began its report."""

import csv
import io
import math
import time
from typing import Any

from flask import Response, make_response, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.engine import picklists, search
from crm.engine.exports import plain
from crm.engine.permissions import has_area, may, scope
from crm.engine.refusals import Refused
from crm.engine.registry import modules
from crm.engine.rows import Row, labels_of
from crm.identity.viewer import Viewer
from crm.mail.sending import runs
from crm.ui.charts import Chart, Point
from crm.ui.downloads import csv_download
from crm.ui.face import face
from crm.ui.places import place_of
from crm.ui.session import viewer
from ecp import statistics
from ecp.automatic import standing
from ecp.content.preview import PREVIEW_CSP, preview
from ecp.pipeline import actions, audience, checks, frozen, versions
from ecp.web.sendout_outlook import clock_is_late, words_of
from ecp.web.writing_versions import label_of
from surveys.reach import of_sendout as surveys_of

UNDER_WAY = ("preparing", "sending", "paused")
ENDED = ("sent", "cancelled", "failed")
LINES = ("sent", "waiting", "failed", "uncertain", "cancelled", "bounced", "skipped")
PAUSE, LONGEST = 4, 30  # seconds between two looks of an open page
SHARE = 10  # no more than this part of the time goes by with looking, where people are many


def rights_of(row: Row) -> dict[str, bool]:
    """What the viewer may do with this sendout."""
    module, asks = modules["sendouts"], viewer()
    may_edit = may(asks, "edit", module)
    narrowing = scope(asks, module, "edit")
    if may_edit and narrowing is not None:
        table = module.table
        may_edit = db.session.execute(select(table.c.id).where(table.c.id == row.id, narrowing)).first() is not None
    may_send = may_edit and has_area(asks, "send")
    return {
        "send": may_send, "create": may(asks, "create", module) and may_edit,
        "cancel": may_send and _may_cancel(asks, row),
        "delete": may(asks, "delete", module) and row["state"] in {"draft", *ENDED},
        "campaigns": may(asks, "create", "campaigns") and may(asks, "view", "deliveries"),
    }  # fmt: skip


def _may_cancel(asks: Viewer, row: Row) -> bool:
    mine = asks.id in {row.get("creator_id"), row.get("owner_id")}
    return mine or asks.is_admin or "ecp_admin" in asks.flags


def show(id: int) -> str:
    """The card."""
    row = search.one(viewer(), "sendouts", id)
    groups = labels_of(viewer(), audience.group_ids_of(id))
    has_begun = row["state"] in {*UNDER_WAY, *ENDED}
    report = _report(id) if has_begun else None
    return render_template(
        "ecp_sendout.html", row=row, here="sendouts", home=f"{face().prefix}/sendouts", groups=groups, rights=rights_of(row),
        numbers=_numbers(row, report["numbers"]) if report and row["state"] in UNDER_WAY else None, report=report, is_renewed=False, are_lines_kept=False, state=modules["sendouts"].fields["state"],
        late=clock_is_late() if row["state"] == "scheduled" else None, list_name=_list_name(row, tuple(groups)), words_of=words_of, language_name=label_of, under_way=UNDER_WAY, ended=ENDED, subject=_subject(row),
        recurs=row["recurrence"] not in {None, "none"}, children=_children(id), after=standing.after_sendout(viewer(), id),
        recurrence=modules["sendouts"].fields["recurrence"], may_follow=may(viewer(), "create", "autoresponders") and has_area(viewer(), "send"),
        mails={one: place_of("email_templates", one.mail_id, viewer()) for one in standing.after_sendout(viewer(), id)},
    )  # fmt: skip


def _children(id: int) -> list[Row]:
    """The last sendouts that a recurring mailing made."""
    columns = ("name", "state", "scheduled_at", "sent_count", "read_count", "clicked_count")
    said = {"$eq": ["parent_id", id]}
    return search.find(
        viewer(), "sendouts", where=said, columns=columns, sort=("-scheduled_at",), limit=12, count="none"
    ).rows


def _list_name(row: Row, group_ids: tuple[int, ...]) -> str:
    """The list that the mails belong to; of a draft that names none the one that it will be."""
    if row["list_type_id"]:
        return row.label_of("list_type_id") or ""
    said = actions.of_row({name: row.get(name) for name in actions.Sendout.__dataclass_fields__} | {"id": row.id})
    settled = checks.settled_list(said, group_ids)
    return labels_of(viewer(), [settled]).get(settled, "") if settled else ""


def _subject(row: Row) -> str:
    """The subject with fallbacks in the place of tags; "" while it cannot be read."""
    kept = frozen.load(row.id)
    if kept is not None:
        return preview(kept.compiled, {}).subject
    mail = row["email_template_id"]
    if mail and search.exists(viewer(), "email_templates", mail):
        return str(search.one(viewer(), "email_templates", mail, columns=("subject",))["subject"] or "")
    return ""


def _numbers(row: Row, seen: dict[str, Any]) -> dict[str, Any]:
    """The numbers of the bar: those of the report (`seen`), so that the two agree."""
    done = seen["audience"] - seen["waiting"]
    return {
        **{key: seen[key] for key in ("sent", "skipped", "failed", "uncertain")}, "left": seen["waiting"],
        "retry": runs.count_states(db.session, row.id).get("retry", 0), "percent": int(100 * done / seen["audience"]) if done else 0,
    }  # fmt: skip


def progress(id: int) -> Response:
    """The bar, and the numbers of the report below it; asks for itself until the state changes, and then for the whole page."""
    row = search.one(viewer(), "sendouts", id)
    shown = request.args.get("shown", "")
    report = _report(id, is_renewed=True) if row["state"] == request.args.get("state") else None
    if report is None or (report["lines"] and not shown):
        answer = make_response("", 200)
        answer.headers["HX-Refresh"] = "true"
        return answer
    return make_response(
        render_template(
            "_ecp_renewed.html", row=row, numbers=_numbers(row, report["numbers"]), report=report, home=f"{face().prefix}/sendouts", words_of=words_of,
            language_name=label_of, is_renewed=True, are_lines_kept=shown == ".".join(report["lines"]),
        )
    )  # fmt: skip


# the report


def _report(id: int, is_renewed: bool = False) -> dict[str, Any]:
    """What the report shows; only what changes while the page is open when it `is_renewed`."""
    begun = time.monotonic()
    numbers = statistics.report(viewer(), id)
    started_at = search.one(viewer(), "sendouts", id, columns=("started_at",))["started_at"]
    reached = numbers["sent"] + numbers["uncertain"]
    curve = [] if is_renewed else statistics.curve(viewer(), id)
    hours = [one for one in curve if one["at"] <= clock.now()]
    home = f"{face().prefix}/sendouts/{id}"
    charts = [
        Chart(title, [Point(_("%(hour)s h", hour=one["hour"]), one[key]) for one in hours], "line", "number",
              _("Hours after the start"), counted, f"{home}/curve.csv", is_low=True)
        for key, title, counted in (("read", _("People who read it, by hour"), _("People")), ("clicked", _("People who clicked, by hour"), _("People")),
                                    ("machine", _("Openings and clicks by machines, by hour"), _("Openings and clicks")))
        if any(one[key] for one in hours)
    ]  # fmt: skip
    usual = statistics.usual(viewer(), id) or {}
    figures = [_figure(_("Sent"), numbers["sent"], numbers["audience"], None, "sent", home)]
    for key, label in (("read", _("Read")), ("clicked", _("Clicked")), ("unsubscribed", _("Left"))):
        figures.append(_figure(label, numbers[key], reached, usual.get(key), key, home))
    skipped = sorted(numbers["skipped_by_reason"].items(), key=lambda pair: (-pair[1], pair[0]))
    lines = [key for key in LINES if numbers[key] or key in {"sent", "failed"}] if numbers["audience"] else []
    links, surveys, made_by = statistics.links(viewer(), id), [], []
    if not is_renewed:
        surveys, made_by = surveys_of(viewer(), id), _made_by(id)
    return {
        "numbers": numbers,
        "figures": figures,
        "charts": charts,
        "kept_since": statistics.events_kept_since(started_at),
        "links": links,
        "skipped": skipped,
        "surveys": surveys,
        "made_by": made_by,
        "lines": [*lines, *(reason for reason, _number in skipped)],
        "pause": min(LONGEST, max(PAUSE, math.ceil(SHARE * (time.monotonic() - begun)))) if is_renewed else PAUSE,
    }


def _made_by(id: int) -> list[dict[str, Any]]:
    """Openings and clicks by whose they were, each with the reasons: label, opens, clicks, why [(sentence, opens, clicks)]."""
    groups: dict[str, dict[str, Any]] = {}
    for one in statistics.why(viewer(), id):
        key = one["made_by"]
        group = groups.setdefault(
            key, {"key": key, "label": _(picklists.label("made_by", key)), "opens": 0, "clicks": 0, "why": []}
        )
        sentence = _(picklists.label("why_made_by", one["why"])) if one["why"] else _("No reason is kept")
        group["why"].append((sentence, one["opens"], one["clicks"]))
        group["opens"] += one["opens"]
        group["clicks"] += one["clicks"]
    return list(groups.values())


def _figure(label: str, number: int, whole: int, usual: float | None, key: str, home: str) -> dict[str, Any]:
    share = number / whole if whole else None
    return {
        "label": label, "number": number, "share": None if share is None else 100 * share,
        "usual": None if usual is None else 100 * usual,
        "trend": "" if usual is None or share is None or abs(share - usual) < 0.01 else "up" if share > usual else "down",
        "href": f"{home}/recipients?show={key}", "key": key,
    }  # fmt: skip


def curve_csv(id: int) -> Response:
    """The curve as a file."""
    hours = statistics.curve(viewer(), id)
    rows = [
        (one["hour"], one["at"].isoformat(timespec="seconds"), one["read"], one["clicked"], one["machine"])
        for one in hours
    ]
    return _csv(("hour", "at", "read", "clicked", "machine"), rows, f"sendout-{id}-curve.csv")


def links_csv(id: int) -> Response:
    """The links as a file."""
    names = ("number", "url", "label", "people", "clicks", "machine_clicks", "unknown_clicks")
    rows = [tuple(one[name] for name in names) for one in statistics.links(viewer(), id)]
    return _csv(names, rows, f"sendout-{id}-links.csv")


def _csv(names: tuple[str, ...], rows: list[tuple[Any, ...]], file_name: str) -> Response:
    out = io.StringIO()
    written = csv.writer(out, lineterminator="\r\n")
    written.writerow(names)
    for row in rows:
        written.writerow([plain(one) if isinstance(one, str) else one for one in row])
    return csv_download(out.getvalue(), file_name)


def content(id: int) -> Response:
    """The mail as it was sent (of a draft: as it would be), without anybody's data, for a sandboxed frame."""
    row = search.one(viewer(), "sendouts", id)
    language = request.args.get("language", "")
    kept = versions.load(id, language if language in versions.languages_of(id) else "")
    try:
        compiled = kept.compiled if kept else frozen.compile_mail(row["email_template_id"], True)[0]
    except Refused as refused:
        problems = [fault.message for found in refused.faults.values() for fault in found]
        document = render_template("ecp_no_preview.html", problems=problems)
    else:
        seen = preview(compiled, {})
        as_text = request.args.get("as") == "text" or not seen.html
        document = render_template("ecp_text_preview.html", text=seen.text) if as_text else seen.html
    answer = make_response(document)
    answer.headers["Content-Security-Policy"] = PREVIEW_CSP
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer
