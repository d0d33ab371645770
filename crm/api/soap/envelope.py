"""SOAP 1.1 messages of rpc style: a call is read strictly, an answer is written with the types that clients of PHP insist on."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from lxml import etree

NAMESPACE = "https://crmservice.fi/CrmIntegrationWebservice"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
SCHEMA = "http://www.w3.org/2001/XMLSchema"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_PREFIXES = {"SOAP-ENV": ENVELOPE, "SOAP-ENC": ENCODING, "xsd": SCHEMA, "xsi": INSTANCE, "ns1": NAMESPACE}
_NIL = f"{{{INSTANCE}}}nil"
_TYPE = f"{{{INSTANCE}}}type"
MOST_ARGUMENTS = 10


class Unreadable(Exception):
    """The message is not a call. The text says why; it is English, for who writes the client."""


class Fault(Exception):
    """What the caller is told instead of an answer. `code`: Client or Server, with a dot and a word."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Struct:
    """A value with named parts: a dataclass whose name is that of its type in the WSDL."""


@dataclass(frozen=True)
class CrmIntegrationWebserviceSession(Struct):
    """What every call but the first names first."""

    sessionID: str  # noqa: N815 - names of the interface


@dataclass(frozen=True)
class CrmField(Struct):
    """A field as connectors know it; `lenght` is spelt so in the interface."""

    active: bool
    custom: bool
    datatype: str
    label: str
    lenght: int
    name: str
    picklist_id: int
    readonly: bool
    required: bool
    translations: str
    uitype: int


@dataclass(frozen=True)
class PicklistValue(Struct):
    """A choice."""

    id: int
    label: str
    value: str


@dataclass(frozen=True)
class Call:
    """A method's name and its arguments by position: texts, None, or a dict of a struct's parts."""

    method: str
    arguments: tuple[str | dict[str, str] | None, ...]


def read(data: bytes) -> Call:
    """The call in a message. Raises Unreadable; entities and document types are refused, nothing is fetched."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable(f"This is not XML: {error.msg}.") from None
    if root.getroottree().docinfo.doctype:
        raise Unreadable("A message has no document type.")
    body = root.find(f"{{{ENVELOPE}}}Body") if root.tag == f"{{{ENVELOPE}}}Envelope" else None
    if body is None:
        raise Unreadable("This is no SOAP 1.1 envelope with a body.")
    calls = [one for one in body if isinstance(one.tag, str) and not one.get("id")]
    if len(calls) != 1 or len(calls[0]) > MOST_ARGUMENTS:
        raise Unreadable(f"The body holds one call with at most {MOST_ARGUMENTS} arguments.")
    shared = {f"#{one.get('id')}": one for one in body if isinstance(one.tag, str) and one.get("id")}
    return Call(
        etree.QName(calls[0]).localname, tuple(_value(shared.get(one.get("href", ""), one)) for one in calls[0])
    )


def _value(element: etree._Element) -> str | dict[str, str] | None:
    if element.get(_NIL) in ("true", "1"):
        return None
    parts = [one for one in element if isinstance(one.tag, str)]
    if parts:
        return {etree.QName(one).localname: one.text or "" for one in parts}
    return element.text or ""


def answer(method: str, value: Any) -> bytes:
    """The message that answers `method` with `value`: a text, a truth, a struct, or `Many` of one type."""
    root, body = _envelope()
    reply = etree.SubElement(body, f"{{{NAMESPACE}}}{method}Response")
    _write(reply, "return", value)
    return _octets(root)


@dataclass(frozen=True)
class Many:
    """A list of structs of one type."""

    kind: type[Struct]
    items: Sequence[Struct]


def refusal(code: str, message: str) -> bytes:
    """The message that says no."""
    root, body = _envelope()
    fault = etree.SubElement(body, f"{{{ENVELOPE}}}Fault")
    etree.SubElement(fault, "faultcode").text = f"SOAP-ENV:{code}"
    etree.SubElement(fault, "faultstring").text = _clean(message)
    return _octets(root)


def _envelope() -> tuple[etree._Element, etree._Element]:
    root = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap=_PREFIXES)
    root.set(f"{{{ENVELOPE}}}encodingStyle", ENCODING)
    return root, etree.SubElement(root, f"{{{ENVELOPE}}}Body")


def _write(parent: etree._Element, name: str, value: Any) -> None:
    made = etree.SubElement(parent, name)
    if isinstance(value, Many):
        kind = value.kind.__name__
        made.set(f"{{{ENCODING}}}arrayType", f"ns1:{kind}[{len(value.items)}]")
        made.set(_TYPE, f"ns1:ArrayOf{kind}")
        for item in value.items:
            _write(made, "item", item)
    elif isinstance(value, Struct):
        made.set(_TYPE, f"ns1:{type(value).__name__}")
        for one in fields(value):  # type: ignore[arg-type]
            _write(made, one.name, getattr(value, one.name))
    elif isinstance(value, bool):
        made.set(_TYPE, "xsd:boolean")
        made.text = "true" if value else "false"
    elif isinstance(value, int):
        made.set(_TYPE, "xsd:int")
        made.text = str(value)
    else:
        made.set(_TYPE, "xsd:string")
        made.text = _clean(str(value))


def _clean(text: str) -> str:
    """Without what XML 1.0 cannot hold."""
    return "".join(
        one
        for one in text
        if one in "\t\n\r" or (one >= " " and not "\ud800" <= one <= "\udfff" and one not in "\ufffe\uffff")
    )


def _octets(root: etree._Element) -> bytes:
    made: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return made
