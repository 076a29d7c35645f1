"""Measurements: medians over several runs and ratios within one run, never asserted."""
