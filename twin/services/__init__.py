"""Use cases: run the twin, keep history, feed the pages, carry out what people ask for."""
