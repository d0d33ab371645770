"""Info: words between questions, no answer."""

from surveys.kinds.base import Kind


class Info(Kind):
    name, label, icon, has_answer = "info", "Text to read", "info-circle", False
    fits = frozenset()
