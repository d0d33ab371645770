"""Surveys: one engine for Q&A templates, ECP surveys, CRM surveys, forms of events and call scripts (spec/portal.md 4)."""
