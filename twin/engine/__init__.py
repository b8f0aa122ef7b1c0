"""The twin's brain: readings in, states, alerts, cases and history rows out. Pure; no clock, disk or network."""
