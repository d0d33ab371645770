"""The API: REST now, its documentation, its callers."""
