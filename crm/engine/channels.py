"""Where a write comes from, and what each channel runs: the table of spec/platform.md 1.6."""

from dataclasses import dataclass
from enum import StrEnum


class Channel(StrEnum):
    """The door's callers."""

    FORM = "form"
    QUICK_EDIT = "quick_edit"
    MASS_EDIT = "mass_edit"
    IMPORT = "import"
    API = "api"
    PORTAL = "portal"
    WORKFLOW = "workflow"
    SCHEDULED = "scheduled"
    SURVEY = "survey"
    WEBSITE_FORM = "website_form"
    SYSTEM = "system"


@dataclass(frozen=True)
class Rules:
    """What a channel runs. `required`: of which fields a value is demanded: all, those edited, all on create."""

    required: str = "create"
    formulas: bool = False
    cuts: bool = False  # too long a text is cut instead of refused, an unknown picklist value kept aside
    is_robot: bool = False  # attributed to the system actor in the change log
    trusted: bool = False  # may write fields that are read-only to people


RULES = {
    Channel.FORM: Rules(required="all", formulas=True),
    Channel.QUICK_EDIT: Rules(required="edited"),
    Channel.MASS_EDIT: Rules(required="edited"),
    Channel.IMPORT: Rules(cuts=True),
    Channel.API: Rules(),
    Channel.PORTAL: Rules(),
    Channel.WORKFLOW: Rules(is_robot=True),
    Channel.SCHEDULED: Rules(is_robot=True),
    Channel.SURVEY: Rules(is_robot=True),
    Channel.WEBSITE_FORM: Rules(is_robot=True),
    Channel.SYSTEM: Rules(is_robot=True, trusted=True),
}
