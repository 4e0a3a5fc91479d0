"""Seeded faults of the reference meter, by topic."""
