"""The system of record and the internal app."""
