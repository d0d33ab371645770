"""Backup and restore: one tar file with the database, the uploads and all keys; either database engine, into the same kind."""
