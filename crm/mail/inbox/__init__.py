"""Mails that came in, read as what they are: hostile bytes. `parse.read(data)` never raises and never takes long."""
