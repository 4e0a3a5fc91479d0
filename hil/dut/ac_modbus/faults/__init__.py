"""Seeded faults of the reference AC charger's registers, as rows of data."""
