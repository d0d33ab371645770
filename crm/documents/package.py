"""A file of Word, Writer, Excel or Calc taken apart: the zip opened with limits, what could run or fetch refused, parts put together again."""

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from lxml import etree

from crm.documents import rich_text
from crm.engine.attachments import MEGABYTE, MOST
from crm.engine.refusals import Refused
from crm.words import _

Format = Literal["docx", "odt", "xlsx", "ods", "rtf"]
MEDIA_TYPES: dict[str, str] = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "odt": "application/vnd.oasis.opendocument.text",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "rtf": "application/rtf",
    "pdf": "application/pdf",
    "zip": "application/zip",
}
MOST_UNPACKED = 200 * MEGABYTE
MOST_OF_XML = 20 * MEGABYTE  # of one part that is read
MOST_PARTS = 2_000
OLD_WORD = b"\xd0\xcf\x11\xe0"  # the files of Word 97 to 2003, and encrypted ones of today
FILLED = {
    "docx": re.compile(r"word/(?:document|header\d*|footer\d*|footnotes|endnotes)\.xml"),
    "odt": re.compile(r"(?:content|styles)\.xml"),
}
MACROS = re.compile(
    r"(?i)vba(?:project|data)|activex|macrosheets/|(?:^|/)(?:basic|scripts)/|(?<!/printersettings\d)(?<!/printersettings\d\d)\.bin$"
)
READING = re.compile(r"(?i)(?:^|/)(?:connections\.xml|querytables/|externallinks/|customdata/|model/)")  # of a workbook
CALLING = re.compile(r"(?i)\b(?:WEBSERVICE|DDE|RTD|CALL|REGISTER\.ID|SQL\.REQUEST)\s*\(|\|\s*'")  # in formulas
# Fields that make an office program read other files or programs.
FETCHING = re.compile(r"(?i)includepicture|includetext|dde|(?<!hyper)link|import|database|macrobutton")
QUOTED = re.compile(r'"[^"]*"')
FORBIDDEN_TAGS = frozenset(
    ["event-listener", "script", "dde-source", "dde-connection-decl", "execute-macro", "altChunk", "subDoc", "applet", "plugin"]
)  # fmt: skip
RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}"
XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
OFFICE_TEMPLATE = "attachedTemplate"
ODF_FORMULA = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}formula"
RTF_PART = "document.rtf"


@dataclass(frozen=True)
class Package:
    """The parts of one file by name, in their order."""

    format: Format
    parts: Mapping[str, bytes]

    def filled_parts(self) -> Iterator[tuple[str, etree._Element]]:
        """The parts that hold text for readers, each parsed anew."""
        for name, data in self.parts.items():
            if FILLED[self.format].fullmatch(name):
                yield name, parse(data)

    def with_parts(self, changed: Mapping[str, bytes], without: frozenset[str] = frozenset()) -> bytes:
        """The file with some parts changed, and some left out."""
        if self.format == "rtf":
            return {**self.parts, **changed}[RTF_PART]
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
            for name, data in {**self.parts, **changed}.items():
                if name in without:
                    continue
                # Readers of OpenDocument know the file by its first entry, which must not be packed.
                how = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
                made.writestr(zipfile.ZipInfo(name), data, how)
        return out.getvalue()


def bad(sentence: str) -> Refused:
    """The refusal of a template file."""
    return Refused.because("bad_template", sentence, "file")


