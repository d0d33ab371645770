"""`{$links.survey}` in a mail means the survey that is linked to the mail (field Linked survey), so that templates need no ids."""

import re
from collections.abc import Mapping
from typing import Any

BARE = re.compile(r"\$links\.survey(?![\w:])")
WRITTEN = ("mjml", "html", "text", "subject", "preheader")


def with_survey(mail: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """The row of a mail with the linked survey named in its tags; as it is when none is linked."""
    survey_id = mail.get("survey_id")
    if not survey_id:
        return mail
    said = {name: BARE.sub(f"$links.survey:{int(survey_id)}", mail[name]) for name in WRITTEN if mail.get(name)}
    return {**mail, **said}
