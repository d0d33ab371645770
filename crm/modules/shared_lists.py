"""Picklists that more than one module uses. The first module of the catalog that needs one declares it."""

from crm.engine.fields import Choice, PicklistSeed

SALUTATION = PicklistSeed.of("salutation", "Salutation", "Mr.", "Ms.", "Mx.", "Dr.", "Prof.")
LEAD_SOURCE = PicklistSeed.of(
    "lead_source", "Source", "Cold Call", "Existing Customer", "Self Generated", "Employee", "Partner",
    "Public Relations", "Direct Mail", "Conference", "Trade Show", "Web Site", "Word of mouth", "Other",
)  # fmt: skip
INDUSTRY = PicklistSeed.of(
    "industry", "Industry", "Agriculture", "Banking", "Biotechnology", "Chemicals", "Communications", "Construction",
    "Consulting", "Education", "Electronics", "Energy", "Engineering", "Entertainment", "Environmental", "Finance",
    "Food and Beverage", "Government", "Healthcare", "Hospitality", "Insurance", "Machinery", "Manufacturing", "Media",
    "Not For Profit", "Recreation", "Retail", "Shipping", "Technology", "Telecommunications", "Transportation",
    "Utilities", "Other",
)  # fmt: skip
RATING = PicklistSeed.of(
    "rating", "Rating",
    Choice("Hot", colour="red"), Choice("Warm", colour="orange"), Choice("Cold", colour="azure"),
)  # fmt: skip
LANGUAGE = PicklistSeed.of(
    "language", "Language",
    Choice("en", "English"), Choice("fi", "Finnish"), Choice("sv", "Swedish"), Choice("de", "German"),
)  # fmt: skip
CURRENCY = PicklistSeed.of("currency", "Currency", "EUR", "SEK", "NOK", "DKK", "USD", "GBP", "CHF")
CONTENT_STATUS = PicklistSeed.of(
    "content_status", "Status",
    Choice("active", "Active", "green"), Choice("inactive", "Inactive", "secondary"),
)  # fmt: skip
EMAIL_OPT_IN = PicklistSeed.of(
    "email_opt_in", "E-mail opt-in",
    Choice("none", "None"),
    Choice("single_user", "Single opt-in (user)", "green"),
    Choice("single_webform", "Single opt-in (webform)", "green"),
    Choice("double", "Double opt-in", "green"),
    Choice("out_user", "Opted out (user)", "red"),
    Choice("out_contact", "Opted out (contact)", "red"),
)  # fmt: skip
EMAIL_STATUS = PicklistSeed.of(
    "email_status", "E-mail status",
    Choice("ok", "Works", "green"),
    Choice("soft_bouncing", "Bounces at times", "yellow"),
    Choice("hard_bounced", "Does not exist", "red"),
    Choice("complained", "Complained", "red"),
)  # fmt: skip
MEASURING = PicklistSeed.of(
    "measuring_consent", "Opens may be measured",
    Choice("unknown", "Unknown"), Choice("yes", "Yes", "green"), Choice("no", "No", "red"),
)  # fmt: skip
SCORE_GRADE = PicklistSeed.of(
    "score_grade", "Warmth",
    Choice("cold", "Cold", "azure"), Choice("warm", "Warm", "orange"), Choice("hot", "Hot", "red"),
)  # fmt: skip
PERSON_MODULE = PicklistSeed.of(
    "person_module", "Kind of person", Choice("contacts", "Contact"), Choice("leads", "Lead")
)
