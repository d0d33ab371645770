"""Who said no to mail has said no: people of the house end such a refusal only with words that prove the change of mind."""

from collections.abc import Mapping
from typing import Any

from crm.engine.refusals import Fault
from crm.identity.viewer import Viewer
from crm.modules.rules import after
from crm.words import _

REFUSED = frozenset({"out_user", "out_contact"})
HOUSE = frozenset({"staff", "api_key"})  # viewers who speak for somebody else


def keeps_their_word(viewer: Viewer, values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Fault]:
    """A refusal by the person himself ends by himself, or with new evidence beside it (spec/marketing.md 6.28)."""
    if old is None or old.get("email_opt_in") != "out_contact" or viewer.kind not in HOUSE:
        return {}
    then = after(values, old)
    ends = then.get("email_opt_in") not in REFUSED or (old.get("email_opt_out") and not then.get("email_opt_out"))
    said = then.get("email_opt_in_source")
    if not ends or (said and said != old.get("email_opt_in_source")):
        return {}
    message = _("This person refused our mail. Say how and when they asked for it again, then change this.")
    return {"email_opt_in_source": Fault("needs_evidence", message)}
