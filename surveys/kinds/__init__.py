"""Kinds of questions: one a file, all in this list."""

from surveys.kinds.area import Area
from surveys.kinds.base import OTHER, Kind, Option, Part, Question, Setting, Wrong
from surveys.kinds.checkboxes import Checkboxes
from surveys.kinds.consent import Consent
from surveys.kinds.date import Date
from surveys.kinds.email import Email
from surveys.kinds.file import File
from surveys.kinds.image import Image
from surveys.kinds.info import Info
from surveys.kinds.matrix import Matrix
from surveys.kinds.nps import Nps
from surveys.kinds.number import Number
from surveys.kinds.panel import DynamicPanel, Panel
from surveys.kinds.phone import Phone
from surveys.kinds.radio import Radio
from surveys.kinds.ranking import Ranking
from surveys.kinds.rating import Rating
from surveys.kinds.select import Select
from surveys.kinds.text import Text

ALL: tuple[Kind, ...] = (
    Text(), Area(), Radio(), Select(), Checkboxes(), Number(), Date(), Email(), Phone(), Rating(), Nps(), Matrix(),
    Ranking(), File(), Consent(), Panel(), DynamicPanel(), Info(), Image(),
)  # fmt: skip
KINDS: dict[str, Kind] = {kind.name: kind for kind in ALL}
WITH_ANSWER = tuple(kind.name for kind in ALL if kind.has_answer)

__all__ = ["ALL", "KINDS", "OTHER", "WITH_ANSWER", "Kind", "Option", "Part", "Question", "Setting", "Wrong"]
