"""An operational digital twin for fleets of instruments and machines.

Importing this package costs nothing and needs nothing but Python: `python -m twin` starts from here on a bare
interpreter and sets up the rest.
"""

__version__ = "0.1.0"
