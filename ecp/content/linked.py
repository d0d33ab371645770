"""`{$links.survey}` in a mail means the survey that is linked to the mail (field Linked survey), so that templates need no ids."""

import re
from collections.abc import Mapping
from typing import Any

from crm.engine.tags import modernise

BARE = re.compile(r"\$links\.survey(?![\w:])")
WRITTEN = ("mjml", "html", "text", "subject", "preheader")


def with_survey(mail: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """The row of a mail with the linked survey named in its tags; as it is when none is linked."""
    survey_id = mail.get("survey_id")
    if not survey_id:
        return mail
    said = {name: BARE.sub(f"$links.survey:{int(survey_id)}", mail[name]) for name in WRITTEN if mail.get(name)}
    return {**mail, **said}


# A link to the mail in the browser: whole, with the dot or bar that parts it from the next.
_ONLINE = re.compile(
    r"""<a\b[^<>]*\{\$links\.online\}[^<>]*>.*?</a>(?:\s*[·|•–-](?=\s))?\s*""", re.IGNORECASE | re.DOTALL
)
_ONLINE_LINE = re.compile(r"^[^\n]*\{\$links\.online\}[^\n]*\n?", re.MULTILINE)


def without_online(mail: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """The row of a mail that goes to one person alone: nothing of it is kept to be read in a browser, so no link leads there."""
    said = {name: modernise(mail[name]) for name in ("mjml", "html", "text") if mail.get(name)}
    cut = {name: (_ONLINE_LINE if name == "text" else _ONLINE).sub("", text) for name, text in said.items()}
    return {**mail, **{name: text for name, text in cut.items() if text != said[name]}}
