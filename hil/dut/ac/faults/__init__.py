"""Seeded faults of the reference AC charger, as rows of data."""
