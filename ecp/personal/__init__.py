"""Single mails that a person sends to one person from a card: what is written, what goes along, what became of it."""
