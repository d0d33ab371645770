"""Email Contact Portal: its own app and the mass-mail engine."""
