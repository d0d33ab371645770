"""The post office of all apps: what a mail is, how it becomes bytes, how it is signed, and how it leaves.

`message` (values) -> `assemble` (bytes, `headers`, `quoted_printable`) -> `dkim` (signature) -> `transport` (`smtp`, `folder`, `memory`);
`letters` shapes single system mails, `senders` composes return paths and Message-IDs, `dns_check` looks at a sender's domain,
`sending/` is the ledger through which every mail leaves. Nothing else in the product imports smtplib.
"""
