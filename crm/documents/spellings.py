"""Old and foreign spellings of tags in office templates, read as tags of the house: `[Accounts.accountname;frm=0.00]`,
`{{onshow.data.Contacts.lastname}}`, `[rows.qty]`, `[if:…]`; a bracket that names nothing of ours stays text."""

import re

OLD_NAMES = {
    "accounts": "account", "contacts": "contact", "leads": "lead", "potentials": "potential", "users": "owner", "assigned": "owner",
    "helpdesk": "ticket", "troubletickets": "ticket", "tickets": "ticket", "campaigns": "campaign", "products": "product",
    "quotes": "quote", "salesorder": "sales_order", "purchaseorder": "purchase_order", "invoice": "invoice", "projects": "project",
    "invitationevents": "event", "massevents": "event", "attendees": "attendee", "rows": "rows", "taxes": "taxes", "doc": "doc",
    "comments": "comments", "certificate": "certificate", "organisation": "organisation",
}  # fmt: skip
OLD_FIELDS = {
    "createdtime": "created_at",
    "modifiedtime": "updated_at",
    "accountname": "name",
    "ticket_no": "number",
    "id": "number",
    "commentcontent": "text",
}
_BRACKET = r"\[(?:if:[^\[\]{}]+|else|/if|(?:" + "|".join(OLD_NAMES) + r")(?:\.\w+|;\w+=[^\[\];]*)(?:;\w+=[^\[\];]*)*)\]"
_ONSHOW = r"\{\{onshow\.(?:data\.)?\w+\.\w+(?:;\w+=[^{};]*)*\}\}"
OLD = f"(?:{_ONSHOW}|(?i:{_BRACKET}))"
_PARTS = re.compile(r"(?i)(?:onshow\.)?(?:data\.)?(\w+)(?:\.(\w+))?((?:;\w+=[^;]*)*)")
_DATE_MARKS = (("yyyy", "%Y"), ("yy", "%y"), ("mm", "%m"), ("dd", "%d"), ("hh", "%H"), ("nn", "%M"), ("ss", "%S"))
_TEST = re.compile(r"(?i)\[?(\w+)\.(\w+)\]?")
NOTHING = "{''}"


def modernise(source: str) -> str:
    """One tag in the spelling of the house; those of the house unchanged."""
    if source.startswith("{{"):
        return _tag(source[2:-2])
    if not source.startswith("["):
        return source
    inside = source[1:-1]
    word = inside.lower()
    if word in {"else", "/if"}:
        return "{" + word + "}"
    if word.startswith("if:"):
        return "{if " + _TEST.sub(lambda found: "$" + _name(found[1], found[2]), inside[3:]).replace("<>", "!=") + "}"
    return _tag(inside)


def _tag(inside: str) -> str:
    found = _PARTS.fullmatch(inside)
    if found is None or not found[2]:
        return NOTHING  # `[rows;block=table-row]`: rows repeat by themselves
    settings = dict(one.split("=", 1) for one in found[3].split(";") if one)
    name = _name(found[1], found[2])
    if settings.get("link"):  # which of several links to one module is meant
        name = f"{settings['link'].strip().lower().removesuffix('_id')}.{name.partition('.')[2]}"
    return "{$" + name + _format(settings.get("frm", "")) + "}"


def _name(module: str, field: str) -> str:
    return f"{OLD_NAMES.get(module.lower(), module.lower())}.{OLD_FIELDS.get(field.lower(), field.lower())}"


def _format(wanted: str) -> str:
    """`dd.mm.yyyy` → a date as written so, `0.00` → two decimals; the marks of numbers are those of the language."""
    plain = wanted.strip().lower()
    if re.fullmatch(r"[#0, ]*0(?:[.,]0*)?", plain):
        return f"|round:{len(re.split('[.,]', plain)[-1]) if re.search('[.,]0+$', plain) else 0}"
    if any(mark in plain for mark, _ in _DATE_MARKS):
        for mark, code in _DATE_MARKS:
            plain = plain.replace(mark, code)
        return "" if "'" in plain else f"|date_format:'{plain}'"
    return ""
