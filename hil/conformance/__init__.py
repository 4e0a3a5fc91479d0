"""Requirement catalogues, interpretation register, monitors and verdicts."""
