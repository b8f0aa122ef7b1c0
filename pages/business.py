"""Under construction."""

from twin.ui.guard import guard

guard(__file__)
