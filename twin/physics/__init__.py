"""Asset classes: one file per kind of machine, with equations, units, parameters and their sources."""
