"""Addresses of nobody in particular: taken like any other, and shown to the organiser to be checked (spec 2.6)."""

# Mailboxes that several people read, by the common names of RFC 2142 and of offices.
SHARED = frozenset((
    "abuse", "admin", "billing", "contact", "customerservice", "help", "hello", "hostmaster", "info", "jobs", "mail", "marketing",
    "no-reply", "noreply", "office", "postmaster", "press", "reception", "sales", "security", "service", "support", "team", "webmaster",
    "asiakaspalvelu", "myynti", "posti", "tiedotus", "toimisto",
))  # fmt: skip
# Domains that give anybody a mailbox for some minutes.
FLEETING = frozenset((
    "10minutemail.com", "dispostable.com", "getnada.com", "grr.la", "guerrillamail.com", "mailinator.com", "maildrop.cc", "mohmal.com",
    "sharklasers.com", "temp-mail.org", "tempmail.com", "throwawaymail.com", "trashmail.com", "yopmail.com",
))  # fmt: skip


def is_of_nobody(email: str) -> bool:
    """Whether an address is shared by several people, or lives for some minutes only."""
    name, _at, domain = email.lower().rpartition("@")
    return name.partition("+")[0] in SHARED or any(domain == one or domain.endswith(f".{one}") for one in FLEETING)
