"""Measurements of the house: rates, times and ratios against a baseline in the same run. `make bench` runs them all."""
