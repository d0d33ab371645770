"""Web tracking: who of our contacts visits our sites. The public end is collect.py; a job makes visits of its hits."""
