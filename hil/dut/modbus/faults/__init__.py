"""Seeded faults of the reference Modbus device, by topic."""
