"""A bin: what it is made of, the ring in which it stands, and the clock by which it is due."""
