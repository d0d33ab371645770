"""The look of pages that the system lays out: one plain Writer file."""

_NAMES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for short, name in (
        ("office", "office"), ("text", "text"), ("table", "table"), ("style", "style"), ("fo", "xsl-fo-compatible"), ("svg", "svg-compatible"),
    )
)  # fmt: skip
MANIFEST = (
    '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">'
    '<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.text"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
    '<manifest:file-entry manifest:full-path="styles.xml" manifest:media-type="text/xml"/></manifest:manifest>'
)
STYLES = (
    f'<?xml version="1.0" encoding="UTF-8"?><office:document-styles {_NAMES} office:version="1.2">'
    '<office:font-face-decls><style:font-face style:name="sans" svg:font-family="&apos;Liberation Sans&apos;"/></office:font-face-decls>'
    '<office:styles><style:default-style style:family="paragraph"><style:text-properties style:font-name="sans" fo:font-size="10pt"/></style:default-style>'
    '<style:style style:name="Title" style:family="paragraph"><style:paragraph-properties fo:margin-bottom="0.5cm"/>'
    '<style:text-properties fo:font-size="18pt" fo:font-weight="bold"/></style:style>'
    '<style:style style:name="Heading" style:family="paragraph"><style:paragraph-properties fo:margin-top="0.7cm" fo:margin-bottom="0.2cm" fo:keep-with-next="always"/>'
    '<style:text-properties fo:font-size="12pt" fo:font-weight="bold"/></style:style>'
    '<style:style style:name="Label" style:family="paragraph"><style:paragraph-properties fo:padding="0.08cm"/><style:text-properties fo:font-weight="bold"/></style:style>'
    '<style:style style:name="Value" style:family="paragraph"><style:paragraph-properties fo:padding="0.08cm" fo:border-bottom="0.02cm solid #d0d4da"/></style:style>'
    '<style:style style:name="Foot" style:family="paragraph"><style:paragraph-properties fo:text-align="end"/><style:text-properties fo:font-size="8pt"/></style:style></office:styles>'
    '<office:automatic-styles><style:page-layout style:name="page"><style:page-layout-properties fo:page-width="WIDTH" fo:page-height="HEIGHT" '
    'fo:margin-top="2cm" fo:margin-bottom="1.5cm" fo:margin-left="2cm" fo:margin-right="2cm"/><style:footer-style/></style:page-layout></office:automatic-styles>'
    '<office:master-styles><style:master-page style:name="Standard" style:page-layout-name="page"><style:footer><text:p text:style-name="Foot">'
    "{if $organisation.name}{$organisation.name} · {/if}{$now.date} · <text:page-number/>/<text:page-count/></text:p></style:footer></style:master-page></office:master-styles></office:document-styles>"
)
PAGE = (
    f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_NAMES} office:version="1.2"><office:automatic-styles>'
    '<style:style style:name="whole" style:family="table"><style:table-properties style:rel-width="100%" table:align="margins"/></style:style>'
    '<style:style style:name="narrow" style:family="table-column"><style:table-column-properties style:rel-column-width="1*"/></style:style>'
    '<style:style style:name="broad" style:family="table-column"><style:table-column-properties style:rel-column-width="2*"/></style:style>'
    '<style:style style:name="even" style:family="table-column"><style:table-column-properties style:rel-column-width="1*"/></style:style>'
    "</office:automatic-styles><office:body><office:text>BODY</office:text></office:body></office:document-content>"
)