def read(name: str, data: bytes) -> Package:
    """The file called `name`. Raises Refused (bad_template, file_too_large) with what is wrong."""
    if len(data) > MOST:
        said = _("“%(name)s” is larger than %(limit)s MB, the limit.", name=name, limit=MOST // MEGABYTE)
        raise Refused.because("file_too_large", said, "file")
    if data.startswith(OLD_WORD):
        raise bad(
            _(
                "This is a file of Word 97 to 2003, of Excel of these years, or it has a password. Save it as .docx or .xlsx without a password."
            )
        )
    ending = name.rsplit(".", 1)[-1].lower()
    if ending == "rtf" and data.startswith(rich_text.BEGINS):
        return _rich_text(data)
    if ending not in {"docx", "odt", "xlsx", "ods"} or not data.startswith(b"PK\x03\x04"):
        raise _no_template()
    try:
        parts = dict(_unpacked(data))
    except (zipfile.BadZipFile, RuntimeError, EOFError, OSError, ValueError):
        raise bad(_("The file is damaged: it cannot be opened.")) from None
    package = Package(_format_of(parts), parts)
    if package.format != ending:
        raise bad(_("The file is not what its name says."))
    checked = {part: _checked(part, held) for part, held in parts.items() if part.endswith((".xml", ".rels", ".rdf"))}
    return Package(package.format, {**parts, **checked})


def _no_template() -> Refused:
    return bad(
        _(
            "A template is a Word file (.docx), a Writer file (.odt), an Excel file (.xlsx), a Calc file (.ods) or rich text (.rtf)."
        )
    )


def _rich_text(data: bytes) -> Package:
    try:
        root = rich_text.read(data)
    except rich_text.Unreadable as wrong:
        raise bad(str(wrong)) from None
    found = FETCHING.search(QUOTED.sub("", rich_text.instructions(root)))
    if found:
        raise _fetches(found[0])
    return Package("rtf", {RTF_PART: data})


def _fetches(field: str) -> Refused:
    return bad(_("The file has a field that reads another file: %(field)s", field=field.upper()))


def _unpacked(data: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(entries) > MOST_PARTS or sum(entry.file_size for entry in entries) > MOST_UNPACKED:
            raise bad(_("The file unpacks to more than %(limit)s MB.", limit=MOST_UNPACKED // MEGABYTE))
        if len({entry.filename for entry in entries}) < len(entries):
            raise bad(_("The file is damaged: it cannot be opened."))
        for entry in entries:
            name = entry.filename
            if name.startswith("/") or ".." in name.split("/") or "\\" in name or posixpath.normpath(name) != name:
                raise bad(_("The file is damaged: it cannot be opened."))
            if entry.flag_bits & 1:
                raise bad(_("The file has a password."))
            if MACROS.search(name):
                raise bad(_("The file holds macros or programs (%(part)s). Save it without them.", part=name))
            if READING.search(name):
                raise bad(
                    _("The file reads data that is not in it (%(part)s). Save it with values in its place.", part=name)
                )
            if name.endswith(".xml") and entry.file_size > MOST_OF_XML:
                raise bad(_("The text of the file is too large."))
            yield name, archive.read(entry)  # never more than the size that was added up above


def _format_of(parts: Mapping[str, bytes]) -> Format:
    kind = parts.get("mimetype", b"").strip().decode("ascii", "replace")
    if kind == MEDIA_TYPES["odt"] and "content.xml" in parts:
        return "odt"
    if kind == MEDIA_TYPES["ods"] and "content.xml" in parts:
        return "ods"
    for found, main in (("docx", "word/document.xml"), ("xlsx", "xl/workbook.xml")):
        if main in parts and "[Content_Types].xml" in parts:
            if b"macroEnabled" in parts["[Content_Types].xml"]:
                raise bad(
                    _("The file holds macros or programs (%(part)s). Save it without them.", part=f"{found[:3]}m")
                )
            return cast(Format, found)
    raise _no_template()


def parse(data: bytes) -> etree._Element:
    """XML of a part; nothing outside of it is read. Raises Refused."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_pis=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        raise bad(_("The file is damaged: it cannot be opened.")) from None
    if root.getroottree().docinfo.doctype:
        raise bad(_("The file is damaged: it cannot be opened."))
    return root


def written(root: etree._Element) -> bytes:
    """A part as bytes again."""
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))


def _checked(name: str, data: bytes) -> bytes:
    """The part, without the trace of the author's own office template. Raises Refused when it would fetch or run something."""
    root = parse(data)
    changed, instructions = False, ""
    for element in list(root.iter(etree.Element)):
        tag = etree.QName(element).localname
        if tag in FORBIDDEN_TAGS:
            raise bad(_("The file holds macros or programs (%(part)s). Save it without them.", part=tag))
        if tag == "instrText":
            instructions += element.text or ""  # one instruction may be cut into many pieces
        formula = element.get(ODF_FORMULA) or (element.text if tag in {"f", "definedName"} else None)
        calling = CALLING.search(QUOTED.sub("", formula)) if formula else None
        if calling:
            raise _fetches(calling[0].rstrip("( "))
        instructions += "".join(str(said) for at, said in element.attrib.items() if at.endswith("}instr"))
        if tag == "Relationship" and element.get("TargetMode") == "External":
            kind = (element.get("Type") or "").rpartition("/")[2]
            if kind == OFFICE_TEMPLATE:
                _drop(element)
                changed = True
            elif kind != "hyperlink":
                raise _outside(element.get("Target") or "")
        if tag == OFFICE_TEMPLATE and name == "word/settings.xml":
            _drop(element)
            changed = True
        href = element.get(XLINK_HREF)
        is_of_chart = href == ".." and "/" in name  # a chart says that its cells are those of the file around it
        if href and tag != "a" and not is_of_chart and not _is_inside(href):
            raise _outside(href)
    found = FETCHING.search(QUOTED.sub("", instructions))
    if found:
        raise _fetches(found[0])
    return written(root) if changed else data


def _is_inside(href: str) -> bool:
    return (":" not in href and not href.startswith(("/", "\\", ".."))) or href.startswith("#")


def _outside(target: str) -> Refused:
    return bad(
        _("The file shows something that is not in it: %(target)s. Insert it into the file.", target=target[:80])
    )


def _drop(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
