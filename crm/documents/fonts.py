"""Fonts: which ones a template asks for, which this machine has. Where one is missing a PDF looks otherwise."""

import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache

from lxml import etree

from crm.documents import rich_text
from crm.documents.namespaces import S, W
from crm.documents.package import RTF_PART, Package, parse

REMEMBERED = 60  # seconds
MOST_TOLD = 1_000  # characters of names that are kept
BETWEEN = "; "
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_FAMILY = "{urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0}font-family"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_OF_WORD = re.compile(r"word/(?:document|styles|header\d*|footer\d*)\.xml")


def named(package: Package) -> list[str]:
    """The fonts that a template asks for, each once, by name; those for alphabets it does not use are left out where it says so."""
    ways = {"docx": _of_word, "odt": _of_odf, "ods": _of_odf, "xlsx": _of_excel, "rtf": _of_rich_text}
    found = {name.strip().strip("'\"") for name in ways[package.format](package)}
    return sorted((name for name in found if name), key=str.casefold)


def kept(names: Sequence[str]) -> str:
    """Names as a template keeps them, in one line: a field of one line would lose the breaks between them."""
    said = BETWEEN.join(name.replace(";", " ") for name in names)
    return said if len(said) <= MOST_TOLD else said[:MOST_TOLD].rpartition(BETWEEN)[0]


def of_kept(said: str | None) -> list[str]:
    """The names that a template keeps."""
    return said.split(BETWEEN) if said else []


def _of_word(package: Package) -> Iterator[str]:
    themes: set[str] = set()
    for name, data in package.parts.items():
        if _OF_WORD.fullmatch(name):
            for one in parse(data).iter(f"{W}rFonts"):
                for place in ("ascii", "hAnsi"):
                    themes.add(one.get(f"{W}{place}Theme", "")[:5])
                    if not one.get(f"{W}{place}Theme"):
                        yield one.get(f"{W}{place}", "")
    for name, data in package.parts.items():
        if re.fullmatch(r"word/theme/theme\d+\.xml", name):
            for font in parse(data).iter(f"{_DRAWING}majorFont", f"{_DRAWING}minorFont"):
                latin = font.find(f"{_DRAWING}latin")
                if latin is not None and etree.QName(font).localname[:5] in themes:
                    yield latin.get("typeface", "")


def _of_odf(package: Package) -> Iterator[str]:
    families: dict[str, str] = {}
    used: set[str] = set()
    for name in ("styles.xml", "content.xml"):
        if name in package.parts:
            root = parse(package.parts[name])
            families |= {one.get(f"{_STYLE}name", ""): one.get(_FAMILY, "") for one in root.iter(f"{_STYLE}font-face")}
            used |= {one.get(f"{_STYLE}font-name", "") for one in root.iter(f"{_STYLE}text-properties")}
    yield from (families.get(name, name) for name in used)


def _of_excel(package: Package) -> Iterator[str]:
    if "xl/styles.xml" in package.parts:
        for font in parse(package.parts["xl/styles.xml"]).iter(f"{S}font"):
            yield from (one.get("val", "") for one in font.iter(f"{S}name"))


def _of_rich_text(package: Package) -> Iterator[str]:
    yield from rich_text.fonts(package.parts[RTF_PART])


def of_machine() -> list[str]:
    """The names of the fonts of this machine, in order; empty when it does not tell."""
    return sorted(_families(int(time.monotonic()) // REMEMBERED), key=str.casefold)


@lru_cache(maxsize=1)
def _families(_minute: int) -> frozenset[str]:
    program = shutil.which("fc-list")
    if program is None:
        return frozenset()
    try:
        said = subprocess.run([program, ":", "family"], capture_output=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return frozenset()
    found = (
        name.replace("\\", "").strip()
        for line in said.decode("utf-8", "replace").splitlines()
        for name in line.split(",")
    )
    return frozenset(name for name in found if name)


def missing(names: Sequence[str]) -> list[str]:
    """Those of `names` that this machine has not; none when it does not tell what it has."""
    has = {name.casefold() for name in of_machine()}
    return [name for name in names if name.casefold() not in has] if has else []
