"""The edge: simulated and recorded machines, the durable outbox, and the way to the store."""
