"""By what a mail shows that no person wrote it: RFC 3834, lists, bounces. Such mails are never answered."""

from __future__ import annotations

from email.message import Message as RawMessage

_SELDOM_PEOPLE = ("mailer-daemon", "postmaster", "no-reply", "noreply", "do-not-reply", "donotreply")
_OUT_OF_OFFICE = ("x-autoreply", "x-autorespond", "x-auto-response", "auto-reply")


def automatic_by(mail: RawMessage) -> str:
    """Which sign says that a machine sent this mail; "" when none does."""
    submitted = str(mail.get("Auto-Submitted", "") or "").strip().lower()
    if submitted and not submitted.startswith("no"):
        return "Auto-Submitted"
    precedence = str(mail.get("Precedence", "") or "").strip().lower()
    if precedence in {"bulk", "junk", "auto_reply", "list"}:
        return "Precedence"
    if any(name in mail for name in _OUT_OF_OFFICE):
        return "X-Autoreply"
    path = mail.get("Return-Path")
    if path is not None and str(path).strip() == "<>":
        return "Return-Path"
    if is_list(mail):
        return "List-Id"
    return ""


def is_list(mail: RawMessage) -> bool:
    """Whether it came over a mailing list."""
    return any(name in mail for name in ("List-Id", "List-Post", "List-Unsubscribe", "Mailing-List"))


def is_machine_address(addr: str) -> bool:
    """Whether nobody reads what is sent to this address."""
    local = addr.rpartition("@")[0].lower()
    return any(local == name or local.startswith(f"{name}+") for name in _SELDOM_PEOPLE)


def is_bounce(mail: RawMessage) -> bool:
    """Whether it is a report that a mail of ours was not delivered (RFC 3464)."""
    kind = mail.get_content_type()
    report = str(mail.get_param("report-type") or "").lower() if kind == "multipart/report" else ""
    return report == "delivery-status"
