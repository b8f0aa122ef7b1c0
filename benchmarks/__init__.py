"""Measurements of this project against the alternatives, run in the same process."""
