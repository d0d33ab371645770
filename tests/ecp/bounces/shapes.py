"""Mails that come back, in the shapes in which servers write them: small builders, every word of them ours.

`SHAPES`: name → (octets, kind, verdict, reason, how many tokens at least). The token is that of `TOKEN`.
"""

from base64 import b64encode
from email.message import EmailMessage
from quopri import encodestring

OUTLOOK = b"hotmail.com"
TOKEN = "0f" * 22
PATH = f"news+{TOKEN}@example.com"
LOST = "lost.person@receiver.example"
ORIGINAL = f"""Return-Path: <{PATH}>
From: Example news <news@example.com>
To: {LOST}
Subject: Spring
Message-ID: <{"ab" * 20}@example.com>
List-Unsubscribe: <https://hub.example/u1/x>, <mailto:{PATH}?subject=unsubscribe>
"""


def dsn(status, said="", action="failed", text="It did not arrive.", *, to=PATH, original=ORIGINAL, mta="mx.receiver.example",
        final=LOST, sender="MAILER-DAEMON@mx.example.net", part="message/delivery-status", coding="", more="", type_="smtp"):  # fmt: skip
    """A report by RFC 3464; `coding` encodes the status part, as some servers do."""
    lines = [
        f"Final-Recipient: rfc822; {final}",
        f"Action: {action}" if action else "",
        f"Status: {status}" if status else "",
    ]
    lines += [f"Diagnostic-Code: {type_}; {said}" if said else "", f"Remote-MTA: dns; {mta}" if mta else ""]
    fields = "Reporting-MTA: dns; out.example.net\n\n" + "\n".join(line for line in lines if line) + "\n"
    head = ""
    if coding == "base64":
        head, fields = "Content-Transfer-Encoding: base64\n", b64encode(fields.encode()).decode() + "\n"
    elif coding:
        head, fields = f"Content-Transfer-Encoding: {coding}\n", encodestring(fields.encode()).decode()
    returned = f"\n--b\nContent-Type: text/rfc822-headers\n\n{original}" if original else ""
    return f"""Return-Path: <>
From: Mail Delivery System <{sender}>
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"
{more}
--b
Content-Type: text/plain; charset=us-ascii

{text}

--b
Content-Type: {part}
{head}
{fields}{returned}
--b--
""".encode()


def text(subject, body, *, sender="MAILER-DAEMON@mx.receiver.example", to=PATH, head="", original=ORIGINAL):
    """A mail without any structure."""
    quoted = f"\n--- Below this line is a copy of the message.\n\n{original}\nHello" if original else ""
    return f"From: {sender}\nTo: {to}\nSubject: {subject}\n{head}\n{body}\n{quoted}\n".encode()


def complaint(kind="abuse", original=ORIGINAL, to="fbl@example.com"):
    """A report by RFC 5965."""
    return f"""From: <feedback@provider.example>
To: {to}
Subject: FW: Spring
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="f"

--f
Content-Type: text/plain

This is an email abuse report.
--f
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Provider/1.0
Version: 1
Reported-Domain: example.com
--f
Content-Type: message/rfc822

{original}
Hello
--f--
""".encode()


