"""Deliveries as people see them: what went to whom in which sendout, and what came of it. The post office writes the rows."""

from crm.engine.conditions import where
from crm.engine.fields import Choice, PicklistSeed, make
from crm.engine.module import Block, Filter, Module, Related, Timeline
from crm.mail.sending.deliveries import Delivery

STATES = PicklistSeed.of(
    "delivery_state", "State of a delivery",
    Choice("waiting", "Waiting", "secondary"), Choice("leased", "Being sent", "blue"), Choice("sent", "Sent", "green"),
    Choice("retry", "Tried again later", "yellow"), Choice("failed", "Failed", "red"),
    Choice("skipped", "Left out", "secondary"), Choice("uncertain", "Uncertain", "orange"),
    Choice("cancelled", "Cancelled", "secondary"),
)  # fmt: skip
SKIP_REASONS = PicklistSeed.of(
    "skip_reason", "Why somebody was left out",
    Choice("no_email", "Has no address"), Choice("invalid_email", "The address cannot be used"),
    Choice("opt_out", "Has opted out of mail"), Choice("list_unsubscribed", "Has left this list"),
    Choice("campaign_unsubscribed", "Has left this campaign"), Choice("bounced_before", "The address bounced before"),
    Choice("complained", "Has complained"), Choice("no_opt_in", "Has not opted in"),
    Choice("duplicate_address", "Somebody else has the same address"), Choice("contact_deleted", "Was deleted"),
    Choice("already_received", "Got this mail before"), Choice("quota", "No mails left this month"),
    Choice("cancelled", "The sendout was cancelled"),
)  # fmt: skip
FAILED_REASONS = PicklistSeed.of(
    "failed_reason", "Why a mail failed",
    Choice("hard_bounce", "The address does not exist."),
    Choice("soft_bounce", "It was tried five times within eleven hours, and the receiver never took it."),
    Choice("refused_recipient", "The receiver does not take mail for this address."),
    Choice("refused_sender", "The receiver does not take mail from our sender address."),
    Choice("refused_server", "The server did not take the mail."), Choice("render", "The mail could not be made."),
    Choice("uncertain", "Its end was not seen, and a person said that it did not arrive."),
)  # fmt: skip
FIELDS = {
    "kind": make("text", "Kind", max=40, in_lists=False),
    "sendout_id": make("link", "Sendout", to=("sendouts",)),
    "subject": make("text", "Subject", max=255),
    "person_module": make("picklist", "Kind of person", picklist="person_module"),
    "person_id": make("link", "Person", to=("contacts", "leads")),
    "contact_id": make("link", "Contact", to=("contacts",)),
    "email": make("email", "Address", max=320),
    "state": make("picklist", "State", picklist="delivery_state"),
    "skip_reason": make("picklist", "Why left out", picklist="skip_reason"),
    "failed_reason": make("picklist", "Why it failed", picklist="failed_reason"),
    "reply": make("long_text", "The server's last word", in_lists=False),
    "message_id": make("text", "Message-ID", max=255),
    "attempts": make("whole", "Attempts"),
    "due_at": make("moment", "Not before", in_lists=False),
    "created_at": make("moment", "Prepared at"),
    "sent_at": make("moment", "Sent at"),
    "first_read_at": make("moment", "First read at"),
    "read_count": make("whole", "Reads"),
    "first_click_at": make("moment", "First click at"),
    "click_count": make("whole", "Clicks"),
    "unsubscribed_at": make("moment", "Left at"),
    "bounced_at": make("moment", "Bounced at"),
    "bounce_type": make("text", "Kind of bounce", max=12),
    "bounce_text": make("long_text", "Why it came back", in_lists=False),
    "survey_answered_at": make("moment", "Survey answered at", in_lists=False),
}
# Mails that people write from a card are e-mails among the activities, which tell of themselves on the timeline.
NOT_BY_HAND = where("kind", "none of", ["personal", "personal_overruled"])
MOMENTS = (  # column, sentence and icon on the timeline of the person; a single mail has no sendout
    ("sent_at", "Was sent “{sendout_id|subject}”", "send"),
    ("first_read_at", "Read “{sendout_id|subject}”", "mail-opened"),
    ("first_click_at", "Followed a link of “{sendout_id|subject}”", "click"),
    ("unsubscribed_at", "Left by a link of “{sendout_id|subject}”", "mail-off"),
    ("bounced_at", "“{sendout_id|subject}” came back: {bounce_text}", "mail-x"),
)


def _shown() -> tuple[Related, ...]:
    """The list of sent mails, and a part of the timeline for each thing that can happen to one."""
    columns = (
        "sendout_id",
        "subject",
        "state",
        "skip_reason",
        "sent_at",
        "first_read_at",
        "first_click_at",
        "unsubscribed_at",
    )
    return tuple(
        Related(
            by="person_id",
            label="Sent mails" if at == "sent_at" else "",
            columns=columns,
            tab=at == "sent_at",
            timeline=Timeline(
                at,
                sentence,
                icon=icon,
                category="mail",
                columns=("sendout_id", "subject", "email", "bounce_text"),
                where=NOT_BY_HAND if at == "sent_at" else {},
            ),
        )
        for at, sentence, icon in MOMENTS
    )


MODULE = Module(
    Delivery,
    label="Delivery",
    plural="Deliveries",
    icon="mail-forward",
    title="email",
    fields_of_table=FIELDS,
    parent="sendout_id",
    about="person_id",
    columns=("person_id", "email", "state", "skip_reason", "sent_at", "first_read_at", "first_click_at"),
    facts=("state", "sent_at", "first_read_at", "first_click_at", "unsubscribed_at"),
    form=(Block("Delivery", ("sendout_id", "person_id", "email", "state", "skip_reason", "failed_reason", "reply")),),
    sort=("-sent_at",),
    filters=(
        Filter("sent", "Sent", where("state", "is", "sent")),
        Filter("skipped", "Left out", where("state", "is", "skipped")),
        Filter("failed", "Failed", where("state", "is", "failed")),
        Filter("uncertain", "Uncertain", where("state", "is", "uncertain")),
        Filter("unread", "Not read", {"$and": [where("state", "is", "sent"), where("first_read_at", "is empty")]}),
    ),
    shows_on={
        "contacts": _shown(),
        "leads": _shown(),
        "sendouts": Related(
            by="sendout_id", label="Recipients",
            columns=("person_id", "email", "state", "skip_reason", "sent_at", "first_read_at", "first_click_at"),
        ),
    },
    picklists=(STATES, SKIP_REASONS, FAILED_REASONS),
    creatable=False,
    editable=False,
    deletable=False,
    importable=False,
    in_ecp=True,
)  # fmt: skip
