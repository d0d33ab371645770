"""What was said in a ticket, for its documents: the words of customer and house, in order; notes among staff stay inside."""

from collections.abc import Sequence

from crm.documents.sources import Given, Source, add_source
from crm.engine import search
from crm.engine.conditions import where
from crm.engine.fields import make
from crm.engine.rows import Row
from crm.identity.viewer import Viewer

MOST = 1_000
FIELDS = {"created_at": make("moment", "When"), "creator": make("text", "Name"), "text": make("long_text", "Text")}
"""Named so that `[comments.createdtime]`, `[comments.creator]` and `[comments.commentcontent]` of older templates find them."""


def _said(viewer: Viewer, row: Row) -> Sequence[Given]:
    """The public comments, oldest first, as far as `viewer` may read them; those that were taken away are left out."""
    of_it = {
        "$and": [
            {"$eq": ["ticket_id", row.id]},
            where("visibility", "is", "public"),
            where("removed_at", "is empty", None),
        ]
    }
    page = search.find(
        viewer,
        "ticket_comments",
        where=of_it,
        columns=("at", "author_name", "text"),
        sort=("at",),
        limit=MOST,
        count="none",
    )
    return [{"created_at": one["at"], "creator": one["author_name"], "text": one["text"]} for one in page.rows]


add_source("tickets", Source("comments", FIELDS, _said, is_list=True))
