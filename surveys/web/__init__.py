"""Pages of surveys: those for who answers (public.py), those for who asks (building.py, results.py)."""
