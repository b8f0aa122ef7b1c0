"""Figures from stored events: roll-ups, utilisation, revenue. Every figure keeps its numerator and denominator."""
