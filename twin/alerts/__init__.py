"""What deserves a person's attention: rules as data, the lifecycle as a table, cases, words. Pure."""
