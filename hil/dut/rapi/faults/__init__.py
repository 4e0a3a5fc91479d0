"""Seeded faults of the reference console, by topic."""
