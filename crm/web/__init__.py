"""Staff pages of the CRM, one file a subject; the blueprints are named in crm/catalog.py."""
