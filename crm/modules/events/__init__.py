"""Events: invitation events and mass events, one table of attendees for both, and one algorithm that gives out seats.

`seats.py` is the way in and out, `waiting.py` gives free seats on, `row_places.py` asks them for rows that forms, imports and
programs make, `standings.py` locks and counts for the three; everything else declares, tells or shows.
"""
