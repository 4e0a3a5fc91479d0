"""Seeded faults of the reference DC charger, one module per topic; every module here is loaded."""
