"""The addresses of mails: no session, no cookie, no script; a GET changes nothing; whoever guesses gets one neutral answer.

`bp` is put together with the other rooms' public addresses by hub/public.py. The pages are in the files `public_*.py` beside.
"""

from flask import Blueprint
from flask_babel import gettext as _

from crm.ui.public_face import (
    MISSES,
    READS,
    READS_OF_TOKEN,
    WRITES,
    WRITES_OF_TOKEN,
    Gone,
    Unknown,
    guard,
    source,
    writing,
)

bp = Blueprint("public", __name__, template_folder="../templates")
guard(
    bp,
    advice=lambda: _(
        "The address may be incomplete or too old. To leave our mailings, answer any of our mails and say so."
    ),
)

# The routes themselves; imported last because they need what stands above.
from ecp.web import public_domains, public_joining, public_leaving, public_measuring, public_pages, public_returns  # noqa: E402

__all__ = [
    "MISSES", "READS", "READS_OF_TOKEN", "WRITES", "WRITES_OF_TOKEN", "Gone", "Unknown", "bp", "public_domains", "public_joining", "public_leaving",
    "public_measuring", "public_pages", "public_returns", "source", "writing",
]  # fmt: skip
