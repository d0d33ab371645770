"""Sections of the personal page /me/<token>, one room a file."""
