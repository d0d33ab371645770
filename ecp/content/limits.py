"""How large content may be, and the sentences that say so (spec/marketing.md 6.1, decisions.md 24)."""

from __future__ import annotations

from crm.words import _, say_number
from ecp.content.problems import ContentProblem

MAX_SOURCE = 65_000  # characters of the written source
WARN_BYTES = 102 * 1024  # beyond it, large mail services cut the message
MAX_BYTES = 1024 * 1024  # of the compiled mail
MAX_SUBJECT = 200
MAX_PREHEADER = 150
TEST_PREFIX = "[TEST] "


def check_source(source: str) -> list[ContentProblem]:
    """Refused beyond 65,000 characters; the text itself is never cut."""
    if len(source) <= MAX_SOURCE:
        return []
    count = f"{len(source):,}".replace(",", " ")
    return [ContentProblem(_("HTML is %(count)s characters, maximum is 65 000", count=count))]


def check_compiled(html: str) -> list[ContentProblem]:
    """A warning beyond 102 kB of compiled HTML, an error beyond 1 MB."""
    size = len(html.encode())
    if size > MAX_BYTES:
        return [
            ContentProblem(
                _("The compiled mail is %(size)s kB; at most 1,024 kB can be sent", size=say_number(size // 1024))
            )
        ]
    if size > WARN_BYTES:
        message = _("The compiled mail is %(size)s kB; mail services cut messages beyond 102 kB", size=size // 1024)
        return [ContentProblem(message, severity="warning")]
    return []


def check_subject(subject: str) -> list[ContentProblem]:
    """At most 200 characters, one line."""
    problems = []
    if len(subject) > MAX_SUBJECT:
        problems.append(
            ContentProblem(
                _("The subject is %(count)s characters, maximum is %(most)s", count=len(subject), most=MAX_SUBJECT),
                "subject",
            )
        )
    if any(ord(one) < 32 or one in "\x7f\x85\u2028\u2029" for one in subject):
        problems.append(ContentProblem(_("The subject must be one line without control characters"), "subject"))
    return problems


def as_test(subject: str) -> str:
    """The subject of a test mail: `[TEST] …`, once."""
    return subject if subject.startswith(TEST_PREFIX) else TEST_PREFIX + subject