def away(subject, body, **head):
    """A machine's answer to a person."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = f"Lost Person <{LOST}>", PATH, subject
    for name, value in head.items():
        made[name.replace("_", "-")] = value
    made.set_content(body)
    return made.as_bytes()


QMAIL = "Hi. This is the qmail-send program at mx.receiver.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n"
EXIM = "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n"
NO_ORIGINAL = "From: news@example.com\nSubject: Spring\n"
HARD, SOFT, POLICY = "hard", "soft", "policy"

SHAPES = {
    # by RFC 3464
    "postfix, no such user": (dsn("5.1.1", "550 5.1.1 <lost.person@receiver.example>: Recipient address rejected: User unknown in virtual mailbox table"), "bounce", HARD, "unknown"),
    "postfix, no such host": (dsn("5.4.4", "", text="<lost@nowhere.invalid>: Host or domain name not found.", mta="", type_="x-unix"), "bounce", HARD, "domain"),
    "postfix, still trying": (dsn("4.4.1", "connect to mx.receiver.example[192.0.2.5]:25: Connection timed out", "delayed"), "delayed", None, None),
    "postfix, gave up": (dsn("4.4.1", "connect to mx.receiver.example[192.0.2.5]:25: Connection timed out"), "bounce", SOFT, "away"),
    "postfix, full by number": (dsn("5.2.2", "552 5.2.2 Mailbox full"), "bounce", SOFT, "full"),
    "postfix, listed by a blocklist": (dsn("5.7.1", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using a blocklist"), "bounce", POLICY, "policy"),
    "postfix, greylisted for too long": (dsn("4.7.1", "450 4.7.1 Client host rejected: Greylisted, try again later"), "bounce", SOFT, "busy"),
    "postfix, too large": (dsn("5.3.4", "552 5.3.4 Message size exceeds fixed limit"), "bounce", POLICY, "size"),
    "exim, number in the words only": (dsn("5.0.0", "550-5.1.1 The email account that you tried to reach does not exist. Please try"), "bounce", HARD, "unknown"),
    "exim, null MX": (dsn("5.1.10", "556 5.1.10 <a@b.example>: Domain does not accept mail (nullMX)"), "bounce", HARD, "domain"),
    "sendmail, user unknown": (dsn("5.1.1", "550 5.1.1 <lost.person@receiver.example>... User unknown", text="   ----- The following addresses had permanent fatal errors -----"), "bounce", HARD, "unknown"),
    "exchange, not in the directory": (dsn("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient lost@receiver.example not found by SMTP address lookup"), "bounce", HARD, "unknown"),
    "exchange, access denied": (dsn("5.4.1", "550 5.4.1 Recipient address rejected: Access denied. [AMS.example]"), "bounce", HARD, "unknown"),
    "exchange, loop": (dsn("5.4.14", "554 5.4.14 Hop count exceeded - possible mail loop"), "bounce", SOFT, "away"),
    "exchange, DMARC": (dsn("5.7.509", "550 5.7.509 Access denied, sending domain example.com does not pass DMARC verification"), "bounce", POLICY, "policy"),
    "gmail, inactive": (dsn("5.2.1", "550-5.2.1 The email account that you tried to reach is inactive."), "bounce", HARD, "closed"),
    "gmail, over quota": (dsn("5.2.2", "552-5.2.2 The recipient's inbox is out of storage space."), "bounce", SOFT, "full"),
    "gmail, not authenticated": (dsn("5.7.26", "550-5.7.26 Your email has been blocked because the sender is unauthenticated."), "bounce", POLICY, "policy"),
    "gmail, domain not found": (dsn("5.1.2", "DNS Error: 12345 DNS type 'mx' lookup of nowhere.invalid responded with code NXDOMAIN Domain name not found"), "bounce", HARD, "domain"),
    "yahoo, no account": (dsn("5.0.0", "554 delivery error: dd This user doesn't have a provider.example account (lost@provider.example) [0]"), "bounce", HARD, "unknown"),
    "yahoo, deferred until the end": (dsn("4.7.0", "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints"), "bounce", SOFT, "busy"),
    "outlook, mailbox unavailable": (dsn("5.5.0", "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)."), "bounce", HARD, "unknown"),
    "outlook, our network is blocked": (dsn("5.7.1", "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. part of their network is on our block list (S3150)."), "bounce", POLICY, "policy"),
    "gmx, by words": (dsn("5.0.0", "550 Requested action not taken: mailbox unavailable"), "bounce", HARD, "unknown"),
    "t-online, quota by words": (dsn("5.0.0", "552 Requested mail action aborted: exceeded storage allocation, over quota"), "bounce", SOFT, "full"),
    "full told as 5.2.1": (dsn("5.2.1", "550 5.2.1 Mailbox is full"), "bounce", SOFT, "full"),
    "gateway, content": (dsn("5.6.0", "554 5.6.0 Message contains a banned attachment"), "bounce", POLICY, "policy"),
    "for good, and nobody says why": (dsn("5.0.0", ""), "bounce", HARD, "failed"),
    "without status, by its words": (dsn("", "550 No such user here"), "bounce", HARD, "unknown"),
    "internationalised": (dsn("5.1.1", "550 5.1.1 no such user", part="message/global-delivery-status", final="käyttäjä@receiver.example"), "bounce", HARD, "unknown"),
    "status part in base64": (dsn("5.1.1", "550 5.1.1 User unknown", coding="base64"), "bounce", HARD, "unknown"),
    "status part in quoted-printable": (dsn("5.1.1", "550 5.1.1 User unknown", coding="quoted-printable"), "bounce", HARD, "unknown"),
    "rewritten recipient, token in what came back": (dsn("5.1.1", "550 5.1.1 User unknown", to="news@example.com"), "bounce", HARD, "unknown"),
    "nothing came back, token in the envelope": (dsn("5.1.1", "550 5.1.1 User unknown", to="news@example.com", original="", more=f"Delivered-To: NEWS+{TOKEN.upper()}@EXAMPLE.COM\n"), "bounce", HARD, "unknown"),
    "plus turned into an equals sign": (dsn("5.1.1", "550 5.1.1 User unknown", to=PATH.replace("+", "="), original=""), "bounce", HARD, "unknown"),
    "relayed to where no reports are made": (dsn("2.0.0", "", "relayed"), "delivered", None, None),
    "cut in the middle": (dsn("5.1.1", "550 5.1.1 User unknown")[:620], "bounce", HARD, "unknown"),
    # plain text of old servers
    "qmail": (text("failure notice", f"{QMAIL}<{LOST}>:\nSorry, no mailbox here by that name. (#5.1.1)\n"), "bounce", HARD, "unknown"),
    "qmail, what the other side said": (text("failure notice", f"{QMAIL}<{LOST}>:\n192.0.2.9 does not like recipient.\nRemote host said: 550 user unknown\nGiving up on 192.0.2.9.\n"), "bounce", HARD, "unknown"),
    "qmail, full": (text("failure notice", f"{QMAIL}<{LOST}>:\nUser is over the quota. You can try again later. (#4.2.2)\n"), "bounce", SOFT, "full"),
    "exim": (text("Mail delivery failed: returning message to sender", f"{EXIM}  {LOST}\n    Unrouteable address\n", head=f"X-Failed-Recipients: {LOST}\nAuto-Submitted: auto-replied\n"), "bounce", HARD, "unknown"),
    "exim, refused by the other side": (text("Mail delivery failed: returning message to sender", f"{EXIM}  {LOST}\n    host mx.receiver.example [192.0.2.8]\n    SMTP error from remote mail server after RCPT TO:<{LOST}>:\n    550 5.7.1 Message rejected as spam by policy\n", head=f"X-Failed-Recipients: {LOST}\n"), "bounce", POLICY, "policy"),
    "exim, still trying": (text("Warning: message 1abc-2 delayed 24 hours", "This message was created automatically by mail delivery software.\nA message that you sent has not yet been delivered to one or more of its recipients after more than 24 hours.\nNo action is required on your part. Delivery attempts will continue for some time.\n"), "delayed", None, None),
    "sendmail of old": (text("Returned mail: User unknown", f"The original message was received at Mon, 5 Jan 2026 10:00:00\n\n   ----- The following addresses had permanent fatal errors -----\n<{LOST}>\n\n   ----- Transcript of session follows -----\n... while talking to mx.receiver.example.:\n>>> RCPT To:<{LOST}>\n<<< 550 5.1.1 unknown user\n550 <{LOST}>... User unknown\n"), "bounce", HARD, "unknown"),
    "sendmail, warning": (text("Warning: could not send message for past 4 hours", "    **********************************************\n    **      THIS IS A WARNING MESSAGE ONLY      **\n    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n\nThe original message was received at Mon\nDeferred: 450 Connection timed out\n"), "delayed", None, None),
    "exchange of old": (text("Undeliverable: Spring", f"Your message did not reach some or all of the intended recipients.\n\nThe following recipient(s) could not be reached:\n\n      {LOST} on 1/5/2026 10:00\n            The e-mail account does not exist at the organization this message was sent to.\n            <mx.receiver.example #5.1.1>\n", sender="System Administrator <postmaster@receiver.example>"), "bounce", HARD, "unknown"),
    "notes": (text("DELIVERY FAILURE: User lost not listed in Domino Directory", "Your message\n\n  Subject: Spring\n\nwas not delivered to:\n\n  lost.person@receiver.example\n\nbecause:\n\n  User lost (lost.person@receiver.example) not listed in Domino Directory\n", sender="Postmaster@receiver.example"), "bounce", HARD, "unknown"),
    "groupwise": (text("Message status - undeliverable", f"The message that you sent was undeliverable to the following:\n\n        {LOST} (user not found)\n\nUndeliverable message attached.\n", sender="Mailer-Daemon@receiver.example"), "bounce", HARD, "unknown"),
    "in German": (text("Unzustellbar: Spring", f"Ihre Nachricht konnte nicht zugestellt werden:\n{LOST}\nGrund: 550 5.1.1 Empfaenger unbekannt\n", sender="postmaster@receiver.example"), "bounce", HARD, "unknown"),
    # complaints
    "complaint": (complaint(), "complaint", None, None),
    "complaint without the address": (complaint(original=ORIGINAL.replace(LOST, "redacted@redacted.invalid").replace(f"Return-Path: <{PATH}>\n", "")), "complaint", None, None),
    "complaint as Outlook sends it": (b"From: <staff@" + OUTLOOK + b">\nTo: fbl@example.com\nSubject: complaint about message from 192.0.2.1\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\n" + ORIGINAL.encode() + b"\nHello\n", "complaint", None, None),
    # what is none of these
    "it is no spam after all": (complaint("not-spam"), "other", None, None),
    "out of office": (away("Automatic reply: Spring", "I am away until Monday.", Auto_Submitted="auto-replied"), "auto_reply", None, None),
    "out of office, without any sign but words": (away("Out of the office", "I am out. Error 550 in my head, user unknown until May."), "auto_reply", None, None),
    "poissa": (away("Automaattinen vastaus: Kevät", "Olen lomalla."), "auto_reply", None, None),
    "left the company": (away("Re: Spring", "This mailbox is closed; the user no longer works here.", Auto_Submitted="auto-generated"), "auto_reply", None, None),
    "vacation of a server without return path": (away("Out of office: Spring", "Not found until May.", Return_Path="<>"), "auto_reply", None, None),
    "read receipt": (b"From: a@receiver.example\nTo: " + PATH.encode() + b'\nSubject: Read: Spring\nContent-Type: multipart/report; report-type=disposition-notification; boundary="m"\n\n--m\nContent-Type: text/plain\n\nRead.\n--m\nContent-Type: message/disposition-notification\n\nDisposition: manual-action/MDN-sent-manually; displayed\n--m--\n', "auto_reply", None, None),
    "a person who tells of a bounce": (text("Re: problem", "I got this: 550 5.1.1 user unknown. Undeliverable mail. What shall I do?", sender="friend@receiver.example", original=""), "other", None, None),
    "a person who is cross": (text("Stop this", "550 times I said that I want no mail!", sender="cross@receiver.example", original=""), "other", None, None),
    "a wish to leave": (text("unsubscribe", "", sender=LOST, original=""), "unsubscribe", None, None),
    "a wish to leave, in Finnish": (text("Poista listalta", "kiitos", sender=LOST, original=""), "unsubscribe", None, None),
    "a daemon that says nothing": (text("failure notice", "Hello.", original=""), "other", None, None),
    "noise": (bytes(range(256)) * 40, "other", None, None),
    "nothing": (b"", "other", None, None),
}  # fmt: skip
