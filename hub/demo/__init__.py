"""Believable demo data, the same each time it is made (seeded): a trading house for workplaces in the north."""
