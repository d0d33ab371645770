"""Image: a picture between questions, with words for those who cannot see it."""

import re
from typing import Any

from crm.words import _
from surveys.kinds.base import Kind, Question, Setting

LOCAL = re.compile(r"/i/[\w.-]{1,120}").fullmatch


class Image(Kind):
    name, label, icon, has_answer = "image", "Picture", "photo", False
    fits = frozenset()
    settings = (
        Setting("picture", "Picture", "picture", help="PNG, JPEG, GIF or WebP, at most 5 MB"),
        Setting("alt", "What it shows, in words", is_spoken=True),
    )

    def problems(self, question: Question) -> list[str]:
        found = []
        if not LOCAL(str(question.set("picture") or "")):
            found.append(_("Choose a picture that was uploaded here."))
        if not str(question.set("alt") or "").strip():
            found.append(_("Say in words what the picture shows, for people who cannot see it."))
        return found

    def plain(self, value: Any) -> Any:
        return None
