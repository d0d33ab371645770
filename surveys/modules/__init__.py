"""What the records and ledgers of surveys are: one file a module, named in crm/catalog.py."""
