"""What a browser would find active in an HTML text: the oracle of the tests of content."""

import html5lib

from ecp.content.sanitize import is_safe_address

ACTIVE = {
    "script",
    "iframe",
    "object",
    "embed",
    "svg",
    "math",
    "form",
    "base",
    "link",
    "textarea",
    "noscript",
    "select",
}


def active_parts(html):
    """What a browser's parser (html5lib, with and without scripting) finds in an HTML text that could do something."""
    found = []
    for scripting in (False, True):
        document = html5lib.parse(
            f"<body>{html}", treebuilder="etree", namespaceHTMLElements=False, scripting=scripting
        )
        for element in document.iter():
            if not isinstance(element.tag, str):
                continue
            if element.tag in ACTIVE:
                found.append(element.tag)
            found += [name for name in element.attrib if str(name).lower().startswith("on")]
            found += [
                value
                for name, value in element.attrib.items()
                if name in ("href", "src") and not is_safe_address(value)
            ]
    return found
