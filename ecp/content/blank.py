"""What a mail begins with when nothing else is chosen."""

BLANK = """<mjml>
  <mj-head>
    <mj-attributes>
      <mj-all font-family="Helvetica, Arial, sans-serif" />
      <mj-text font-size="16px" line-height="1.5" color="#1f2933" />
    </mj-attributes>
    <mj-raw><meta name="color-scheme" content="light dark" /><meta name="supported-color-schemes" content="light dark" /></mj-raw>
    <mj-style>
      @media (prefers-color-scheme: dark) {
        .page, .page > table { background-color: #111827 !important; background: #111827 !important; }
        .paper, .paper > table { background-color: #1f2937 !important; background: #1f2937 !important; }
        .paper div, .paper h1, .paper h2, .paper h3, .paper p { color: #e5e7eb !important; }
        .paper div a, .page div, .page div a { color: #c3cad6 !important; }
      }
    </mj-style>
  </mj-head>
  <mj-body css-class="page" background-color="#f4f5f7">
    <mj-section css-class="paper" background-color="#ffffff" padding="32px 24px">
      <mj-column>
        <mj-text>Hello {$contact.first_name|there},</mj-text>
        <mj-text>Write here.</mj-text>
      </mj-column>
    </mj-section>
    <mj-section css-class="page" padding="16px 24px">
      <mj-column>
        <mj-text font-size="13px" color="#5a6372" align="center">
          <a href="{$links.online}">Read in the browser</a> · <a href="{$links.preferences}">Preferences</a> · <a href="{$links.unsubscribe}">Unsubscribe</a>
        </mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>
"""
