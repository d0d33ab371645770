"""Data of persons across the house: who holds what, how it is given out, and how it is taken away for good."""
