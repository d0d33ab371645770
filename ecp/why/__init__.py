"""Why somebody got a sendout or did not: one person, one sendout, told from what is kept of both."""
