"""Small Word and Writer files, made of their XML: paragraphs, tables, runs cut wherever a test wants."""

import io
import zipfile
from xml.sax.saxutils import escape

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
RELS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="r1" Type="{R}/officeDocument" Target="word/document.xml"/></Relationships>'
)
ODF = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for short, name in (("office", "office"), ("text", "text"), ("table", "table"), ("draw", "drawing"), ("script", "script"))
)  # fmt: skip
MANIFEST = (
    '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">'
    '<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.text"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
)


def zipped(parts: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in parts.items():
            made.writestr(name, data)
    return out.getvalue()


class Word:
    """Writes docx: `p("a", "b")` is a paragraph of two runs, `table([["a", "b"]])` a table."""

    ending = "docx"

    def p(self, *runs: str) -> str:
        said = "".join(f'<w:r><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">{escape(run)}</w:t></w:r>' for run in runs)
        return f"<w:p>{said}</w:p>"

    def table(self, rows: list[list[str]]) -> str:
        said = "".join("<w:tr>" + "".join(f"<w:tc>{self.p(*cell.split('‖'))}</w:tc>" for cell in row) + "</w:tr>" for row in rows)  # fmt: skip
        return f"<w:tbl><w:tblPr/>{said}</w:tbl>"

    def file(self, *body: str, more: dict[str, str | bytes] | None = None) -> bytes:
        document = f'<?xml version="1.0"?><w:document xmlns:w="{W}" xmlns:r="{R}"><w:body>{"".join(body)}<w:sectPr/></w:body></w:document>'
        return zipped({"[Content_Types].xml": TYPES, "_rels/.rels": RELS, "word/document.xml": document} | (more or {}))


class Writer:
    """The same as odt."""

    ending = "odt"

    def p(self, *runs: str) -> str:
        return f"<text:p>{''.join(f'<text:span>{escape(run)}</text:span>' for run in runs)}</text:p>"

    def table(self, rows: list[list[str]]) -> str:
        said = "".join("<table:table-row>" + "".join(f"<table:table-cell>{self.p(*cell.split('‖'))}</table:table-cell>" for cell in row) + "</table:table-row>" for row in rows)  # fmt: skip
        return f'<table:table><table:table-column table:number-columns-repeated="{len(rows[0])}"/>{said}</table:table>'

    def file(self, *body: str, more: dict[str, str | bytes] | None = None) -> bytes:
        content = f'<?xml version="1.0"?><office:document-content {ODF} xmlns:xlink="http://www.w3.org/1999/xlink" office:version="1.2"><office:body><office:text>{"".join(body)}</office:text></office:body></office:document-content>'
        return zipped({"mimetype": "application/vnd.oasis.opendocument.text", "META-INF/manifest.xml": MANIFEST, "content.xml": content} | (more or {}))  # fmt: skip


WRITERS = [Word(), Writer()]
