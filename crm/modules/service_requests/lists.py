"""Pick lists of service requests, and the words for states and steps."""

from crm.engine.fields import Choice, PicklistSeed
from crm.words import N_

STATES = PicklistSeed.of(
    "sr_state", "State of a service request",
    Choice("pending", "Pending", "azure"), Choice("responded", "Responded", "blue"),
    Choice("temporary", "Temporarily resolved", "yellow"), Choice("final", "Resolved", "green"),
    Choice("completed", "Completed", "secondary"), Choice("cancelled", "Cancelled", "secondary"),
)  # fmt: skip
TREES = PicklistSeed.of(
    "sr_tree", "What a category is for",
    Choice("request", "Requests"), Choice("response", "Responses"), Choice("temporary", "Temporary resolutions"),
    Choice("final", "Final resolutions"),
)  # fmt: skip
CLASSIFICATIONS = PicklistSeed.of(
    "sr_classification", "Classification",
    "Information", "Advice", "Standard Change", "Access to an IT service", "Request for change", "Report an incident",
)  # fmt: skip
UNITS = PicklistSeed.of(
    "sr_unit", "Unit of time", Choice("minutes", "Minutes"), Choice("hours", "Hours"), Choice("days", "Working days"),
    Choice("weeks", "Working weeks"),
)  # fmt: skip
REASONS = PicklistSeed.of(
    "sr_cancel_reason", "Why a request was cancelled", "Duplicate", "No longer needed", "Registered by mistake", "Other"
)
IMPACTS = PicklistSeed.of(
    "sr_impact", "Impact", Choice("1", "Very high", "red"), Choice("2", "High", "orange"), Choice("3", "Medium", "yellow"),
    Choice("4", "Low", "azure"), Choice("5", "Very low", "secondary"),
)  # fmt: skip
URGENCIES = PicklistSeed.of(
    "sr_urgency", "Urgency", Choice("1", "At once", "red"), Choice("2", "High", "orange"), Choice("3", "Medium", "yellow"),
    Choice("4", "Low", "azure"), Choice("5", "Can wait", "secondary"),
)  # fmt: skip
PRAISE = PicklistSeed.of("sr_feedback_class", "Kind of feedback", "Praise", "Complaint", "Suggestion", "Other")

STEPS = ("response", "temporary", "final")
STEP_WORDS = {"response": N_("Response"), "temporary": N_("Temporary resolution"), "final": N_("Final resolution")}
STATE_OF_STEP = {"response": "responded", "temporary": "temporary", "final": "final"}
ENDED = ("completed", "cancelled")
MOVES = {  # spec/portal.md 6.1
    "pending": {"responded", "cancelled"},
    "responded": {"responded", "temporary", "final"},  # responded again: the customer has refused the first response
    "temporary": {"temporary", "final"},
    "final": {"final", "completed"},
    "completed": set(),
    "cancelled": set(),
}
