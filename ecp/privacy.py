"""What the Email Contact Portal holds about persons: members of portal target groups, with the address of then."""

from crm.modules.privacy.holdings import Holding, excuse, register
from crm.words import N_

register(
    Holding(
        "portal_target_group_members", "person_id", N_("Target groups of mailings"), ("portal_target_group_id", "email"), fate="delete"
    ),
    Holding("portal_target_group_members", "contact_id", reason="the same rows as those of person_id"),
    Holding("sendout_people", "person_id", N_("Automatic mails"), ("sendout_id", "at"), fate="delete"),
    Holding("sendout_people", "contact_id", reason="the same rows as those of person_id"),
    Holding("sendout_documents", "person_id", N_("Documents of mail merges"), ("sendout_id", "name"), fate="delete"),
    Holding("sendout_documents", "contact_id", reason="the same rows as those of person_id"),
)  # fmt: skip
excuse(
    "an address of a row that is found by its person",
    "portal_target_group_members.email",
    "portal_target_group_members.email_key",
)
excuse(
    "what came back about a delivery: the kind and the status, no address and no words", "returned_mails.delivery_id"
)
excuse("what sends: a campaign, a target group, an autoresponder", "sendout_people.about_id")
excuse("the survey that a mail leads to", "email_templates.survey_id")
excuse("the language that a mail was sent in: the mail itself is in the export", "delivery_versions.delivery_id")
