"""Which rule of a scanner a mail fits: one row an operator, folded texts, patterns in linear time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from crm.db import compile_pattern, fold_text
from crm.mail.inbox.parse import Incoming
from crm.words import N_

ACTIONS = {
    "create": N_("Make a ticket"),
    "update": N_("Add to the ticket it answers"),
    "attach_contact": N_("Attach it to the contact"),
    "attach_account": N_("Attach it to the account"),
    "ignore": N_("Ignore it"),
}


def _is_found(text: str, said: str) -> bool:
    return compile_pattern(f"(?i){said}").search(text) is not None


OPERATORS: dict[str, tuple[str, Callable[[str, str], bool]]] = {
    "contains": (N_("contains"), lambda text, said: said in text),
    "not_contains": (N_("does not contain"), lambda text, said: said not in text),
    "equals": (N_("is"), lambda text, said: text == said),
    "not_equals": (N_("is not"), lambda text, said: text != said),
    "begins": (N_("begins with"), lambda text, said: text.startswith(said)),
    "not_begins": (N_("does not begin with"), lambda text, said: not text.startswith(said)),
    "regex": (N_("fits the pattern"), _is_found),
}
BODY_OPERATORS = tuple(name for name in OPERATORS if name != "regex")


@dataclass(frozen=True)
class Rule:
    """A rule as it is asked; `id` 0 is one that was never saved."""

    id: int = 0
    folders: tuple[str, ...] = ()
    match: str = "all"
    sender: str = ""
    recipient: str = ""
    subject_operator: str = ""
    subject: str = ""
    body_operator: str = ""
    body: str = ""
    action: str = "create"
    owner_id: int | None = None
    defaults: dict[str, Any] = field(default_factory=dict)
    answer_template_id: int | None = None
    active: bool = True

    def fits(self, mail: Incoming, folder: str) -> bool:
        """Whether the mail, found in `folder`, fits. A rule without conditions fits every mail."""
        if self.folders and folder not in self.folders:
            return False
        asked = list(self._answers(mail))
        if not asked:
            return True
        return all(asked) if self.match == "all" else any(asked)

    def _answers(self, mail: Incoming) -> Iterable[bool]:
        if self.sender:
            text = f"{mail.sender.name} {mail.sender.addr}" if mail.sender else ""
            yield _fold(self.sender) in _fold(text)
        if self.recipient:
            everybody = " ".join(f"{one.name} {one.addr}" for one in (*mail.to, *mail.cc, *mail.delivered_to))
            yield _fold(self.recipient) in _fold(everybody)
        if self.subject_operator:
            yield _compare(self.subject_operator, mail.subject, self.subject)
        if self.body_operator:
            yield _compare(self.body_operator, f"{mail.text}\n{mail.quoted}", self.body)


def _compare(operator: str, text: str, said: str) -> bool:
    if operator == "regex":
        return _is_found(text, said)
    return OPERATORS[operator][1](_fold(text), _fold(said))


def _fold(text: str) -> str:
    return fold_text(text.strip()) or ""


def first_fitting(rules: Iterable[Rule], mail: Incoming, folder: str) -> Rule | None:
    """The first rule that the mail fits; None when none does."""
    return next((rule for rule in rules if rule.fits(mail, folder)), None)
