"""What will fail and when: remaining life, health, maintenance score. Arrays in, arrays out; no clock."""
