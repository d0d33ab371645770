"""Surveys: what is asked, of whom, until when, and what is done with the answers. Pages and questions are rows beside."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Json
from crm.engine import fields as f
from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed
from crm.engine.module import Action, Block, Filter, Module, Related
from crm.engine.record import Record
from surveys.modules import survey_rules as rules

KINDS = PicklistSeed.of(
    "survey_kind", "Kind of survey",
    Choice("crm", "CRM survey", "blue"), Choice("qa", "Q&A template", "purple"), Choice("ecp", "ECP survey", "green"),
    Choice("event_form", "Event form", "orange"), Choice("call_script", "Call script", "secondary"),
)  # fmt: skip
STATUSES = PicklistSeed.of(
    "survey_status", "State of a survey",
    Choice("draft", "Draft", "secondary"), Choice("active", "Active", "green"), Choice("closed", "Closed", "red"),
)  # fmt: skip
UPDATES = PicklistSeed.of(
    "survey_contact_update", "What a public answer may change",
    Choice("never", "Nothing"), Choice("only_empty", "Empty fields only"), Choice("always", "All mapped fields"),
)  # fmt: skip
MATCHES = PicklistSeed.of(
    "survey_match_field", "What public answers are matched by",
    Choice("email", "E-mail"), Choice("mobile", "Mobile phone"), Choice("phone", "Office phone"), Choice("number", "Number"),
)  # fmt: skip


class Survey(Record):
    """A survey. Texts are in its own language; translations of them are kept by the builder (surveys/texts.py)."""

    __tablename__ = "surveys"
    name: Mapped[str] = f.text("Name", max=150, help="For you; people who answer see the title")
    kind: Mapped[str] = f.picklist("Kind", "survey_kind", default="crm")
    status: Mapped[str] = f.picklist("Status", "survey_status", default="draft", audited=True)
    title: Mapped[str | None] = f.text("Title", max=200, help="Empty: A few questions for you")
    intro: Mapped[str | None] = f.html("Introduction", in_lists=False)
    description: Mapped[str | None] = f.long_text("Description", help="For you only")
    language: Mapped[str | None] = f.picklist("Language", "language")
    languages: Mapped[tuple[str, ...] | None] = f.multi("Also in", "language", in_lists=False)
    days_valid: Mapped[int | None] = f.whole(
        "Days valid",
        least=1,
        most=3650,
        default=30,
        help="Counted from the sending of the mail; empty: no limit, though a month at most is safer",
    )
    opens_at: Mapped[datetime | None] = f.moment("Opens at")
    closes_at: Mapped[datetime | None] = f.moment("Closes at")
    max_responses: Mapped[int | None] = f.whole("Most answers", least=1, most=10_000_000)
    repeatable: Mapped[bool] = f.checkbox("Repeatable", help="The same person may answer several times")
    allow_draft: Mapped[bool] = f.checkbox("Allow draft", help="People may save and go on later, for 30 days")
    editable_until: Mapped[datetime | None] = f.moment("Answers can be changed until")
    anonymous: Mapped[bool] = f.checkbox("Anonymous", help="Nobody can see who answered what")
    public: Mapped[bool] = f.checkbox("Public", help="Whoever has the address may answer")
    public_match_field: Mapped[str | None] = f.picklist("Match people by", "survey_match_field", in_lists=False)
    contact_update: Mapped[str] = f.picklist(
        "Public answers change", "survey_contact_update", default="never", in_lists=False
    )
    create_contact: Mapped[bool] = f.checkbox("Make contacts of unknown people", in_lists=False)
    new_owner_id: Mapped[int | None] = f.user("Owner of new contacts", in_lists=False)
    double_opt_in: Mapped[bool] = f.checkbox(
        "Ask to confirm by mail", help="Nothing is written to contacts before", in_lists=False
    )
    thank_you_page_id: Mapped[int | None] = f.link("Thank-you page", to="landing_pages")
    completion_message: Mapped[str | None] = f.long_text("Thanks", help="Shown when there is no thank-you page")
    message_invalid: Mapped[str | None] = f.text("When something is wrong", max=300, in_lists=False)
    message_required: Mapped[str | None] = f.text("When an answer is missing", max=300, in_lists=False)
    message_closed: Mapped[str | None] = f.text("When the survey is closed", max=300, in_lists=False)
    message_answered: Mapped[str | None] = f.text("When somebody has answered before", max=300, in_lists=False)
    button_next: Mapped[str | None] = f.text("Button: next page", max=40, in_lists=False)
    button_back: Mapped[str | None] = f.text("Button: page before", max=40, in_lists=False)
    button_save: Mapped[str | None] = f.text("Button: save", max=40, in_lists=False)
    button_send: Mapped[str | None] = f.text("Button: send", max=40, in_lists=False)
    show_progress: Mapped[bool] = f.checkbox("Show progress", default=True, in_lists=False)
    theme_id: Mapped[int | None] = f.link("Theme", to="survey_themes")
    css: Mapped[str | None] = f.source("Own styles (CSS)", max=20_000, in_lists=False)
    campaign_id: Mapped[int | None] = f.link("Add people who answered to", to="campaigns", in_lists=False)
    translations: Mapped[dict[str, dict[str, str]]] = mapped_column(Json, default=dict)  # language → field → text
    edition: Mapped[int] = f.whole(
        "Edition", default=1, read_only=True, help="Counts up when a question changes its type"
    )


MODULE = Module(
    Survey,
    label="Survey",
    plural="Surveys",
    menu="Marketing",
    icon="clipboard-text",
    columns=("name", "kind", "status", "public", "anonymous", "closes_at", "owner_id"),
    facts=("kind", "status", "days_valid", "opens_at", "closes_at"),
    form=(
        Block("Survey", ("name", "kind", "status", "title", "intro", "description", "owner_id")),
        Block("Languages", ("language", "languages")),
        Block("When", ("opens_at", "closes_at", "days_valid", "max_responses")),
        Block("How people answer", ("repeatable", "allow_draft", "editable_until", "show_progress", "anonymous")),
        Block("Public address", (
            "public", "public_match_field", "contact_update", "create_contact", "new_owner_id", "double_opt_in",
        )),
        Block("Afterwards", ("thank_you_page_id", "completion_message", "campaign_id")),
        Block("Messages and buttons", (
            "message_invalid", "message_required", "message_closed", "message_answered", "button_next", "button_back",
            "button_save", "button_send",
        )),
        Block("Look", ("theme_id", "css")),
    ),
    search=("name", "title"),
    sort=("name",),
    filters=(
        Filter("active", "Active", where("status", "is", "active")),
        Filter("drafts", "Drafts", where("status", "is", "draft")),
        Filter("qa", "Q&A templates", where("kind", "is", "qa")),
        Filter("ecp", "ECP surveys", where("kind", "is", "ecp")),
    ),
    actions=(
        Action("activate", "Activate", lambda it: {"status": "active"}, when=where("status", "is not", "active"), icon="check"),
        Action("close", "Close", lambda it: {"status": "closed"}, when=where("status", "is", "active"), icon="ban",
               confirm="Links to this survey stop working at once."),
    ),
    shows_on={"campaigns": Related(by="campaign_id", label="Surveys", tab=False)},
    picklists=(KINDS, STATUSES, UPDATES, MATCHES),
    derives=(rules.keep_plain_css,),
    checks=(rules.may_be_active, rules.keeps_its_promise, rules.opens_before_it_closes),
    doubts=(rules.never_ends,),
    keeps={"landing_pages": "thank_you_page_id", "survey_themes": "theme_id"},
    in_ecp=True,
)  # fmt: skip
