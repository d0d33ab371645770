"""Intakes: forms that people filled in on other sites, handed in by an integration once each, however often it tries.

tables.py: what was taken, by the integration's own name for it; offering.py: what a key may hand in; taking.py: the taking.
"""
