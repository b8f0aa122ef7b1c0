"""Where the twin keeps things: one small document kernel, three adapters under it, every port once above it.

documents.py                          the kernel's protocol
memory.py, sqlite.py, firestore.py    its adapters, the only places that know a database
telemetry.py, shards.py, history.py … the ports of `twin.ports`, written once over the kernel
opening.py                            a bundle of all ports from a path or a client
"""
