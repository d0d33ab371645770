"""One way to fill a template, whatever its format."""

from collections.abc import Callable, Mapping

from crm.documents import calc, excel, rich_text
from crm.documents.flavours import FLAVOURS
from crm.documents.merging import Merger, Scope, fill_parts
from crm.documents.package import RTF_PART, Format, Package
from crm.documents.tokens import BadTag
from crm.words import _


def _fill_rich_text(package: Package, scope: Scope) -> bytes:
    root = rich_text.read(package.parts[RTF_PART])
    Merger(FLAVOURS["rtf"]).fill(root, scope)
    try:
        return rich_text.written(root)
    except ValueError:
        raise BadTag(
            _("The formatting of a part that is repeated or left out goes beyond it. Format it anew.")
        ) from None


_WAYS: Mapping[Format, Callable[[Package, Scope], bytes]] = {
    "docx": fill_parts, "odt": fill_parts, "xlsx": excel.fill, "ods": calc.fill, "rtf": _fill_rich_text,
}  # fmt: skip


def fill(package: Package, scope: Scope) -> bytes:
    """The filled file, as bytes in the format of the template. Raises tokens.BadTag."""
    return _WAYS[package.format](package, scope)
