"""The lists of values that invitation events, mass events and attendees share."""

from crm.engine.fields import Choice, PicklistSeed

EVENTS = ("invitation_events", "mass_events")
OCCUPYING = ("held", "joined", "attended", "no_show")
"""States of an attendee who takes a seat (spec 2.2): what counts and rules call joined."""
OPEN_STATES = (*OCCUPYING, "spare")
GONE = ("cancelled", "declined")

EVENT_STATUS = PicklistSeed.of(
    "event_status", "State of an event",
    Choice("planned", "Planned", "azure"), Choice("open", "Open", "green"), Choice("closed", "Closed", "yellow"),
    Choice("held", "Held", "blue"), Choice("cancelled", "Cancelled", "red"),
)  # fmt: skip
MASS_EVENT_STATUS = PicklistSeed.of(
    "mass_event_status", "State of a mass event",
    Choice("draft", "Draft", "azure"), Choice("published", "Published", "green"), Choice("cancelled", "Cancelled", "red"),
    Choice("archived", "Archived", "secondary"),
)  # fmt: skip
EVENT_TYPE = PicklistSeed.of(
    "event_type", "Type of mass event",
    Choice("need_registration", "Needs registration", "green"), Choice("open", "Open to all", "blue"),
    Choice("invitation_only", "Invitation only", "purple"),
)  # fmt: skip
PROMOTION = PicklistSeed.of(
    "spare_promotion",
    "Giving free seats to spare places",
    Choice("automatic", "Automatic"),
    Choice("manual", "By hand"),
)
GROUP_RULE = PicklistSeed.of(
    "sub_event_rule", "Which sub-events to choose",
    Choice("any", "Any number"), Choice("at_least_one", "At least one"), Choice("exactly_one", "Exactly one"),
)  # fmt: skip
CATEGORIES = PicklistSeed.of(
    "event_category", "Event category", "Conference", "Seminar", "Training", "Webinar", "Other"
)
ATTENDEE_STATUS = PicklistSeed.of(
    "attendee_status", "State of an attendee",
    Choice("invited", "Invited", "azure"), Choice("held", "To be confirmed", "yellow"), Choice("joined", "Joined", "green"),
    Choice("spare", "On a spare place", "orange"), Choice("cancelled", "Cancelled", "secondary"),
    Choice("declined", "Declined", "secondary"), Choice("attended", "Attended", "blue"), Choice("no_show", "Did not come", "red"),
)  # fmt: skip
SOURCES = PicklistSeed.of(
    "attendee_source", "How an attendee came",
    Choice("crm", "By hand"), Choice("portal", "Portal"), Choice("public", "Public page"),
    Choice("invitation_link", "Personal invitation"), Choice("import", "Import"), Choice("api", "API"),
)  # fmt: skip
ATTENDEE_ROLE = PicklistSeed.of("attendee_role", "Role of an attendee", "Attendee", "Guest", "Press", "VIP")
PERSONNEL_ROLE = PicklistSeed.of("personnel_role", "Role of personnel", "Host", "Speaker", "Helper", "Technician")
