"""Website forms: what strangers are asked on the organisation's site, every submission kept raw before anything else happens to it."""
