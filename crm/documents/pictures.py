"""Pictures of records in Word and Writer documents: where a tag names one, a mark is printed, which becomes the picture here."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from crm.db import db
from crm.documents.flavours import Element
from crm.documents.namespaces import DRAW, TEXT, W
from crm.documents.package import RELATIONS, Package, parse, written
from crm.engine import attachments
from crm.engine.pictures import media_type_of

DRAWN_IN = ("docx", "odt")
BOX = (4.0, 5.0)  # centimetres that a picture fits into
EMU = 360_000  # of Word, a centimetre
BEGINS, ENDS = "\ue000", "\ue001"
_TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"
_MANIFEST = "{urn:oasis:names:tc:opendocument:xmlns:manifest:1.0}"
_SVG = "{urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0}"
_XLINK = "{http://www.w3.org/1999/xlink}"
_IMAGE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/image"
_INLINE = (
    '<w:drawing xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent cx="{cx}" cy="{cy}"/>'
    '<wp:docPr id="{id}" name="{name}"/><a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic>'
    '<pic:nvPicPr><pic:cNvPr id="{id}" name="{name}"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="{name}"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>'
    '<pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="{cx}" cy="{cy}"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing>'
)


@dataclass(frozen=True)
class Picture:
    """A picture's octets, its kind (png, jpeg), and how large it is drawn in centimetres."""

    data: bytes
    ending: str
    width: float
    height: float


@dataclass
class Gallery:
    """The pictures of one document. `token` makes its marks such as no text can hold by chance or will."""

    token: str = field(default_factory=lambda: secrets.token_hex(8))
    shown: list[Picture] = field(default_factory=list)

    def mark(self, file_id: int) -> str:
        """What is printed for a picture; "" for a file that is none, or of a kind that office programs do not show."""
        stored = db.session.get(attachments.StoredFile, file_id)
        try:
            data = attachments.path_of(stored.sha256).read_bytes() if stored is not None else b""
        except FileNotFoundError:
            data = b""
        size = size_of(data)
        if size is None:
            return ""
        scale = min(BOX[0] / size[0], BOX[1] / size[1])
        ending = media_type_of(data[:16]).partition("/")[2]
        self.shown.append(Picture(data, ending, size[0] * scale, size[1] * scale))
        return f"{BEGINS}{self.token}:{len(self.shown) - 1}{ENDS}"

    def parts_of(self, text: str | None) -> Iterator[str | int]:
        """A text cut at the marks: pieces of text, numbers of pictures."""
        for place, piece in enumerate((text or "").split(f"{BEGINS}{self.token}:")):
            number, end, rest = piece.partition(ENDS) if place else ("", "", piece)
            if end:
                yield int(number)
            yield rest


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG or JPEG; None for anything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) > 24:
        width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
        return (width, height) if width and height else None
    at = 2
    while data.startswith(b"\xff\xd8") and at + 9 < len(data) and data[at] == 0xFF:
        kind = data[at + 1]
        if 0xC0 <= kind <= 0xCF and kind not in {0xC4, 0xC8, 0xCC}:
            height, width = int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big")
            return (width, height) if width and height else None
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def hang(package: Package, gallery: Gallery) -> bytes:
    """The filled file with pictures where their marks stand."""
    changed: dict[str, bytes] = {}
    for name, root in package.filled_parts():
        used = set(_in_word(root, gallery) if package.format == "docx" else _in_writer(root, gallery))
        if used:
            changed[name] = written(root)
            if package.format == "docx":
                folder, _slash, file = name.rpartition("/")
                rels = f"{folder}/_rels/{file}.rels"
                changed[rels] = _related(package.parts.get(rels), gallery, used)
    if not changed:
        return package.with_parts({})
    for number, one in enumerate(gallery.shown):
        changed[_path(package.format, number, one)] = one.data
    if package.format == "docx":
        changed["[Content_Types].xml"] = _typed(package.parts["[Content_Types].xml"])
    elif "META-INF/manifest.xml" in package.parts:
        root = parse(package.parts["META-INF/manifest.xml"])
        for number, one in enumerate(gallery.shown):
            said = {f"{_MANIFEST}full-path": _path("odt", number, one), f"{_MANIFEST}media-type": f"image/{one.ending}"}
            etree.SubElement(root, f"{_MANIFEST}file-entry", said)
        changed["META-INF/manifest.xml"] = written(root)
    return package.with_parts(changed)


def _path(format: str, number: int, one: Picture) -> str:
    return f"{'word/media' if format == 'docx' else 'Pictures'}/filled{number}.{one.ending}"


def _in_word(root: Element, gallery: Gallery) -> Iterator[int]:
    for text in list(root.iter(f"{W}t")):
        pieces = list(gallery.parts_of(text.text))
        if len(pieces) < 2:
            continue
        last: Element = text
        text.text = str(pieces[0])
        for piece in pieces[1:]:
            if isinstance(piece, int):
                one = gallery.shown[piece]
                size = {"cx": round(one.width * EMU), "cy": round(one.height * EMU)}
                made = etree.fromstring(_INLINE.format(id=10_000 + piece, name=f"filled{piece}", **size))
                yield piece
            elif piece:
                made = etree.Element(f"{W}t", dict(text.attrib))
                made.text = piece
            else:
                continue
            last.addnext(made)
            last = made


def _in_writer(root: Element, gallery: Gallery) -> Iterator[int]:
    for element in list(root.iter(etree.Element)):
        for is_tail in (False, True):
            pieces = list(gallery.parts_of(element.tail if is_tail else element.text))
            if len(pieces) < 2:
                continue
            last: Element | None = element if is_tail else None
            _say(element, is_tail, str(pieces[0]))
            for number, after in zip(pieces[1::2], pieces[2::2], strict=True):
                made = _frame(int(number), gallery.shown[int(number)])
                if last is None:
                    element.insert(0, made)
                else:
                    last.addnext(made)  # carries its tail along, which is set anew
                made.tail = str(after)
                last = made
                yield int(number)


def _say(element: Element, is_tail: bool, text: str) -> None:
    if is_tail:
        element.tail = text
    else:
        element.text = text


def _frame(number: int, one: Picture) -> Element:
    said = {f"{TEXT}anchor-type": "as-char", f"{DRAW}name": f"filled{number}", f"{_SVG}width": f"{one.width:.2f}cm", f"{_SVG}height": f"{one.height:.2f}cm"}  # fmt: skip
    frame = etree.Element(f"{DRAW}frame", said)
    link = {
        f"{_XLINK}href": _path("odt", number, one),
        f"{_XLINK}type": "simple",
        f"{_XLINK}show": "embed",
        f"{_XLINK}actuate": "onLoad",
    }
    etree.SubElement(frame, f"{DRAW}image", link)
    return frame


def _related(rels: bytes | None, gallery: Gallery, used: set[int]) -> bytes:
    root = parse(rels) if rels else etree.Element(f"{RELATIONS}Relationships", nsmap={None: RELATIONS[1:-1]})
    for number in sorted(used):
        target = f"media/filled{number}.{gallery.shown[number].ending}"
        etree.SubElement(root, f"{RELATIONS}Relationship", {"Id": f"filled{number}", "Type": _IMAGE, "Target": target})
    return written(root)


def _typed(types: bytes) -> bytes:
    root = parse(types)
    known = {one.get("Extension", "").lower() for one in root}
    for ending in ("png", "jpeg"):
        if ending not in known:
            root.insert(0, etree.Element(f"{_TYPES}Default", {"Extension": ending, "ContentType": f"image/{ending}"}))
    return written(root)
