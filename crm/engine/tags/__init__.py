"""The one tag language: `{$contact.first_name|fallback}`, `{if}`; formulas speak its larger dialect (evaluate.py).

tree = parse("Hi {$contact.first_name|friend}")          # raises TagError with line and column
segments = compile("Hi {$contact.first_name|friend}", "html")
segments.fill({"contact.first_name": "Ann & Bo"})        # "Hi Ann &amp; Bo"
"""

from crm.engine.tags.check import Problem, check, is_known_link
from crm.engine.tags.encode import Context
from crm.engine.tags.parse import canonical, parse
from crm.engine.tags.segments import Choice, Encoded, Segments, Slot, compile
from crm.engine.tags.spellings import LINKS, NAMESPACES, modernise, straighten
from crm.engine.tags.tree import Dialect, Tag, TagError, Tree, names
from crm.engine.tags.values import Present, gather, stored

__all__ = [
    "LINKS",
    "NAMESPACES",
    "Choice",
    "Context",
    "Dialect",
    "Encoded",
    "Present",
    "Problem",
    "Segments",
    "Slot",
    "Tag",
    "TagError",
    "Tree",
    "canonical",
    "check",
    "compile",
    "gather",
    "is_known_link",
    "modernise",
    "names",
    "parse",
    "stored",
    "straighten",
]
