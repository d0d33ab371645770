"""Two questions against each other: how the answers to one go with those to the other."""

from flask import render_template, request

from surveys import results
from surveys.web.reading import page_values

CROSSED = frozenset({"choices", "scores", "nps"})


def show(id: int) -> str:
    """The table of two questions, `rows` and `columns` by name; without them the page asks."""
    said = page_values(id)
    design = said["design"]
    offered = [one for one in design.questions if one.kind.counts in CROSSED and one.kind.has_answer]
    by_name = {one.name: one for one in offered}
    rows, columns = by_name.get(request.args.get("rows", "")), by_name.get(request.args.get("columns", ""))
    crossed = results.crossing(design, rows, columns, said["cut"]) if rows and columns and rows is not columns else None
    return render_template(
        "surveys/crossing.html", **said, offered=offered, rows=rows, columns=columns, crossed=crossed,
        sums={row: sum(crossed.counts.get((row, one), 0) for one, _label in crossed.columns) for row, _label in crossed.rows}
        if crossed else {},
    )  # fmt: skip
