"""Domains that mails are sent from: what to publish in their DNS, their signing keys, and what is found there."""
