"""The mail scanner: mailboxes that are looked through, rules that say what their mails become, and the taking in of one mail."""
