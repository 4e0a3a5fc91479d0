"""The reference AC charger (wallbox) and its seeded faults."""
